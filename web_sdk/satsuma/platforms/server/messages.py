"""A call's keyword arguments become an event, as JSON, whatever Python's values they hold."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any
from uuid import UUID

from satsuma import __version__
from satsuma.arguments import id_text
from satsuma.clock import iso_time, read_time
from satsuma.errors import EventError
from satsuma.fitting import VITAL, fitted
from satsuma.json_values import MOST_NODES, PlainCopy, is_bounded
from satsuma.omissions import Omissions
from satsuma.payloads import well_formed_json
from satsuma.send_queue import Event
from satsuma.validation import MAX_EVENT_BYTES

from .ids import new_id

LIBRARY = {"name": "satsuma-python", "version": __version__}

Id = str | int | UUID
Time = datetime | str | float


def make_event(
    kind: str,
    fields: Mapping[str, Any],
    *,
    user_id: Id | None = None,
    anonymous_id: Id | None = None,
    context: Mapping[str, Any] | None = None,
    timestamp: Time | None = None,
    integrations: Mapping[str, Any] | None = None,
    message_id: str | None = None,
) -> Event:
    """Return an event in the tracking API's names.

    Args:
        kind: one of `satsuma.validation.EVENT_TYPES`.
        fields: the event's own; those that are None are left out.
        user_id, anonymous_id: who did it. Where neither is given the event gets an anonymousId of its own.
        timestamp: when, where it isn't now.
        message_id: for a call that may be made twice; the collector keeps it once.

    Raises:
        EventError: a value can't be used.
    """
    user, anonymous = id_of(user_id), id_of(anonymous_id)
    return {
        "timestamp": iso_time(time.time() * 1000) if timestamp is None else time_text(timestamp),
        "type": kind,
        **{name: value for name, value in fields.items() if value is not None},
        "context": {"library": LIBRARY, **object_of(context, "context")},
        "integrations": object_of(integrations, "integrations"),
        "messageId": str(message_id) if message_id else new_id(),
        "userId": user,
        "anonymousId": anonymous or (None if user else new_id()),
    }


def object_of(value: Mapping[str, Any] | None, name: str) -> dict[str, Any]:
    """Return a mapping as a dict, nothing as an empty one.

    Raises:
        EventError: it isn't a mapping.
    """
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


def id_of(value: Id | None) -> str | None:
    """Return an id as text, an empty one as None."""
    if value is None or type(value) is str:
        return value or None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return id_text(value)
    return str(value) or None


def to_text(event: Event, omissions: Omissions | None = None) -> str:
    """Return an event's JSON; values that JSON doesn't have become what comes nearest.

    Dates and times become ISO texts, Decimals numbers, UUIDs texts, sets lists, enums their values; NaN and infinity
    become null; everything else its ``str``. What holds itself, can't be read or is too much for an event is left out.

    Args:
        omissions: hears of what is left out.
    """
    omissions = Omissions() if omissions is None else omissions
    text = _plain_text(event)
    if text is None:
        # A NaN, a datetime, a key that isn't text, a cycle: rare, and costs more. Who did what comes first, for room.
        vital = {name: value for name, value in event.items() if name in VITAL}
        event = PlainCopy(omissions, _nearest).of({**vital, **event})
        text = well_formed_json(event)
    if len(text.encode()) > MAX_EVENT_BYTES:
        text = well_formed_json(fitted(event, omissions))
    return text


def _plain_text(event: Event) -> str | None:
    """Return the JSON of an event that is JSON already, and in bounds; None for another."""
    try:
        text = _encode(event) if is_bounded(event) else ""
        text.encode()
    except ValueError:
        return None
    return text or None


def _nearest(value: Any) -> Any:
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
