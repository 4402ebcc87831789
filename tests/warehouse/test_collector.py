"""From an HTTP request to rows: the collector, its worker and the command, as an analyst uses them."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import Result
from satsuma_server.cli import app
from satsuma_server.testing import started
from typer.testing import CliRunner

TOKEN = "t"
HOSTILE = ["users; drop table users", "🎉", "e" * 300, "Users", "tracks", "1st", "Робот", "A\u0000B"]


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("collector")
    (folder / "satsuma.toml").write_text("accept_any_key = true\n[warehouse]\nseconds = 0.2\n")
    serve = ("serve", "--config", str(folder / "satsuma.toml"), "--token", TOKEN)
    with started(folder, *serve, env={"SATSUMA_WORKER": "1"}) as told:
        yield {**told, "data": folder / "data"}


def post(collector: dict[str, Any], *events: dict[str, Any], key: str) -> None:
    body = {"writeKey": key, "batch": [{"anonymousId": "a", **event} for event in events]}
    httpx.post(f"{collector['url']}/v1/batch", json=body, trust_env=False).raise_for_status()


def run(*args: str, url: str = "", token: str = TOKEN) -> Result:
    return CliRunner().invoke(app, [*args, *(["--url", url] if url else []), *(["--token", token] if token else [])])


def ask(collector: dict[str, Any], sql: str) -> list[list[Any]]:
    """Ask until the worker is there, for what the log has by now."""
    until = time.monotonic() + 90
    while True:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        body = {"query": sql, "fresh": True}
        answer = httpx.post(f"{collector['url']}/v1/sql", json=body, headers=headers, trust_env=False, timeout=30)
        if answer.status_code != 503 or time.monotonic() > until:
            assert answer.status_code == 200, answer.text
            rows: list[list[Any]] = answer.json()["rows"]
            return rows
        time.sleep(0.1)


def test_an_analyst_finds_in_sql_what_a_page_has_sent(collector: dict[str, Any]) -> None:
    post(
        collector,
        {"type": "identify", "userId": "97980cfea0067", "traits": {"plan": "premium", "address": {"city": "Brno"}}},
        {"type": "track", "userId": "97980cfea0067", "event": "Signed Up", "properties": {"price": 3.5, "x": [1]}},
        key="analyst",
    )
    until = time.monotonic() + 90
    sql = "SELECT u.id, plan, address_city, price, x FROM analyst.users u JOIN analyst.signed_up s ON s.user_id = u.id"
    while True:
        done = run("sql", sql, "--csv", url=collector["url"])
        if len(done.stdout.splitlines()) > 1 or time.monotonic() > until:
            break
        time.sleep(0.1)
    assert list(csv.reader(io.StringIO(done.stdout))) == [
        ["id", "plan", "address_city", "price", "x"],
        ["97980cfea0067", "premium", "Brno", "3.5", "[1]"],
    ]
    shown = run("sql", sql, url=collector["url"]).stdout
    assert "address_city" in shown
    assert "Brno" in shown
    assert json.loads(run("sql", sql, "--json", url=collector["url"]).stdout)["price"] == 3.5


def test_hostile_names_are_only_names(collector: dict[str, Any]) -> None:
    post(
        collector,
        *[{"type": "track", "event": name, "properties": {name: number}} for number, name in enumerate(HOSTILE)],
        {"type": "identify", "userId": "u", "traits": {'"; DROP SCHEMA hostile; --': 1, "id": "x"}},
        key="hostile",
    )
    tables = [
        name for (name,) in ask(collector, "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'hostile'")
    ]
    assert {"users_drop_table_users", "_users", "_tracks", "_1st", "a_b", "identifies", "users", "tracks"} <= set(
        tables
    )
    assert len(tables) == len(HOSTILE) + 3
    found = ask(collector, "SELECT event_text FROM hostile.tracks ORDER BY seq")
    assert [text for (text,) in found] == HOSTILE
    assert ask(collector, "SELECT id, drop_schema_hostile, _id FROM hostile.users") == [["u", 1, "x"]]


def test_only_the_token_opens_it(collector: dict[str, Any]) -> None:
    ask(collector, "SELECT 1")
    for method, path in [("POST", "/v1/sql"), ("GET", "/v1/warehouse"), ("GET", "/v1/warehouse/tables"),
                         ("GET", "/v1/warehouse/tables/a/b"), ("POST", "/v1/warehouse/rebuild"),
                         ("POST", "/v1/warehouse/load")]:  # fmt: skip
        assert httpx.request(method, f"{collector['url']}{path}", trust_env=False).status_code == 401
    assert "token" in run("sql", "SELECT 1", url=collector["url"], token="wrong").stderr


def test_mistakes_are_told_in_one_line(collector: dict[str, Any]) -> None:
    ask(collector, "SELECT 1")
    for sql, told in [("SELECT x FROM nowhere", "nowhere"), ("DROP TABLE x", "only SELECT")]:
        done = run("sql", sql, url=collector["url"])
        assert done.exit_code == 1
        assert told in done.stderr
        assert "Traceback" not in done.stderr
    done = run("sql", "SELECT 1", "--data", str(collector["data"]), token="")
    assert "--token" in done.stderr


def test_a_rebuild_gives_the_same_tables(collector: dict[str, Any]) -> None:
    mixed = [1, 2.5, "text", True, 2**60]
    for part in range(3):
        post(
            collector,
            *[
                {"type": kind, "event": f"E{number % 3}", "userId": f"u{number % 4}", "groupId": "g",
                 "previousId": "p", "properties": {"v": mixed[(part + number) % 5], f"c{number}": {"d": number}},
                 "traits": {"t": mixed[number % 5]}}
                for number, kind in enumerate(["track", "identify", "page", "screen", "group", "alias"] * 3)
            ],
            key="again",
        )  # fmt: skip
        ask(collector, "SELECT 1")

    def everything() -> dict[str, Any]:
        listed = ask(collector, "SELECT schema_name, table_name FROM duckdb_tables() WHERE schema_name = 'again'")
        return {
            f"{schema}.{table}": (
                ask(collector, f"DESCRIBE {schema}.{table}"),
                ask(collector, f"SELECT * EXCLUDE (uuid_ts) FROM {schema}.{table} ORDER BY ALL"),
            )
            for schema, table in listed
        }

    before = everything()
    assert len(before["again.tracks"][1]) == 9
    done = run("warehouse", "rebuild", url=collector["url"])
    assert done.exit_code == 0, done.stderr
    assert everything() == before
    status = run("warehouse", "status", url=collector["url"]).stdout
    assert "events behind the log" in status


def test_without_a_collector_the_folder_is_asked(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with started(tmp_path, "serve", "--accept-any-key", "--token", TOKEN, env={"SATSUMA_WORKER": "1"}) as told:
        post(told, {"type": "track", "event": "Late"}, key="demo")
        assert ask(told, "SELECT count(*) FROM demo.late") == [[1]]
        post(told, {"type": "track", "event": "Later"}, key="demo")
        told["process"].terminate()
        told["process"].wait(20)
    done = run("sql", "SELECT event FROM demo.late", "--data", str(data), "--json", token="")
    assert done.stdout == '{"event": "late"}\n'
    assert run("warehouse", "rebuild", "--data", str(data), token="").exit_code == 0
    done = run("sql", "SELECT event FROM demo.tracks ORDER BY seq", "--data", str(data), "--csv", token="")
    assert done.stdout.split() == ["event", "late", "later"]
    done = run("sql", "SELECT 1", "--data", str(tmp_path / "nowhere"), token="")
    assert "there is no warehouse" in done.stderr
