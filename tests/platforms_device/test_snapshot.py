"""A call is sent as it was made, whatever its values are and whatever the app does with them afterwards."""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from platforms_device.kiosk import MakeClient
from satsuma import PluginKind
from satsuma.platforms.cpython.ids import AT_ONCE, new_id
from wire import Wire

LARGEST = 32 * 1024
"""Bytes of the largest event that is sent."""


class Hanging:
    """A plugin that keeps the client's thread from making calls."""

    name, version = "Hanging", "1"
    kind = PluginKind.BEFORE

    def __init__(self) -> None:
        self.over = threading.Event()

    def track(self, context: Any) -> None:
        assert self.over.wait(60)


def test_what_the_app_changes_later_is_not_in_the_event(make: MakeClient, wire: Wire) -> None:
    client, hanging = make(), Hanging()
    client.register(hanging)
    cart: dict[str, Any] = {"items": [{"sku": "a"}], "by": ({"n": [1]},), "total": 1}
    client.track("Hang")
    client.track("Order", cart)
    cart["items"][0]["sku"] = "changed"
    cart["items"].append({"sku": "b"})
    cart["by"][0]["n"].append(2)
    cart.update(total=2, new=True)
    hanging.over.set()
    client.close(10)
    assert wire.kept[-1]["properties"] == {"items": [{"sku": "a"}], "by": [{"n": [1]}], "total": 1}


def holds_itself() -> dict[str, Any]:
    made: dict[str, Any] = {"n": 1}
    made["self"] = [made]
    return made


def squared() -> dict[str, Any]:
    row = list(range(2_000))
    return {"rows": [row] * 2_000}


def doubled() -> dict[str, Any]:
    made: list[Any] = [1]
    for _ in range(40):
        made = [made, made]
    return {"made": made}


def deep() -> dict[str, Any]:
    made: dict[str, Any] = {}
    for _ in range(500):
        made = {"below": made}
    return made


@pytest.mark.parametrize("make_value", [holds_itself, squared, doubled, deep])
def test_what_is_too_much_costs_the_event_nothing_else(
    make: MakeClient, wire: Wire, errors: list[Any], make_value: Any
) -> None:
    client = make()
    client.track("E", {"first": 1, **make_value()})
    client.track("Text", {"first": 1, "text": "x" * 3_000_000, "n" * 100_000: 1})
    client.close(10)
    assert [(event["event"], event["properties"]["first"]) for event in wire.kept] == [("E", 1), ("Text", 1)]
    assert all(len(json.dumps(event, separators=(",", ":"))) <= LARGEST for event in wire.kept)
    assert any("is sent without" in told for told, _ in errors)


def test_what_json_lacks_becomes_what_comes_nearest(make: MakeClient, wire: Wire) -> None:
    client = make()
    values = {"at": datetime(2026, 1, 2, tzinfo=UTC), "total": Decimal("12.5"), "pair": (1, {2}), 7: "seven"}
    client.track("E", values, integrations={"All": True}, timestamp=datetime(2026, 1, 2, tzinfo=UTC))  # type: ignore[arg-type]
    client.close(10)
    (event,) = wire.kept
    assert event["properties"] == {"at": "2026-01-02T00:00:00.000Z", "total": 12.5, "pair": [1, [2]], "7": "seven"}
    assert event["integrations"] == {"All": True}
    assert event["timestamp"] == "2026-01-02T00:00:00.000Z"


def test_a_name_that_is_no_text_is_read_in_an_object_of_json_alone(make: MakeClient, wire: Wire) -> None:
    client = make()
    client.track("E", {"by year": {2025: 1, 2026: [2]}})
    client.close(10)
    assert wire.kept[0]["properties"] == {"by year": {"2025": 1, "2026": [2]}}


def test_a_forked_process_has_ids_of_its_own() -> None:
    new_id()
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.write(writing, "\n".join(new_id() for _ in range(AT_ONCE)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        of_the_child = set(told.read().split())
    os.wait()
    assert len(of_the_child) == AT_ONCE
    assert not of_the_child & {new_id() for _ in range(AT_ONCE)}
