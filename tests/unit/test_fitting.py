"""An event that is too large goes without what is largest in it, and is small enough then."""

from __future__ import annotations

from typing import Any

import pytest
from satsuma.codec import to_json
from satsuma.fitting import fitted
from satsuma.omissions import Omissions

MANY = {f"k{number}": number for number in range(20)}


@pytest.mark.parametrize(
    "event",
    [
        {"type": "track", "properties": MANY, "context": MANY},
        {"type": "track", "properties": {"items": list(range(20))}, "context": {"items": ["text"] * 20}},
        {"type": "track", "properties": {"text": "x" * 200}, "context": {"inner": {"text": "y" * 200}}},
        {"type": "track", "properties": {}, "context": MANY, "integrations": {"All": True}},
    ],
    ids=["members", "items", "texts", "nothing to take"],
)
def test_it_fits_into_whatever_room_can_hold_the_rest_of_it(event: dict[str, Any]) -> None:
    whole = len(to_json(event))
    smallest = len(to_json(fitted(event, Omissions(), 0)))
    assert smallest < whole // 2
    for most in range(smallest, whole):
        omissions = Omissions()
        assert len(to_json(fitted(event, omissions, most))) <= most
        assert omissions


def test_what_is_large_in_several_objects_takes_none_of_their_neighbours_along() -> None:
    large = {"large": list(range(5000)), "small": 1}
    event = {
        "type": "track",
        "properties": large,
        "context": dict(large),
        "integrations": {"large": "x" * 20000} | large,
    }
    kept = fitted(event, Omissions(), 8000)
    assert len(to_json(kept)) <= 8000
    for name in ("properties", "context", "integrations"):
        assert kept[name]["small"] == 1
        assert kept[name]["large"][:100] == list(range(100))
