"""Somebody with the public write key tries to change the tables that others' questions rely on."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from satsuma_server.errors import SettingsError
from satsuma_server.log import Arrivals
from satsuma_server.log.shared import SharedLog
from satsuma_server.log.sqlite import SqliteLog
from satsuma_server.settings import Settings, Source, WarehouseSettings, make_settings
from satsuma_server.warehouse import Notice, Status
from satsuma_server.warehouse.projection import WarehouseProjection
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
