"""Checks whether an event is acceptable. The same checks run in the page and in the collector.

Source of the rules: analytics-core ``validation/assertions.ts`` (event name, properties and traits), the tracking
API's published limits (32 KB an event, 500 KB a batch), and the specification ("If you don't have a userId, you
need to include an anonymousId").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import EventError

EVENT_TYPES = ("identify", "track", "page", "screen", "group", "alias")
"""The calls that become events, in the specification's order of importance."""

MAX_EVENT_BYTES = 32 * 1024
"""The largest size of an event, in bytes of its JSON text."""

MAX_BATCH_BYTES = 500 * 1024
"""The largest body of a batch, in bytes of its JSON text after decompression."""

MAX_ID_LENGTH = 1024
"""The longest userId, anonymousId, groupId, previousId or messageId, in characters."""

IDENTIFIERS = ("userId", "anonymousId", "groupId", "previousId")


def check_event(event: Mapping[str, Any]) -> None:
    """Raise `EventError` unless `event` is acceptable.

    `event` is decoded JSON with the keys of the tracking API (camelCase). It is not changed. Ids that are numbers are
    accepted, since `identity` and the collector convert them into text.

    Raises:
        EventError: the event has a fault; the message names the first one.
    """
    _check_type(event.get("type"))
    _check_identity(event)
    _check_text(event, "messageId", required=False)
    _check_by_type(event)
    for name in ("context", "integrations", "properties", "traits"):
        value = event.get(name)
        # dict comes first, since isinstance with an abstract class takes longer than all other checks together.
        if value is not None and not isinstance(value, dict) and not isinstance(value, Mapping):
            raise EventError(f".{name}", "is not an object")


def _check_type(kind: object) -> None:
    if not isinstance(kind, str):
        raise EventError(".type", "is missing" if kind is None else "is not a string")
    if kind not in EVENT_TYPES:
        raise EventError(".type", f"is unknown: use one of {', '.join(EVENT_TYPES)}")


def _check_identity(event: Mapping[str, Any]) -> None:
    for name in IDENTIFIERS:
        value = event.get(name)
        if value is None:
            continue
        text = value if type(value) is str else _number_text(name, value)
        if len(text) > MAX_ID_LENGTH:
            raise EventError(f".{name}", f"is longer than {MAX_ID_LENGTH} characters")
    if event.get("userId") in (None, "") and event.get("anonymousId") in (None, ""):
        raise EventError(".userId", "and .anonymousId are both missing: give at least one of them")


def _number_text(name: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise EventError(f".{name}", "is not a string")
    return str(value)


def _check_by_type(event: Mapping[str, Any]) -> None:
    kind = event["type"]
    if kind == "track":
        _check_text(event, "event", required=True)
    elif kind == "alias":
        for name in ("userId", "previousId"):
            if event.get(name) in (None, ""):
                raise EventError(f".{name}", "is missing: an alias needs both userId and previousId")


def _check_text(event: Mapping[str, Any], name: str, *, required: bool) -> None:
    value = event.get(name)
    if value is None and not required:
        return
    if not isinstance(value, str) or (required and not value.strip()):
        raise EventError(f".{name}", "is missing" if value in (None, "") else "is not a string")
    if len(value) > MAX_ID_LENGTH:
        raise EventError(f".{name}", f"is longer than {MAX_ID_LENGTH} characters")


def as_mapping(value: object) -> dict[str, Any]:
    """Return a copy of a mapping; an empty one for any other value, such as a setting of a wrong type."""
    return dict(value) if isinstance(value, Mapping) else {}
