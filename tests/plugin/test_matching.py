"""What counts as the event that is waited for."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pytest_satsuma.matching import Wanted, differences, nearest, wanted

EVENT: dict[str, Any] = {
    "type": "track",
    "event": "Signed Up",
    "userId": "u1",
    "anonymousId": None,
    "properties": {"plan": "pips", "seats": 3, "gift": True, "lines": [{"sku": "a"}]},
}


@pytest.mark.parametrize(
    ("expected", "paths"),
    [
        ({"userId": "u1"}, []),
        ({"userId": ...}, []),
        ({"anonymousId": None}, []),
        ({"properties": {"plan": "pips"}}, []),
        ({"properties": {"plan": re.compile("^p"), "seats": int, "lines": [{"sku": "a"}]}}, []),
        ({"properties": {"seats": lambda seats: seats > 2}}, []),
        ({"userId": None}, [".userId"]),
        ({"properties": {"seats": "3", "plan": re.compile("^g")}}, [".properties.seats", ".properties.plan"]),
        ({"properties": {"gift": 1}}, [".properties.gift"]),
        ({"properties": {"absent": str}}, [".properties.absent"]),
        ({"properties": {"absent": None}}, [".properties.absent"]),
        ({"properties": {"lines": []}}, [".properties.lines"]),
        ({"traits": {"a": 1}}, [".traits"]),
    ],
)
def test_an_event_is_matched_by_what_it_must_hold(expected: dict[str, Any], paths: list[str]) -> None:
    assert [one.path for one in differences(expected, EVENT)] == paths


def test_a_name_is_a_tracks_unless_a_type_says_otherwise() -> None:
    page = {"type": "page", "name": "Signed Up"}
    assert Wanted("Signed Up").is_called(EVENT)
    assert not Wanted("Signed Up").is_called(page)
    assert Wanted("Signed Up", "page").is_called(page)
    assert wanted("page").is_called(page)
    assert not wanted("identify").is_called(page)
    assert Wanted().is_called(page)


def test_what_came_nearest_is_told_with_its_differences() -> None:
    wish = Wanted("Signed Up", fields={"userId": "u2", "properties": {"plan": "pips", "seats": 4}})
    other = {**EVENT, "userId": "u9", "properties": {}, "anonymousId": "a9"}
    told = nearest(wish, [other, EVENT])
    assert ".userId: expected 'u2', is 'u1'" in told
    assert ".properties.seats: expected 4, is 3" in told
    assert "plan" not in told
    assert "called so" in nearest(Wanted("Absent"), [EVENT])
    assert "track Signed Up (userId=u1)" in nearest(Wanted("Absent"), [EVENT])
