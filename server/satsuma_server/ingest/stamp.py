"""What the collector adds to an event: times, ids, address.

Source: the tracking API's four timestamps; ``timestamp = receivedAt - (sentAt - originalTimestamp)`` corrects a
visitor's wrong clock, since the difference of two times of one clock is right even where the clock is not.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from satsuma.arguments import id_text
from satsuma.clock import iso_time

Event = dict[str, Any]

IDS = ("userId", "anonymousId", "groupId", "previousId")


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a request came in.

    Attributes:
        at: milliseconds since 1970.
        ip: the visitor's address, None where it isn't known.
        user_agent: of the request's header.
        sent_at: the batch's, as it came.
        context: the batch's.
        keep_timestamp: take timestamps as they are, as an import of history wants.
    """

    at: float
    ip: str | None = None
    user_agent: str | None = None
    sent_at: Any = None
    context: Mapping[str, Any] | None = None
    keep_timestamp: bool = False


def stamp(event: Event, arrival: Arrival) -> Event:
    """Return the event as the log keeps it."""
    for name in IDS:
        if event.get(name) is not None:
            event[name] = id_text(event[name])
    event["userId"] = event.get("userId") or None
    event["anonymousId"] = event.get("anonymousId") or None
    event["messageId"] = event.get("messageId") or f"satsuma-{os.urandom(16).hex()}"
    event["context"] = _context(event.get("context"), arrival)
    _stamp_times(event, arrival)
    return event


def _context(given: Mapping[str, Any] | None, arrival: Arrival) -> dict[str, Any]:
    context = {**(arrival.context or {}), **(given or {})}
    if arrival.ip is not None:
        context.setdefault("ip", arrival.ip)
    if arrival.user_agent is not None:
        context.setdefault("userAgent", arrival.user_agent)
    return context


def _stamp_times(event: Event, arrival: Arrival) -> None:
    sent_at = parse_time(event.get("sentAt"))
    if sent_at is None:
        sent_at = parse_time(arrival.sent_at)
    original = parse_time(event.get("timestamp"))
    if original is None:
        original = parse_time(event.get("originalTimestamp"))
    if original is None:
        original = sent_at if sent_at is not None else arrival.at
    if sent_at is None:
        sent_at = arrival.at
    # A clock set back between call and sending would give an event from the future; one that says the year 9999, an
    # event from before the calendar.
    age = min(max(0.0, sent_at - original), arrival.at)
    event["originalTimestamp"] = iso_time(original)
    event["sentAt"] = iso_time(sent_at)
    event["receivedAt"] = iso_time(arrival.at)
    event["timestamp"] = iso_time(original if arrival.keep_timestamp else arrival.at - age)


def parse_time(value: object) -> float | None:
    """Return milliseconds since 1970 of an ISO 8601 text or a number of milliseconds; None for anything else."""
    if isinstance(value, bool):
        return None
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value / 1000, UTC).timestamp() * 1000
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000
    except (ValueError, OverflowError, OSError):
        return None
    return None
