"""Somebody with the public write key tries to change the tables that others' questions rely on."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from attack.conftest import TOKEN, wait_until
from satsuma_server.cli import app
from satsuma_server.errors import BadRequestError, SettingsError
from satsuma_server.log import Arrivals
from satsuma_server.log.shared import SharedLog
from satsuma_server.log.sqlite import SqliteLog
from satsuma_server.settings import NewNameSettings, Settings, Source, WarehouseSettings, make_settings
from satsuma_server.testing import running
from satsuma_server.warehouse import Notice, Status
from satsuma_server.warehouse.projection import WarehouseProjection
from typer.testing import CliRunner, Result
from warehouse.made import event

PLAN = """
[track."Order Completed".properties]
total = {type = "number"}
quantity = {type = ["integer", "null"]}
coupon = {type = "string"}
gift = {type = "boolean"}
either = {type = ["string", "integer"]}
address = {type = "object", properties = {floor = {type = "integer"}}}

[identify.properties]
age = {type = "integer"}
"""
TYPES = {
    "total": "DOUBLE",
    "quantity": "BIGINT",
    "coupon": "VARCHAR",
    "gift": "BOOLEAN",
    "address_floor": "BIGINT",
}
ORDER = {"total": 99, "quantity": 2, "coupon": "X1", "gift": True, "address": {"floor": 3}}
FORGED: list[dict[str, Any]] = [
    {"total": "x", "quantity": "x", "gift": "x", "address": {"floor": "x"}},
    {"total": [1], "quantity": 1.5, "coupon": 5, "gift": 1, "address": {"floor": True}},
    {"total": True, "quantity": 1 << 70, "gift": None, "address": "none"},
    {"total": (1 << 53) + 1, "quantity": 1e300},
]


def orders(*properties: dict[str, Any], start: int = 1) -> list[dict[str, Any]]:
    return [event(seq, event="Order Completed", properties=one) for seq, one in enumerate(properties, start)]


class Tables:
    """The tables of a collector's folder, with its settings."""

    def __init__(self, data: Path, **more: Any) -> None:
        self.settings = Settings(data, accept_any_key=True, **more)

    def load(self, *events: dict[str, Any], source: str = "shop") -> None:
        async def work() -> None:
            log = SqliteLog(self.settings.data)
            bodies = [json.dumps(one).encode() for one in events]
            await log.append(Arrivals(source, 1.0, [one["messageId"] for one in events], bodies))
            await log.close()

        asyncio.run(work())
        self.ask("SELECT 1")

    def ask(self, sql: str) -> list[Any]:
        async def work(warehouse: WarehouseProjection) -> list[Any]:
            return (await warehouse.query(sql)).rows

        return self.do(work)

    def status(self) -> Status:
        return self.do(WarehouseProjection.status)

    def rebuild(self) -> None:
        self.do(WarehouseProjection.rebuild)

    def do(self, work: Any) -> Any:
        async def run() -> Any:
            log = SharedLog(self.settings.data)
            warehouse = WarehouseProjection(self.settings, log)
            try:
                await warehouse.load_all()
                done = await work(warehouse)
                await warehouse.load_all()
                return done
            finally:
                await warehouse.stop()
                await log.close()

        return asyncio.run(run())

    def types(self, table: str) -> dict[str, str]:
        found = self.ask(f"""SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name = 'shop'
            AND table_name = '{table}' AND column_name NOT LIKE '%\\_at' ESCAPE '\\'""")
        return dict(found)


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.toml"
    path.write_text(PLAN)
    return path


def test_no_event_changes_a_type_that_the_plan_says(tmp_path: Path, plan: Path) -> None:
    tables = Tables(tmp_path, plan=plan)
    tables.load(*orders(*FORGED, ORDER))
    assert TYPES.items() <= tables.types("order_completed").items()
    assert tables.ask("SELECT total, quantity, coupon, gift, address_floor FROM shop.order_completed ORDER BY seq") == [
        [None, None, None, None, None],
        [None, None, "5", None, None],
        [None, None, None, None, None],
        [None, None, None, None, None],
        [99.0, 2, "X1", True, 3],
    ]
    rest = [json.loads(one or "{}") for [one] in tables.ask("SELECT _rest FROM shop.order_completed ORDER BY seq")]
    assert rest[0] == {"total": "x", "quantity": "x", "gift": "x", "address_floor": "x"}
    assert rest[1] == {"total": "[1]", "quantity": 1.5, "gift": 1, "address_floor": True}
    assert (rest[2]["total"], rest[2]["quantity"]) == (True, str(1 << 70))
    assert rest[3] == {"total": (1 << 53) + 1, "quantity": 1e300}
    assert rest[4] == {}
    [notice] = [one for one in tables.status().notices if one.name == "total"]
    assert notice == Notice("shop.order_completed", "types", "total", notice.count)
    before = tables.ask("SELECT * EXCLUDE uuid_ts FROM shop.order_completed ORDER BY seq")
    tables.rebuild()
    assert tables.ask("SELECT * EXCLUDE uuid_ts FROM shop.order_completed ORDER BY seq") == before


def test_nor_does_it_in_the_latest_values(tmp_path: Path, plan: Path) -> None:
    tables = Tables(tmp_path, sources=(Source("shop", plan=str(plan)),))
    tables.load(
        event(1, "identify", userId="ann", traits={"age": 41}), event(2, "identify", userId="ann", traits={"age": "x"})
    )
    assert tables.types("users")["age"] == tables.types("identifies")["age"] == "BIGINT"
    assert tables.ask("SELECT age FROM shop.users") == [[41]]


def test_types_can_be_pinned_by_hand(tmp_path: Path) -> None:
    types: Any = {"order_completed.total": "number", "shop.order_completed.total": "integer", "pages.size": "text"}
    tables = Tables(tmp_path, warehouse=WarehouseSettings(types=types))
    tables.load(*orders({"total": "x"}, {"total": 5.0}), event(3, "page", properties={"size": 3}))
    tables.load(event(4, event="Order Completed", properties={"total": 5}), source="blog")
    assert tables.ask("SELECT total FROM shop.order_completed ORDER BY seq") == [[None], [5]]
    assert tables.types("order_completed")["total"] == "BIGINT"
    assert tables.types("pages")["size"] == "VARCHAR"
    assert tables.ask("SELECT typeof(total) FROM blog.order_completed") == [["DOUBLE"]]


def test_a_type_that_was_changed_before_comes_right_by_a_rebuild(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    tables.load(*orders({"total": 5}, {"total": "x"}))
    assert tables.types("order_completed")["total"] == "VARCHAR"
    tables = Tables(tmp_path, warehouse=WarehouseSettings(types={"order_completed.total": "number"}))
    tables.load(*orders({"total": 7}, start=3))
    assert [(one.what, one.name) for one in tables.status().notices] == [("pinned", "total")]
    assert tables.types("order_completed")["total"] == "VARCHAR"
    tables.rebuild()
    assert tables.types("order_completed")["total"] == "DOUBLE"
    assert tables.ask("SELECT total, _rest FROM shop.order_completed ORDER BY seq") == [
        [5.0, None], [None, '{"total":"x"}'], [7.0, None],
    ]  # fmt: skip
    assert [(one.what, one.name) for one in tables.status().notices] == [("types", "total")]


@pytest.mark.parametrize("name", ["total", "a.b.c.d", "a..b"])
def test_a_name_that_is_no_columns_is_told(tmp_path: Path, name: str) -> None:
    file = tmp_path / "satsuma.toml"
    file.write_text(f'[warehouse.types]\n"{name}" = "number"\n')
    with pytest.raises(SettingsError, match=r"table\.column"):
        make_settings(file, {"data": tmp_path})


JUNK = [{f"junk_{number}_{seq}": 1 for number in range(100)} for seq in range(6)]
HOUR = timedelta(hours=1)


def later(events: list[dict[str, Any]], hours: float) -> list[dict[str, Any]]:
    """Return events as if they had been received so many hours later."""
    return [
        {**one, "receivedAt": (datetime.fromisoformat(one["receivedAt"]) + hours * HOUR).isoformat()} for one in events
    ]


def columns(tables: Tables, table: str) -> set[str]:
    return {name for name in tables.types(table) if not name.startswith("context_")}


def test_600_names_do_not_fill_a_table(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    tables.load(*orders({"total": 1}, *JUNK, {"total": 2, "coupon": "X"}))
    assert len([name for name in columns(tables, "order_completed") if name.startswith("junk_")]) == 199
    rest = [json.loads(one or "{}") for [one] in tables.ask("SELECT _rest FROM shop.order_completed ORDER BY seq")]
    assert [len(one) for one in rest] == [0, 0, 1, 100, 100, 100, 100, 1]
    status = tables.status()
    assert (len(status.held), "shop.order_completed.coupon" in status.held) == (402, True)
    assert [one.what for one in status.notices] == ["held"]
    # Some hours later new names may come again, and the attack has left room for them.
    tables.load(*later(orders({"size": "s"}, start=9), 5))
    assert "size" in columns(tables, "order_completed")


def test_what_is_held_can_be_allowed_and_dropped(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    tables.load(*orders({"total": 1}, *JUNK, {"total": 2, "coupon": "X"}))
    tables.do(lambda warehouse: warehouse.allow("shop.order_completed.coupon"))
    tables.load(*orders({"coupon": "Y"}, start=9))
    assert tables.ask("SELECT coupon FROM shop.order_completed ORDER BY seq")[-2:] == [[None], ["Y"]]
    tables.do(lambda warehouse: warehouse.drop("shop.order_completed.junk_0_0"))
    tables.load(*orders({"junk_0_0": 5}, start=10))
    assert "junk_0_0" not in columns(tables, "order_completed")
    before = columns(tables, "order_completed")
    tables.rebuild()
    after = columns(tables, "order_completed")
    # The dropped name no longer counts, so another has come in its place.
    assert (before - after, len(after - before), "junk_0_0" in after) == (set(), 1, False)
    assert tables.ask("SELECT coupon FROM shop.order_completed ORDER BY seq")[-3:] == [["X"], ["Y"], [None]]
    [[rest]] = tables.ask("SELECT _rest FROM shop.order_completed ORDER BY seq DESC LIMIT 1")
    assert json.loads(rest) == {"junk_0_0": 5}
    tables.do(lambda warehouse: warehouse.allow("shop"))
    assert tables.status().held == []


def test_1000_events_do_not_use_up_the_tables(tmp_path: Path) -> None:
    tables = Tables(tmp_path, warehouse=WarehouseSettings(new_names=NewNameSettings(at_once=20, an_hour=20)))
    tables.load(*[event(seq, event=f"Junk {seq}", properties={"a": 1}) for seq in range(1, 101)], event(101))
    found = {name for [name] in tables.ask("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'shop'")}
    assert len(found) == 21  # With `tracks`.
    assert tables.ask("SELECT count(*) FROM shop.tracks") == [[101]]
    assert "shop.tried" in tables.status().held
    tables.do(lambda warehouse: warehouse.allow("shop.tried"))
    tables.do(lambda warehouse: warehouse.drop("shop.junk_1"))
    tables.load(event(102), event(103, event="Junk 1", properties={"a": 2}))
    assert tables.ask("SELECT seq FROM shop.tried") == [[102]]
    assert tables.ask("SELECT _rest FROM shop.tracks WHERE seq = 103") == [['{"properties":{"a":2}}']]
    tables.rebuild()
    assert tables.ask("SELECT seq FROM shop.tried ORDER BY seq") == [[101], [102]]
    assert tables.ask("SELECT * FROM duckdb_tables() WHERE table_name = 'junk_1'") == []


def test_what_a_plan_names_is_never_held(tmp_path: Path, plan: Path) -> None:
    tables = Tables(tmp_path, plan=plan, warehouse=WarehouseSettings(new_names=NewNameSettings(at_once=1, an_hour=1)))
    tables.load(event(1, event="Junk", properties={"a": 1, "b": 1}), *orders(ORDER | {"either": 1, "c": 1}, start=2))
    assert {*TYPES, "either"} <= columns(tables, "order_completed")
    assert tables.status().held == ["shop.junk.b"]


def test_a_dropped_trait_goes_from_the_users_too(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    tables.load(event(1, "identify", userId="ann", traits={"plan": "free", "junk": 1}))
    tables.do(lambda warehouse: warehouse.drop("shop.identifies.junk"))
    tables.load(event(2, "identify", userId="ann", traits={"plan": "pro", "junk": 2}))
    assert tables.ask("SELECT plan FROM shop.users") == [["pro"]]
    assert "junk" not in columns(tables, "users") | columns(tables, "identifies")


@pytest.mark.parametrize(
    "name",
    ["shop", "", "a.b.c.d", "shop.tracks", "shop.tracks.id", "shop.users.plan", "shop.none", "shop.tried.none",
     '_satsuma.state', 'shop.tried"; DROP TABLE shop.tracks; --'],
)  # fmt: skip
def test_what_every_source_has_can_not_be_dropped(tmp_path: Path, name: str) -> None:
    tables = Tables(tmp_path)
    tables.load(event(1), event(2, "identify", userId="ann", traits={"plan": "free"}))
    with pytest.raises(BadRequestError):
        tables.do(lambda warehouse: warehouse.drop(name))
    assert tables.ask("SELECT count(*) FROM shop.tracks") == [[1]]


def test_names_are_dropped_by_the_command(tmp_path: Path) -> None:
    def drop(name: str) -> Result:
        given = ["--url", collector.url, "--token", collector.token]
        return CliRunner().invoke(app, ["warehouse", "drop", name, *given])

    with (
        running(tmp_path, worker=True) as collector,
        httpx.Client(base_url=collector.url, headers=TOKEN, trust_env=False, timeout=60) as client,
    ):
        batch = [{"type": "track", "event": "Junk", "anonymousId": "a"}]
        client.post("/v1/batch", json={"batch": batch, "writeKey": "shop"}).raise_for_status()
        wait_until(lambda: client.get("/v1/worker").status_code == 200, "the worker")
        client.post("/v1/warehouse/load").raise_for_status()
        told = drop("shop.junk")
        assert told.exit_code == 0, told.output
        assert "junk" not in client.get("/v1/warehouse/tables").text
        told = drop("shop.junk2")
        assert (told.exit_code, "no table" in told.output) == (1, True)
