"""Metrics are not for everybody, and nobody finds out from them, or from an answer, who is on the suppression list."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from attack.conftest import TOKEN
from satsuma_server.access import Scope
from satsuma_server.access.token_file import TokenFile
from satsuma_server.errors import SettingsError
from satsuma_server.identity.identifiers import USER_ID, Key
from satsuma_server.identity.rules import ProfileSettings, Rules
from satsuma_server.log import WITHHELD, Arrivals
from satsuma_server.log.sqlite import SqliteLog
from satsuma_server.privacy.suppression import Suppressed
from satsuma_server.settings import make_settings
from satsuma_server.testing import running

ELSEWHERE = (
    {"X-Forwarded-For": "203.0.113.7"},
    {"X-Forwarded-Proto": "https"},
    {"Forwarded": "for=203.0.113.7"},
    {"X-Real-IP": "203.0.113.7"},
    {"Via": "1.1 proxy"},
    {"Host": "collector.example"},
    {"Host": "rebound.evil.test:8000"},
    {"Host": "127.0.0.1.evil.test"},
)
KEPT = ("satsuma_log_last_seq", "satsuma_log_pending_events")


def status(url: str, **headers: str) -> int:
    return httpx.get(f"{url}/metrics", headers=headers).status_code


def test_by_default_only_this_machine_and_tokens_read_metrics(tmp_path: Path) -> None:
    with running(tmp_path) as collector:
        monitor = TokenFile(tmp_path).create("prometheus", [Scope.METRICS])
        reader = TokenFile(tmp_path).create("reader", [Scope.READ_EVENTS])
        port = httpx.URL(collector.url).port
        assert [status(collector.url), status(collector.url, Host=f"localhost:{port}")] == [200, 200]
        assert {status(collector.url, **headers) for headers in ELSEWHERE} == {401}
        for headers in ({}, *ELSEWHERE):
            assert status(collector.url, Authorization=f"Bearer {monitor}", **headers) == 200
            assert status(collector.url, Authorization=f"Bearer {reader}", **headers) == 403
            assert status(collector.url, Authorization="Bearer wrong", **headers) == 401


@pytest.mark.parametrize(("mode", "here", "there"), [("token", 401, 401), ("public", 200, 200)])
def test_a_setting_says_who_reads_metrics(tmp_path: Path, mode: str, here: int, there: int) -> None:
    with running(tmp_path, metrics=mode) as collector:
        assert (status(collector.url), status(collector.url, **ELSEWHERE[0])) == (here, there)
        assert status(collector.url, **TOKEN) == 200


def test_another_mode_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "satsuma.toml"
    file.write_text('metrics = "everyone"\n[[sources]]\nwrite_key = "shop"')
    with pytest.raises(SettingsError, match="metrics"):
        make_settings(file)


def figures(url: str, **headers: str) -> dict[str, str]:
    """Return all metrics but those of time, which differ from request to request."""
    text = httpx.get(f"{url}/metrics", headers=headers).text
    return dict(
        re.findall(
            r"^(\w+(?:\{[^}]*\})?) (\S+)$", re.sub(r"(?m)^satsuma_request_seconds.*$|.*_created.*", "", text), re.M
        )
    )


def probe(folder: Path, user_id: str) -> tuple[list[Any], dict[str, str], dict[str, str]]:
    """Ask as a stranger does who wants to know whether somebody is suppressed; the last figures need the token."""
    Suppressed(folder, Rules(ProfileSettings())).add([Key(USER_ID, "ann", "")])
    event = {"type": "track", "event": "E", "messageId": f"of {user_id}", "userId": user_id}
    with running(folder) as collector, httpx.Client(base_url=collector.url) as client:
        answers = []
        for one in (event, event, {**event, "event": ""}, {**event, "messageId": "another"}):
            answer = client.post("/v1/track", json=one)
            answers.append((answer.status_code, answer.json()))
        return answers, figures(collector.url), figures(collector.url, **TOKEN)


def test_neither_metrics_nor_answers_tell_who_is_suppressed(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("ann", "bob")]
    for folder in folders:
        folder.mkdir()
    ann, bob = (probe(folder, folder.name) for folder in folders)
    assert ann[:2] == bob[:2]
    assert ann[1]["satsuma_events_accepted_total"] == "2.0"
    assert ann[1]["satsuma_events_duplicate_total"] == "1.0"
    assert not any(name in ann[1] for name in KEPT)
    assert (ann[2][KEPT[0]], bob[2][KEPT[0]]) == ("0.0", "2.0")


def test_what_is_not_kept_takes_a_write_too(tmp_path: Path) -> None:
    """An answer that doesn't wait for the disk comes sooner than others, which can be measured from outside."""

    async def run() -> list[tuple[int, float]]:
        log = SqliteLog(tmp_path)
        beats = []
        try:
            for arrivals in (
                Arrivals("demo", time.time() * 1000, ["a"], [b""]),
                Arrivals("demo", time.time() * 1000, ["a"], [b""]),
                Arrivals("demo", time.time() * 1000, refused=[WITHHELD]),
                Arrivals("demo", time.time() * 1000, ["a", "b"], [b'{"n":1}', b'{"n":2}']),
            ):
                new = await log.append(arrivals)
                beats.append((new, log._reader.connection.execute("SELECT max(at) FROM heartbeat").fetchone()[0]))
            assert [one.body for one in await log.read()] == [b'{"n":2}']
            assert [one.seq for one in await log.read()] == [1]
            assert await log.dead_letters() == []
        finally:
            await log.close()
        return beats

    [(first, at_first), (again, at_again), (_, at_refused), (other, at_other)] = asyncio.run(run())
    assert (first, again, other) == (1, 0, 1)
    assert at_first == at_again < at_refused == at_other
