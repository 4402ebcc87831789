"""Counts events by time as they arrive."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence

from satsuma_server.log import Stored

from .presenters.feed_entry import Entry
from .store import HOUR, MINUTE, Store


async def count(store: Store, events: Sequence[Stored]) -> None:
    """Count events, each only once, however often it is handed over."""
    done = store.counted()
    counts: Counter[tuple[int, int, str, str]] = Counter()
    for entry in map(Entry.of, events):
        if entry.seq > done:
            seconds = int(entry.at / 1000)
            for width in (MINUTE, HOUR):
                counts[width, seconds - seconds % width, entry.source, entry.type] += 1
    if counts:
        await asyncio.to_thread(store.count, counts, events[-1].seq)


def rate(store: Store) -> int:
    """Return the number of events in the last whole minute."""
    minute = int(time.time()) // MINUTE * MINUTE - MINUTE
    return sum(events for at, _, _, events in store.volume(MINUTE, minute) if at == minute)
