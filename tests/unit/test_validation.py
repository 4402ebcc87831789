"""The checks that page and collector share."""

from __future__ import annotations

from typing import Any

import pytest
from satsuma.errors import EventError
from satsuma.validation import EVENT_TYPES, check_event

GOOD: dict[str, Any] = {"type": "track", "event": "E", "anonymousId": "a"}


@pytest.mark.parametrize("kind", EVENT_TYPES)
def test_every_type_of_the_specification_is_accepted(kind: str) -> None:
    check_event({**GOOD, "type": kind, "userId": "u", "previousId": "p", "groupId": "g"})


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"type": None}, ".type"),
        ({"type": "purchase"}, ".type"),
        ({"anonymousId": None}, ".userId"),
        ({"anonymousId": ""}, ".userId"),
        ({"userId": {"a": 1}}, ".userId"),
        ({"userId": True}, ".userId"),
        ({"userId": "x" * 1025}, ".userId"),
        ({"event": ""}, ".event"),
        ({"event": 7}, ".event"),
        ({"messageId": 7}, ".messageId"),
        ({"properties": []}, ".properties"),
        ({"context": "x"}, ".context"),
        ({"type": "alias", "userId": "u"}, ".previousId"),
    ],
)
def test_a_fault_is_named_by_its_place(change: dict[str, Any], path: str) -> None:
    with pytest.raises(EventError) as caught:
        check_event({**GOOD, **change})
    assert caught.value.path == path
