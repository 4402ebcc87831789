"""Finds places in the log by time."""

from __future__ import annotations

import msgspec

from satsuma_server.times import parse_time

from . import ReadableLog, Stored


async def seq_at(log: ReadableLog, since: float, last: int) -> int:
    """Return the seq of the first event that was received at a time or later; the next seq where there is none.

    Events are in the order in which they were received, so that few of them have to be read.

    Args:
        since: milliseconds since 1970.
        last: seq of the newest event.
    """
    low, high = 1, last + 1
    while low < high:
        middle = (low + high) // 2
        found = await log.read(middle - 1, 1)
        # Erased events leave gaps: what is read may come after the middle.
        if not found or found[0].seq >= high or _received(found[0]) >= since:
            high = middle
        else:
            low = found[0].seq + 1
    return low


def _received(event: Stored) -> float:
    return parse_time(msgspec.json.decode(event.body).get("receivedAt")) or 0.0
