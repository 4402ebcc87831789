"""Holds the newest events in memory, where the live feed looks first. Older ones are read from the log."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from satsuma_server.log import ReadableLog, Stored

from .presenters.feed_entry import Entry
from .presenters.feed_filter import Filter

MOST_EVENTS = 20_000
MOST_BYTES = 48 << 20
SLACK = 1.2
"""How far the list may exceed its bound before its start is cut off. Cutting copies the list, so it should be rare."""

LOOK_BACK = 2_000
MOST_LOOKS = 10
"""The most reads of the log for one question, of `LOOK_BACK` events each."""


@dataclass(frozen=True, slots=True)
class Found:
    """The events that a filter found.

    Attributes:
        entries: the events, newest first.
        before: the seq from which to continue with older events; None where the start of the log was reached.
    """

    entries: list[Entry]
    before: int | None


class RecentEvents:
    """Holds the newest events of a log."""

    def __init__(self, log: ReadableLog, most: int = MOST_EVENTS, most_bytes: int = MOST_BYTES) -> None:
        """Take the log, and the most events and bytes to hold."""
        self._log = log
        self._most, self._most_bytes = most, most_bytes
        self._entries: list[Entry] = []
        self._bytes = 0
        self._more = asyncio.Event()
        self.last = 0

    def add(self, events: Sequence[Stored]) -> list[Entry]:
        """Add events that are newer than all others, and wake the tasks that wait. Return the events as entries."""
        entries = [Entry.of(stored) for stored in events if stored.seq > self.last]
        if entries:
            self.last = entries[-1].seq
            self._entries += entries
            self._bytes += sum(len(entry.body) for entry in entries)
            self._trim()
            self.wake()
        return entries

    def wake(self) -> None:
        """Wake the tasks that wait for more events."""
        woken, self._more = self._more, asyncio.Event()
        woken.set()

    async def wait(self) -> None:
        """Wait until there are more events."""
        await self._more.wait()

    def after(self, seq: int, most: int) -> list[Entry]:
        """Return the newest `most` events above `seq`, oldest first."""
        start = bisect_right(self._entries, seq, key=lambda entry: entry.seq)
        return self._entries[max(start, len(self._entries) - most) :]

    def sources(self) -> list[str]:
        """Return the sources of the events that are held."""
        return sorted({entry.source for entry in self._entries})

    def names(self, most: int = 100) -> list[str]:
        """Return the event names of the track calls that are held, the most frequent first."""
        counts: dict[str, int] = {}
        for entry in self._entries:
            if entry.type == "track":
                counts[entry.name] = counts.get(entry.name, 0) + 1
        return sorted(counts, key=lambda name: -counts[name])[:most]

    def forget(self, ids: Collection[str]) -> int:
        """Remove the events that have one of these ids; return how many there were."""
        kept = [entry for entry in self._entries if not any(one in ids for one in entry.ids)]
        gone = len(self._entries) - len(kept)
        self._entries, self._bytes = kept, sum(len(entry.body) for entry in kept)
        return gone

    def drop(self, first: int) -> int:
        """Remove the events below the seq `first`; return how many there were."""
        gone = bisect_right(self._entries, first - 1, key=_seq)
        self._bytes -= sum(len(entry.body) for entry in self._entries[:gone])
        self._entries = self._entries[gone:]
        return gone

    async def get(self, seq: int) -> Entry | None:
        """Return one event; None where the log doesn't have it any more."""
        held = self.after(seq - 1, len(self._entries))[:1]
        if held and held[0].seq == seq:
            return held[0]
        stored = await self._log.read(seq - 1, 1)
        return Entry.of(stored[0]) if stored and stored[0].seq == seq else None

    async def page(self, wanted: Filter, before: int | None, limit: int) -> Found:
        """Return at most `limit` events before the seq `before` that meet a filter's conditions, newest first."""
        end = len(self._entries) if before is None else bisect_right(self._entries, before - 1, key=_seq)
        found = [entry for entry in reversed(self._entries[:end]) if wanted.takes(entry)][:limit]
        if len(found) == limit:
            return Found(found, found[-1].seq)
        oldest = self._entries[0].seq if self._entries else self.last + 1
        return await self._look_back(wanted, min(before or oldest, oldest), limit, found)

    async def _look_back(self, wanted: Filter, before: int, limit: int, found: list[Entry]) -> Found:
        for _ in range(MOST_LOOKS):
            if before <= 1:
                return Found(found, None)
            after = max(0, before - 1 - LOOK_BACK)
            stored = [one for one in await self._log.read(after, LOOK_BACK) if one.seq < before]
            for entry in map(Entry.of, reversed(stored)):
                if wanted.takes(entry):
                    found.append(entry)
                if len(found) == limit:
                    return Found(found, entry.seq)
            before = after + 1
            if not stored:
                # The events here were removed by retention or are damaged. Nothing older is left.
                return Found(found, None)
        return Found(found, before)

    def _trim(self) -> None:
        if len(self._entries) <= self._most * SLACK and self._bytes <= self._most_bytes * SLACK:
            return
        self._entries = self._entries[-self._most :]
        size = sum(len(entry.body) for entry in self._entries)
        start = 0
        while size > self._most_bytes:
            size -= len(self._entries[start].body)
            start += 1
        self._entries = self._entries[start:]
        self._bytes = size


def _seq(entry: Entry) -> int:
    return entry.seq
