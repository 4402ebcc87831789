"""A page of the log: what one request gets of it, and where the next one goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

from satsuma_server.log import ReadableLog, Stored

from .event_filter import EventFilter
from .event_rows import rows

MOST_SCANNED = 50_000
MOST_SCANNED_BYTES = 32 << 20
"""Most events, and bytes of them, that one request looks at, whatever it finds. A thousand events of 32 kB, the most
that a client may send, are less: they cut no page of the usual size short."""

PORTION, PORTION_BYTES = 5_000, 8 << 20
"""What is held in memory at once of events that a filter may leave out."""


class EventPage(NamedTuple):
    """What one request found.

    Attributes:
        lines: the events as NDJSON.
        next_after: seq of the last event that was looked at, and so the ``after`` of the next request.
    """

    lines: bytes
    next_after: int


async def read_page(log: ReadableLog, after: int, limit: int, wanted: EventFilter) -> EventPage:
    """Return at most `limit` of the events above the seq `after` that a filter takes, as far as one request may look.

    Raises:
        UnavailableError: the log can't be read.
    """
    found: list[bytes] = []
    scanned = size = count = 0
    while count < limit and scanned < MOST_SCANNED and size < MOST_SCANNED_BYTES:
        most = limit - count if wanted.takes_all else PORTION
        events = await log.read(after, min(most, MOST_SCANNED - scanned), min(PORTION_BYTES, MOST_SCANNED_BYTES - size))
        if not events:
            break
        taken, after, lines = await asyncio.to_thread(_take, events, limit - count, wanted)
        found.append(lines)
        count += taken
        scanned += len(events)
        size += sum(len(event.body) for event in events)
    return EventPage(b"".join(found), after)


async def follow(
    log: ReadableLog, after: int, wanted: EventFilter, is_allowed: Callable[[], bool]
) -> AsyncIterator[bytes]:
    """Yield the events above the seq `after` that a filter takes, as NDJSON, and go on as events come, until
    `is_allowed` returns false."""
    async for events in log.follow(after):
        if not is_allowed():
            return
        _, _, lines = await asyncio.to_thread(_take, events, len(events), wanted)
        if lines:
            yield lines


def _take(events: list[Stored], most: int, wanted: EventFilter) -> tuple[int, int, bytes]:
    """Return how many events were taken, seq of the last that was looked at, and the lines."""
    taken = events
    if not wanted.takes_all:
        taken = [event for event in events if wanted.takes(event)]
    last = events[-1].seq
    if len(taken) >= most:
        taken = taken[:most]
        last = taken[-1].seq
    return len(taken), last, b"".join(rows(taken))
