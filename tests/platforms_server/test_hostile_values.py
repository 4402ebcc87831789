"""Values that no event can hold: its event goes without them, at little cost, and the app hears which they were."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from satsuma.json_values import DEEPEST, MOST_CHARACTERS, MOST_NODES, PlainCopy, is_bounded
from satsuma.omissions import Omissions
from satsuma.platforms.cpython.event_text import to_text
from satsuma.platforms.server import Client
from satsuma.platforms.server.messages import make_event
from satsuma.validation import MAX_EVENT_BYTES
from wire import Wire


def graph(size: int) -> dict[str, Any]:
    """Return the first of some orders, each of which has all products, which have all orders: endlessly many paths."""
    orders: list[dict[str, Any]] = [{"id": f"order {number}"} for number in range(size)]
    products: list[dict[str, Any]] = [{"id": f"product {number}", "orders": list(orders)} for number in range(size)]
    for order in orders:
        order["products"] = list(products)
    return orders[0]


def doubled(levels: int) -> dict[str, Any]:
    """Return an object without any cycle that is written 2 ** levels times as large as its last one."""
    value: dict[str, Any] = {"leaf": 1}
    for _ in range(levels):
        value = {"left": value, "right": value}
    return value


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"in": value}
    return value


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("no")


class Endless(Mapping[str, Any]):
    def __getitem__(self, name: str) -> Any:
        return name

    def __iter__(self) -> Iterator[str]:
        number = 0
        while True:
            yield f"n{(number := number + 1)}"

    def __len__(self) -> int:
        return 2**40


class Onion:
    """Looks like one of numpy's numbers, and holds another one."""

    def tolist(self) -> Any:
        return [Onion()]


class Broken(dict[str, Any]):
    def items(self) -> Any:
        raise KeyError("broken")


class Unnameable:
    def __str__(self) -> str:
        raise RuntimeError("no")

    def __hash__(self) -> int:
        return 1


class Huge:
    size = 10**12

    def tolist(self) -> Any:
        raise MemoryError


HOSTILE: dict[str, Any] = {
    "orders and products": graph(6),
    "more of them": graph(200),
    "shared by all": doubled(100),
    "deep": nested(1000),
    "deep beyond the interpreter's stack": nested(100_000),
    "a long text": "x" * 40_000,
    "a very long text": "x" * 50_000_000,
    "many items": list(range(1_000_000)),
    "many members": {str(number): number for number in range(200_000)},
    "many long texts": ["y" * 1000] * 1000,
    "a long name": {"n" * 200_000: 1},
    "letters of four bytes": ["🍊" * 4000] * 4,
    "a large set": set(range(100_000)),
    "unprintable": Unprintable(),
    "endless": Endless(),
    "onion": Onion(),
    "broken": Broken(a=1),
    "unnameable": {Unnameable(): 1},
    "a long number": 10**10_000,
    "a huge array": Huge(),
    "a namespace": SimpleNamespace(inner=Unprintable()),
    "raising in a list": [1, Unprintable(), 2],
}


@contextmanager
def counted(most: int) -> Iterator[None]:
    """Hold the work of a block to some number of Python's calls, whatever the machine's pace."""
    calls = 0

    def count(*_: Any) -> None:
        nonlocal calls
        calls += 1
        if calls > most:
            sys.setprofile(None)
            raise AssertionError(f"more than {most} calls")

    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(None)


@pytest.mark.parametrize("name", HOSTILE)
def test_an_event_goes_without_what_is_too_much(name: str, wire: Wire) -> None:
    told: list[Exception] = []
    with Client("demo", "http://x.test", transport=wire, on_error=lambda error, _: told.append(error)) as client:
        client.track("u1", "Ordered", {"before": 1, "bad": HOSTILE[name], "after": 2})
        assert client.flush()
    [event] = wire.kept
    assert (event["userId"], event["event"]) == ("u1", "Ordered")
    assert (event["properties"]["before"], event["properties"]["after"]) == (1, 2)
    assert len(json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()) <= MAX_EVENT_BYTES
    if name == "a namespace":
        return
    [error] = told
    assert ".properties.bad" in str(error)


@pytest.mark.parametrize("place", ["context", "integrations", "traits"])
def test_wherever_it_is(place: str, wire: Wire) -> None:
    given = {"bad": graph(6), "good": 1}
    with Client("demo", "http://x.test", transport=wire) as client:
        others = {} if place == "traits" else {place: given}
        client.identify("u1", given if place == "traits" else {"plan": "pips"}, **others)
        assert client.flush()
    [event] = wire.kept
    assert event[place]["good"] == 1


@pytest.mark.parametrize("name", ["orders and products", "more of them", "shared by all", "many items", "endless"])
def test_the_work_is_bounded_before_it_is_done(name: str) -> None:
    event = make_event("track", {"event": "E", "properties": {"bad": HOSTILE[name]}}, user_id="u1")
    with counted(40 * MOST_NODES):
        text = to_text(event)
    assert len(text) <= MAX_EVENT_BYTES


def test_what_several_places_share_is_written_for_each() -> None:
    address = {"street": "6th Street", "geo": {"lat": 1.5}}
    event = make_event("track", {"event": "E", "properties": {"bill": address, "ship": address, "loop": graph(2)}})
    kept = json.loads(to_text(event, omissions := Omissions()))["properties"]
    assert kept["bill"] == kept["ship"] == address
    first = kept["loop"]
    assert first["id"] == "order 0"
    assert [product["id"] for product in first["products"]] == ["product 0", "product 1"]
    assert "holds itself" in str(omissions)


def test_a_graph_keeps_what_can_be_told_of_it() -> None:
    event = make_event("track", {"event": "E", "properties": {"order": graph(5), "total": 5}}, user_id="u1")
    kept = json.loads(to_text(event))["properties"]
    assert kept["total"] == 5
    assert kept["order"]["id"] == "order 0"


def test_only_what_is_small_and_made_of_jsons_types_is_taken_as_it_is() -> None:
    assert is_bounded({"a": [1, 2.5, None, True, "x", {"b": ()}]})
    assert not is_bounded({"a": {1}})
    assert not is_bounded({1: "a"})
    assert not is_bounded(nested(DEEPEST + 1))
    assert not is_bounded("x" * (MOST_CHARACTERS + 1))
    assert not is_bounded([0] * (MOST_NODES + 1))
    assert not is_bounded(graph(6))
    assert is_bounded([0] * MOST_NODES)


def test_many_omissions_are_told_in_one_short_line() -> None:
    PlainCopy(omissions := Omissions()).of({"list": [{"x" * 5000: Unprintable()}] * 7, "n": [Unprintable()] * 1000})
    assert omissions.count > 1000
    assert len(str(omissions)) < 1000
    assert str(omissions).endswith("more")
