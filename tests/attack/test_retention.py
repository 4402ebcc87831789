"""What is kept for some days is gone afterwards, from everything that is built from the log, and from the files."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import httpx
import pytest
from attack.conftest import TOKEN, wait_until
from satsuma_server.errors import SettingsError, UnavailableError
from satsuma_server.identity.rules import ProfileSettings
from satsuma_server.log import Arrivals
from satsuma_server.log.shared import SharedLog
from satsuma_server.log.sqlite import SqliteLog
from satsuma_server.privacy.retention import MS_A_DAY, Kept, Retention
from satsuma_server.projections.app import create_worker
from satsuma_server.settings import Settings, make_settings
from satsuma_server.testing import serving
from satsuma_server.times import EPOCH, MILLISECOND

MARKER = "ann.kowalski.7391@mail.example"


def write(data: Path, *seen: tuple[int, str]) -> None:
    """Write events of an age in days, and of a user."""

    async def run() -> None:
        log = SqliteLog(data)
        for age, user in seen:
            at = time.time() * 1000 - age * MS_A_DAY
            told = (EPOCH + at * MILLISECOND).isoformat()
            event = {"type": "identify", "messageId": f"m-{user}", "userId": user, "anonymousId": f"device-{user}"}
            times = dict.fromkeys(("timestamp", "receivedAt", "sentAt", "originalTimestamp"), told)
            body = json.dumps({**event, **times, "traits": {"email": user}}).encode()
            await log.append(Arrivals("shop", at, [event["messageId"]], [body]))
        await log.close()

    asyncio.run(run())


def held(data: Path) -> list[str]:
    """Return the files that have the marker. The log is trimmed by the collector, which does not run here."""
    return [
        str(file.relative_to(data))
        for file in data.rglob("*")
        if file.is_file() and not file.name.startswith("events.") and MARKER.encode() in file.read_bytes()
    ]


def ask(url: str, path: str) -> httpx.Response:
    return httpx.get(f"{url}{path}", headers=TOKEN, trust_env=False, timeout=60)


def users(url: str) -> list[str]:
    sql = {"query": "SELECT user_id FROM shop.identifies UNION ALL SELECT id FROM profiles.identity_map ORDER BY 1"}
    answer = httpx.post(f"{url}/v1/sql", json=sql, headers=TOKEN, trust_env=False, timeout=60)
    return [row[0] for row in answer.json()["rows"]] if answer.status_code == 200 else []


def test_whoever_was_not_seen_for_so_long_is_gone_from_everything(tmp_path: Path) -> None:
    write(tmp_path, (400, MARKER), (400, "bob"), (1, "cyd"))
    token = TOKEN["Authorization"].removeprefix("Bearer ")
    settings = Settings(tmp_path, token=token, retention_days=390)
    forever = Settings(tmp_path, token=token)
    with serving(create_worker(forever, SharedLog(tmp_path))) as url:
        wait_until(lambda: len(users(url)) == 9, "the tables")
    assert sorted(held(tmp_path)) == ["profiles.sqlite3", "warehouse/warehouse.duckdb"]
    with serving(create_worker(settings, SharedLog(tmp_path))) as url:
        wait_until(lambda: users(url) == ["cyd", "cyd", "device-cyd"], "the old ones to go")
        assert ask(url, f"/v1/profiles/user_id:{MARKER}").status_code == 404
        assert ask(url, "/v1/profiles/user_id:cyd").status_code == 200
        wait_until(lambda: not held(tmp_path), "the files to be written anew")


def test_a_part_that_can_not_do_it_now_holds_up_no_other_and_is_asked_again() -> None:
    asked: list[tuple[str, float]] = []
    is_done = asyncio.Event()

    class Part:
        def __init__(self, name: str, *, fails: bool = False) -> None:
            self.name, self.fails = name, fails

        async def expire(self, before: float) -> int:
            asked.append((self.name, before))
            if self.fails:
                self.fails = False
                raise UnavailableError("is down")
            if len(asked) == 4:
                is_done.set()
            return 1

    async def run() -> None:
        parts = [
            Kept("down", 2, Part("down", fails=True)),
            Kept("for ever", None, Part("for ever")),
            Kept("well", 1, Part("well")),
        ]
        retention = Retention(parts, clock=lambda: 3 * 86_400)
        await retention.start()
        await is_done.wait()
        await retention.stop()

    asyncio.run(run())
    assert asked == [("down", MS_A_DAY), ("well", 2 * MS_A_DAY)] * 2


def test_each_part_may_have_a_time_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "satsuma.toml"
    file.write_text('retention_days = 30\nwarehouse.retention_days = 400\nprofiles.retention_days = "forever"\n')
    settings = make_settings(file, {"accept_any_key": True})
    assert (settings.warehouse_retention_days, settings.profiles_retention_days) == (400, None)
    all_alike = make_settings(given={"accept_any_key": True, "retention_days": 30.0})
    assert (all_alike.warehouse_retention_days, all_alike.profiles_retention_days) == (30, 30)
    for_ever = make_settings(given={"accept_any_key": True})
    assert (for_ever.warehouse_retention_days, for_ever.profiles_retention_days) == (None, None)
    for wrong in ({"retention_days": -1.0}, {"profiles": ProfileSettings(retention_days=0)}):
        with pytest.raises(SettingsError, match="retention_days: must be more than 0"):
            make_settings(given={"accept_any_key": True, **wrong})
