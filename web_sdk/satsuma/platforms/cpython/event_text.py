"""An event as JSON, whatever Python's values it holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any

from satsuma.clock import iso_time, read_time
from satsuma.codec import to_json
from satsuma.errors import EventError
from satsuma.fitting import VITAL, fitted
from satsuma.json_values import MOST_NODES, PlainCopy, is_bounded
from satsuma.omissions import Omissions
from satsuma.send_queue import Event
from satsuma.validation import MAX_EVENT_BYTES

Time = datetime | str | float


def object_of(value: Mapping[str, Any] | None, name: str) -> dict[str, Any]:
    """Return a mapping as a dict, nothing as an empty one.

    Raises:
        EventError: it isn't a mapping.
    """
    if type(value) is dict:  # By far the most, and told sooner than by asking for a Mapping.
        return value.copy()
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise EventError(f".{name}", "is not an object: give a dict")
    return dict(value)


def time_text(moment: Time) -> str:
    """Return a time as events have it.

    Args:
        moment: a datetime, which is local time where it has no zone, as everywhere in Python; or what
            `read_time` reads.

    Raises:
        EventError: it is no time.
    """
    try:
        return iso_time(moment.timestamp() * 1000) if isinstance(moment, datetime) else read_time(moment)
    except (TypeError, ValueError, OverflowError, OSError):
        raise EventError(".timestamp", "is no time: give a datetime, an ISO 8601 text or seconds since 1970") from None


def to_text(event: Event, omissions: Omissions | None = None) -> str:
    """Return an event's JSON, of at most `MAX_EVENT_BYTES`; values that JSON doesn't have become what comes nearest.

    Dates and times become ISO texts, Decimals numbers, UUIDs texts, sets lists, enums their values; NaN and infinity
    become null; everything else its ``str``. What holds itself, can't be read or is too much for an event is left out.

    Args:
        omissions: hears of what is left out.
    """
    omissions = Omissions() if omissions is None else omissions
    text = _plain_text(event)
    if text is None:
        # Who did what comes first, for room.
        vital = {name: value for name, value in event.items() if name in VITAL}
        event = PlainCopy(omissions, nearest_value).of({**vital, **event})
        text = to_json(event)
    if len(text.encode()) > MAX_EVENT_BYTES:
        text = to_json(fitted(event, omissions))
    return text


def _plain_text(value: Any) -> str | None:
    """Return the JSON of a value that is JSON already, and in bounds; None for another.

    A NaN, a datetime, a key that isn't text, a cycle are rare, and cost more.
    """
    try:
        text = _encode(value) if is_bounded(value) else ""
        text.encode()
    except ValueError:
        return None
    return text or None


def nearest_value(value: Any) -> Any:
    """Return what comes nearest to a value that JSON doesn't have."""
    if hasattr(value, "tolist"):
        # numpy's and pandas' numbers and arrays.
        _check_count(getattr(value, "size", 1))
        return value.tolist()
    for kinds, convert in _CONVERSIONS:
        if isinstance(value, kinds):
            return convert(value)
    return str(value)


def _sorted(values: AbstractSet[Any]) -> list[Any]:
    _check_count(len(values))
    return sorted(values, key=str)


def _check_count(count: int) -> None:
    if count > MOST_NODES:
        raise EventError("", f"has more than {MOST_NODES} items")


_CONVERSIONS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (datetime, time_text),
    (date, date.isoformat),
    (Enum, lambda value: value.value),
    (Decimal | Fraction, float),
    (AbstractSet, _sorted),
    (bytes | bytearray, lambda value: bytes(value).decode(errors="replace")),
)

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
