"""What the collector adds to an event: times, ids, address.

Source: the tracking API's four timestamps; ``timestamp = receivedAt - (sentAt - originalTimestamp)`` corrects a
visitor's wrong clock, since the difference of two times of one clock is right even where the clock is not.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from satsuma.arguments import id_text
from satsuma.clock import iso_time

Event = dict[str, Any]

EARLIEST, LATEST = -62_135_596_800_000, 253_402_300_799_999
"""The years 1 and 9999: a time of a far time zone may lie beyond them in UTC, and can't be told."""

CANONICAL = len("2020-04-23T22:38:48.550Z")

IDS = ("userId", "anonymousId", "groupId", "previousId")


@dataclass(slots=True)
class Arrival:
    """How a request came in.

    Attributes:
        at: milliseconds since 1970.
        ip: the visitor's address, None where it isn't known.
        user_agent: of the request's header.
        sent_at: the batch's, as it came.
        context, integrations: the batch's.
        keep_timestamp: take timestamps as they are, as an import of history wants.
        received_at: `at` as text.
    """

    at: float
    ip: str | None = None
    user_agent: str | None = None
    sent_at: Any = None
    context: Mapping[str, Any] | None = None
    integrations: Mapping[str, Any] | None = None
    keep_timestamp: bool = False
    received_at: str = field(init=False)

    def __post_init__(self) -> None:
        self.received_at = iso_time(self.at)


def stamp(event: Event, arrival: Arrival) -> Event:
    """Return the event as the log keeps it."""
    for name in IDS:
        value = event.get(name)
        if value is not None and type(value) is not str:
            event[name] = id_text(value)
    event["userId"] = event.get("userId") or None
    event["anonymousId"] = event.get("anonymousId") or None
    event["messageId"] = event.get("messageId") or f"satsuma-{os.urandom(16).hex()}"
    event["context"] = _context(event.get("context"), arrival)
    if arrival.integrations:
        event["integrations"] = {**arrival.integrations, **(event.get("integrations") or {})}
    _stamp_times(event, arrival)
    return event


def _context(given: Event | None, arrival: Arrival) -> Event:
    context = {**arrival.context, **(given or {})} if arrival.context else given or {}
    if arrival.ip is not None:
        context.setdefault("ip", arrival.ip)
    if arrival.user_agent is not None:
        context.setdefault("userAgent", arrival.user_agent)
    return context


def _stamp_times(event: Event, arrival: Arrival) -> None:
    given = event.get("timestamp")
    original = parse_time(given)
    if original is None:
        given = event.get("originalTimestamp")
        original = parse_time(given)
    sent = event.get("sentAt")
    sent_at = parse_time(sent)
    if sent_at is None:
        sent = arrival.sent_at
        sent_at = parse_time(sent)
    if original is None:
        given, original = (sent, sent_at) if sent_at is not None else (None, arrival.at)
    if sent_at is None:
        sent, sent_at = None, arrival.at
    # A clock set back between call and sending would give an event from the future; one that says the year 9999, an
    # event from before the calendar.
    age = min(max(0.0, sent_at - original), arrival.at)
    event["originalTimestamp"] = _text(given, original)
    event["sentAt"] = _text(sent, sent_at)
    event["receivedAt"] = arrival.received_at
    if arrival.keep_timestamp:
        event["timestamp"] = event["originalTimestamp"]
    else:
        event["timestamp"] = arrival.received_at if age == 0 else iso_time(arrival.at - age)


def _text(given: object, milliseconds: float) -> str:
    """Return a time as text; what came in that very form stays as it is."""
    if isinstance(given, str) and len(given) == CANONICAL and given[10] == "T" and given[-1] == "Z":
        return given
    return iso_time(milliseconds)


def parse_time(value: object) -> float | None:
    """Return milliseconds since 1970 of an ISO 8601 text or a number of milliseconds; None for anything else."""
    milliseconds = _milliseconds(value)
    return milliseconds if milliseconds is not None and EARLIEST <= milliseconds <= LATEST else None


def _milliseconds(value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000
