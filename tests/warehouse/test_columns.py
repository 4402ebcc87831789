"""From events to columns: flattened, named, widened without loss, whatever was sent and in whatever portions."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from satsuma_server.warehouse.schema import catalog
from satsuma_server.warehouse.schema.column_types import ColumnType, text_of, widening
from warehouse.made import event, stored, warehouse

PLAIN = ["id", "anonymous_id", "user_id", "received_at", "sent_at", "original_timestamp", "timestamp", "seq"]


def properties(*given: dict[str, Any]) -> list[dict[str, Any]]:
    return [event(seq, properties=one) for seq, one in enumerate(given, 1)]


def test_objects_are_flattened_and_arrays_are_json(tmp_path: Path) -> None:
    with warehouse(tmp_path) as made:
        made.load(
            event(
                1,
                "identify",
                userId="u",
                traits={"address": {"city": "Brno", "geo": {"lat": 49.2}}, "tags": [1, {"a": "é"}], "gone": None},
                context={"page": {"url": "https://shop.example/"}, "userAgent": "Mozilla"},
            )
        )
        assert list(made.columns("demo", "identifies")) == [
            *PLAIN,
            "uuid_ts",
            "_rest",
            "context_user_agent",
            "context_page_url",
            "tags",
            "address_city",
            "address_geo_lat",
        ]
        assert made.ask("SELECT id, address_geo_lat, tags, context_page_url FROM demo.identifies") == [
            ("m1", 49.2, '[1,{"a":"é"}]', "https://shop.example/")
        ]
        assert made.ask("SELECT id, address_city FROM demo.users") == [("u", "Brno")]


def test_each_call_has_its_table(tmp_path: Path) -> None:
    with warehouse(tmp_path) as made:
        made.load(
            event(1, "identify", userId="u", traits={"plan": "free"}),
            event(2, event="Order Completed", properties={"total": 3}),
            event(3, "page", name="Home", category="Shop", properties={"name": "Home", "path": "/"}),
            event(4, "screen", name="Start"),
            event(5, "group", groupId="g", traits={"seats": 5}),
            event(6, "alias", userId="u", previousId="a"),
        )
        assert {name for name in made.everything() if name != "notices"} == {
            f"demo.{table}"
            for table in [
                "identifies",
                "users",
                "tracks",
                "order_completed",
                "pages",
                "screens",
                "groups",
                "accounts",
                "aliases",
            ]
        }
        assert made.ask("SELECT event, event_text FROM demo.tracks") == [("order_completed", "Order Completed")]
        assert made.ask("SELECT name, category, path FROM demo.pages") == [("Home", "Shop", "/")]
        assert "total" not in made.columns("demo", "tracks")
        assert made.ask("SELECT id, seats FROM demo.accounts") == [("g", 5)]
        assert made.ask("SELECT user_id, previous_id FROM demo.aliases") == [("u", "a")]


def test_every_source_has_a_schema(tmp_path: Path) -> None:
    with warehouse(tmp_path) as made:
        made.load(event(1, source="my-site"), event(2, source="My Site"), event(3, source="main"))
        assert made.ask("SELECT schema_name FROM duckdb_tables() WHERE table_name = 'tracks' ORDER BY 1") == [
            ("_main",),
            ("my_site",),
            ("my_site_2",),
        ]


def test_no_property_overwrites_what_every_event_has(tmp_path: Path) -> None:
    with warehouse(tmp_path) as made:
        made.load(event(1, properties={"id": "mine", "receivedAt": "never", "seq": 9, "event": "x", "uuid_ts": "y"}))
        assert made.ask("SELECT id, _id, _received_at, seq, _seq, event, _event, _uuid_ts FROM demo.tried") == [
            ("m1", "mine", "never", 1, 9, "tried", "x", "y")
        ]


def test_of_two_properties_with_one_name_none_is_lost(tmp_path: Path) -> None:
    with warehouse(tmp_path) as made:
        made.load(*properties({"orderId": 1}, {"order_id": 2}, {"orderId": 3, "order ID": 4, "order_id": 3}))
        assert made.ask("SELECT order_id, _rest FROM demo.tried ORDER BY seq") == [
            (1, None),
            (2, None),
            (3, '{"order ID":4}'),
        ]


VALUES = [True, 1, 2**53 + 1, 2**70, 3.5, 1e16, "text", "1"]
WIDER = {
    (1, 3.5): ("DOUBLE", [1.0, 3.5]),
    (2**53 + 1, 3.5): ("VARCHAR", ["9007199254740993", "3.5"]),
    (1, True): ("VARCHAR", ["1", "true"]),
    (1, "text"): ("VARCHAR", ["1", "text"]),
    (1, 2**70): ("VARCHAR", ["1", str(2**70)]),
    (1, 3.5, "text"): ("VARCHAR", ["1", "3.5", "text"]),
}


@pytest.mark.parametrize("values", WIDER)
@pytest.mark.parametrize("portions", ["one", "many"])
def test_columns_are_widened_without_loss_in_any_order(tmp_path: Path, values: tuple[Any, ...], portions: str) -> None:
    kind, kept = WIDER[values]
    for number, order in enumerate(permutations(range(len(values)))):
        with warehouse(tmp_path / str(number)) as made:
            events = properties(*[{"x": values[place]} for place in order])
            for part in [events] if portions == "one" else [[one] for one in events]:
                made.load(*part)
            assert made.columns("demo", "tried")["x"] == kind
            assert made.ask("SELECT x FROM demo.tried ORDER BY seq") == [(kept[place],) for place in order]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=50, max_size=200))
@settings(max_examples=10, deadline=None)
def test_a_number_has_one_text_whoever_writes_it(numbers: list[float]) -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT unnest(?::DOUBLE[]) AS x", [numbers])
        for statement in widening("t", "x", ColumnType.DOUBLE, ColumnType.TEXT):
            connection.execute(statement)
        found = connection.execute("FROM t").fetchall()
    assert [text for (text,) in found] == [text_of(number) for number in numbers]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(max_size=5), JSON, max_size=6)


@given(st.lists(st.tuples(st.sampled_from(["track", "identify", "page", "group"]), OBJECTS, OBJECTS), max_size=6))
# Not made smaller where it fails: that takes minutes.
@settings(max_examples=8, deadline=None, phases=[Phase.generate])
def test_whatever_comes_in_whatever_portions_gives_the_same_tables(
    tmp_path_factory: pytest.TempPathFactory, given: list[tuple[str, dict[str, Any], dict[str, Any]]]
) -> None:
    events = [
        event(seq, kind, userId="u", groupId="g", properties=own, traits=own, context=context, event="Tried")
        for seq, (kind, own, context) in enumerate(given, 1)
    ]
    found = []
    for portions in ([events], [[one] for one in events]):
        with warehouse(tmp_path_factory.mktemp("warehouse")) as made:
            for part in portions:
                made.loader.load(stored(part))
            found.append(made.everything())
    assert found[0] == found[1]


def test_objects_too_deep_are_json(tmp_path: Path) -> None:
    deep: Any = {"end": 1}
    for _ in range(50):
        deep = {"d": deep}
    with warehouse(tmp_path) as made:
        made.load(*properties({"deep": deep}))
        [(text,)] = made.ask("SELECT deep_d_d_d_d_d FROM demo.tried")
        assert text.count("{") == 46


def test_too_many_columns_go_into_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "MOST_COLUMNS", 15)
    many = [{f"p{number}": number for number in range(10)}, {"late": "x"}, {"p0": 7}]
    results = []
    for portions in ("one", "many"):
        with warehouse(tmp_path / portions) as made:
            events = properties(*many)
            for part in [events] if portions == "one" else [[one] for one in events]:
                made.load(*part)
            rows = made.ask("SELECT p0, p2, _rest FROM demo.tried ORDER BY seq")
            results.append(made.everything())
            notices = [(one.where, one.what, one.name, one.count) for one in made.loader.notices()]
    assert rows[0][:2] == (0, 2)
    assert json.loads(rows[0][2]) == {f"p{number}": number for number in range(3, 10)}
    assert rows[1:] == [(None, None, '{"late":"x"}'), (7, None, None)]
    assert notices == [("demo.tried", "columns", "p3", 2)]
    assert results[0] == results[1]


def test_too_many_event_names_are_in_tracks_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(catalog, "MOST_EVENT_TABLES", 3)
    with warehouse(tmp_path) as made:
        made.load(*[event(seq, event=f"E{seq}", properties={"n": {"x": seq}}) for seq in range(1, 6)])
        made.load(event(6, event="E1"), event(7, event="E7"))
        tables = made.ask("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'demo' ORDER BY 1")
        assert tables == [("e1",), ("e2",), ("e3",), ("tracks",)]
        assert made.ask("SELECT event_text, _rest FROM demo.tracks ORDER BY seq") == [
            ("E1", None),
            ("E2", None),
            ("E3", None),
            ("E4", '{"properties":{"n_x":4}}'),
            ("E5", '{"properties":{"n_x":5}}'),
            ("E1", None),
            ("E7", None),
        ]
        assert [(one.what, one.name, one.count) for one in made.loader.notices()] == [("events", "E4", 3)]
    assert "no room for more events" in caplog.text
    with warehouse(tmp_path) as made:
        assert [(one.what, one.name, one.count) for one in made.loader.notices()] == [("events", "E4", 3)]
