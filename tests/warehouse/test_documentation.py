"""Every query that the documentation shows is one that finds something."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from satsuma_server.warehouse.query.sql import Queries
from warehouse.made import Made, event, stored, warehouse

TEXT = (Path(__file__).parents[2] / "docs" / "warehouse.md").read_text()
QUERIES = re.findall(r"```sql\n(.*?)```", TEXT, re.DOTALL)
PAGE = {"page": {"url": "https://shop.example/?utm_source=letter"}}
JOE = {"userId": "97980cfea0067", "anonymousId": "a"}
TRAITS = {"name": "Joe", "email": "joe@shop.example", "plan": "free", "address": {"city": "Brno"}}
ORDER = {"orderId": 1, "order_id": 2, "total": 7.5, "products": [{"sku": "satsuma-1kg"}, {"sku": "satsuma-5kg"}]}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    events = [
        event(1, "page", context=PAGE),
        event(2, event="Product Viewed", properties={"sku": "satsuma-1kg"}),
        event(3, "identify", **JOE, traits=TRAITS),
        event(4, event="Signed Up", **JOE),
        event(5, event="Order Completed", **JOE, properties=ORDER),
        event(6, "identify", **JOE, traits={"plan": "premium"}),
    ]
    with warehouse(tmp_path_factory.mktemp("warehouse")) as made:
        made.loader.load(stored(events, "shop"))
        yield made


@pytest.mark.parametrize("sql", QUERIES, ids=range(len(QUERIES)))
def test_an_example_finds_something(made: Made, sql: str) -> None:
    rows = Queries(made.database, seconds=20).run(sql).rows
    assert rows
    assert all(value is not None for row in rows for value in row)


def test_the_funnel_follows_a_person_over_the_sign_up(made: Made) -> None:
    [funnel] = [sql for sql in QUERIES if "signed_up," in sql]
    assert Queries(made.database, seconds=20).run(funnel).rows == [[1, 1, 1]]
