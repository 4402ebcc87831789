"""What a token gets that is limited to some sources: what belongs to them, and nothing of all others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from attack.conftest import TOKEN, wait_until
from satsuma_server.access import Scope, Tokens
from satsuma_server.access.routes import ROUTES
from satsuma_server.access.token_file import TokenFile
from satsuma_server.cli import app
from satsuma_server.errors import TokenError
from satsuma_server.identity.rules import ProfileSettings
from satsuma_server.testing import Collector, running
from typer.testing import CliRunner

BOTH = [Scope.READ_EVENTS, Scope.READ_PEOPLE]
PLAN = "[track.Ordered.properties]\nsize = {type = 'integer'}\n"


class Reader:
    """A client with a token for the source ``shop``, of a collector that also has the source ``blog``."""

    def __init__(self, collector: Collector, token: str, *, per_source: bool) -> None:
        self.url = collector.url
        self.per_source = per_source
        self.headers = {"Authorization": f"Bearer {token}"}

    def ask(self, path: str, method: str = "GET", **more: Any) -> httpx.Response:
        return httpx.request(method, f"{self.url}{path}", headers=self.headers, trust_env=False, timeout=60, **more)

    def sources(self, path: str) -> list[str]:
        return [json.loads(line).get("source") or json.loads(line)["writeKey"] for line in self.lines(path)]

    def lines(self, path: str) -> list[str]:
        answer = self.ask(path)
        assert answer.status_code == 200, answer.text
        return answer.text.splitlines()


@pytest.fixture(scope="module", params=[True, False], ids=["people by source", "people of all sources"])
def reader(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    folder = tmp_path_factory.mktemp("sources")
    (folder / "plan.toml").write_text(PLAN)
    data, profiles = folder / "data", ProfileSettings(per_source=request.param)
    with running(data, worker=True, profiles=profiles, plan=folder / "plan.toml") as collector:
        for key in ("blog", "shop", "blog", "shop"):
            name = {"userId": "ann", "anonymousId": f"device-{key}"}
            batch = [
                {"type": "identify", **name, "traits": {"told": key}},
                {"type": "track", "event": "Ordered", **name, "properties": {"size": key}},
                {"type": "track", **name},
            ]
            httpx.post(f"{collector.url}/v1/batch", json={"batch": batch, "writeKey": key}, trust_env=False)
        totals = f"{collector.url}/v1/profiles/totals"
        wait_until(lambda: httpx.get(totals, headers=TOKEN, trust_env=False).json().get("seq") == 8, "profiles")
        token = TokenFile(data).create("the shop's", BOTH, sources=["shop"])
        yield Reader(collector, token, per_source=request.param)


def test_it_reads_events_of_its_source_alone(reader: Reader) -> None:
    assert reader.sources("/v1/events") == ["shop"] * 4
    assert reader.sources("/v1/events?source=shop&type=track") == ["shop"] * 2
    assert reader.sources("/v1/refused") == ["shop"] * 2
    # A page that would have begun with others.
    assert reader.sources("/v1/refused?limit=1") == ["shop"]
    assert set(reader.sources("/v1/violations")) == {"shop"}
    for query in ("source=blog", "source=shop&source=blog", "source=blog&follow=1"):
        answer = reader.ask(f"/v1/events?{query}")
        assert (answer.status_code, "blog" in answer.text) == (403, True)
    with httpx.stream(
        "GET", f"{reader.url}/v1/events?follow=1&after=0", headers=reader.headers, trust_env=False, timeout=60
    ) as answer:
        lines = answer.iter_lines()
        assert [json.loads(next(lines))["writeKey"] for _ in range(4)] == ["shop"] * 4


def test_it_reads_people_where_each_source_has_its_own(reader: Reader) -> None:
    paths = ["/v1/profiles/user_id:ann", "/v1/profiles/user_id:ann/events", "/v1/people/user_id:ann/export"]
    for path in paths:
        answer = reader.ask(f"{path}?source=shop")
        if reader.per_source:
            assert answer.status_code == 200, answer.text
            assert "shop" in answer.text and "blog" not in answer.text
        else:
            assert answer.status_code == 403
            assert "is limited to the sources shop, and this is about all sources" in answer.text
        assert reader.ask(f"{path}?source=blog").status_code == 403
    # By its number, a profile may be of any source.
    for number in range(1, 9):
        assert reader.ask(f"/v1/profiles/profile:{number}?source=shop").status_code == 403
        assert reader.ask(f"/v1/people/profile:{number}/export?source=shop").status_code == 403


def test_nothing_else_opens(reader: Reader) -> None:
    values = {"person": "user_id:ann", "part": "events", "number": "1", "seq": "1", "schema": "shop", "table": "tracks"}
    for route in ROUTES:
        if route.by_source or route.path.startswith("/console"):
            continue
        path = re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], "x"), route.path)
        answer = reader.ask(f"{path}?source=shop", route.method, json={} if route.method == "POST" else None)
        assert answer.status_code == 403, (route, answer.text)
    for path in ("usage", "totals", "warnings", "merges", "merges/1"):
        assert reader.ask(f"/v1/profiles/{path}?source=shop").status_code == 403, path
    # Other spellings are no normal paths.
    for path in ("%75sage", "merges/"):
        assert reader.ask(f"/v1/profiles/{path}?source=shop").status_code in (400, 403, 404), path
    # It logs nobody in.
    told = reader.ask("/console/login", "POST", data={"token": reader.headers["Authorization"].partition(" ")[2]})
    assert (told.status_code, "the console shows all of them" in told.text) == (403, True)


def test_only_scopes_that_can_be_told_apart_are_limited(tmp_path: Path) -> None:
    file = TokenFile(tmp_path)
    for scope in {*Scope} - {*BOTH}:
        with pytest.raises(TokenError, match=f"can't have the scope {scope}"):
            file.create("x", [Scope.READ_EVENTS, scope], sources=["shop"])
    with pytest.raises(TokenError, match="not empty"):
        file.create("x", BOTH, sources=[""])
    # Also where somebody has written it into the file by hand.
    token = file.create("x", [*Scope])
    file.path.write_text(file.path.read_text().replace('"sources": []', '"sources": ["shop"]'))
    holder = Tokens(tmp_path, "t").holder(token)
    assert holder is not None
    assert [scope for scope in Scope if holder.may(scope)] == BOTH


def test_the_command_limits_and_lists(tmp_path: Path) -> None:
    def run(*args: str) -> str:
        done = CliRunner().invoke(app, ["token", *args, "--data", str(tmp_path)], terminal_width=200)
        assert done.exit_code == 0, done.output
        return done.output

    given = ("--scope", "read_events", "--source", "shop", "--source", "app")
    token = run("create", "theirs", *given).strip()
    run("create", "ours", "--scope", "read_events")
    holder = Tokens(tmp_path, "t").holder(token)
    assert holder is not None and holder.sources == {"shop", "app"}
    assert "shop, app" in " ".join(run("list").split())
    # A new secret of the same token has the same limits.
    again = Tokens(tmp_path, "t").holder(run("rotate", "theirs").strip())
    assert again is not None and again.sources == {"shop", "app"}
