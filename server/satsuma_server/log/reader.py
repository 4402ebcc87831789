"""Reads the log's file, by a connection of its own, in threads."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from satsuma_server.errors import UnavailableError

from . import DeadLetter, Stored
from .database import FILE, Block, connect, read_block_of, read_blocks

MOST_READ = 10_000
"""The most events that one read returns."""

MOST_PICKED = 1_000
"""The most events that are looked up by their seq in one call."""

BLOCKS_A_READ = 16
FEW_BLOCKS = 4
"""How many blocks are read at once where bytes are bounded. Each block has little more than a megabyte."""

logger = logging.getLogger("satsuma.log")


class Reader:
    """Reads the log in threads, one read at a time."""

    def __init__(self, data: Path) -> None:
        """Open the log of the folder `data`, which must exist. Raises `sqlite3.Error`."""
        self.connection = connect(data / FILE)
        self._lock = threading.Lock()

    def last(self) -> int:
        """Return the seq of the newest event; 0 where there is none."""
        with self._lock:
            return self.connection.execute("SELECT max(last) FROM blocks").fetchone()[0] or 0

    async def events(self, after: int, limit: int, most_bytes: int | None = None) -> list[Stored]:
        """Return events above `after`. Raises `UnavailableError` where the file can't be read."""
        return await off_loop(lambda: self._events(after, min(limit, MOST_READ), most_bytes))

    async def pick(self, seqs: Sequence[int]) -> list[Stored]:
        """Return the events with these seqs. Raises the errors of `events`."""
        return await off_loop(lambda: self._pick(sorted(set(seqs))[:MOST_PICKED]))

    async def dead_letters(self, after: int, limit: int) -> list[DeadLetter]:
        """Return refused events above `after`. Raises the errors of `events`."""
        query = "SELECT id, source, reason, received_at, raw FROM refused WHERE id > ? ORDER BY id LIMIT ?"
        return [DeadLetter(*row) for row in await self._query(query, (after, min(limit, MOST_READ)))]

    async def cursor(self, name: str) -> int:
        """Return a follower's cursor. Raises the errors of `events`."""
        rows = await self._query("SELECT seq FROM cursors WHERE name = ?", (name,))
        return int(rows[0][0]) if rows else 0

    async def cursors(self) -> dict[str, int]:
        """Return all followers' cursors. Raises the errors of `events`."""
        return dict(await self._query("SELECT name, seq FROM cursors ORDER BY name", ()))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self.connection.close()

    def _events(self, after: int, limit: int, most_bytes: int | None) -> list[Stored]:
        found: list[Stored] = []
        size = 0
        while len(found) < limit and (most_bytes is None or size < most_bytes):
            with self._lock:
                blocks = read_blocks(self.connection, after, BLOCKS_A_READ if most_bytes is None else FEW_BLOCKS)
            if not blocks:
                break
            for block in blocks:
                if block.is_whole:
                    fresh = [Stored(*event) for event in block.events() if event[0] > after]
                    size += sum(len(event.body) for event in fresh)
                    found += fresh
                else:
                    logger.error("a block of the log is damaged", extra={"first": block.first, "last": block.last})
                if len(found) >= limit:
                    break
            after = blocks[-1].last
        return found[:limit] if most_bytes is None else within_bytes(found[:limit], most_bytes)

    def _pick(self, seqs: Sequence[int]) -> list[Stored]:
        found: list[Stored] = []
        block: Block | None = None
        for seq in seqs:
            if block is None or block.last < seq:
                with self._lock:
                    block = read_block_of(self.connection, seq)
                events = {one[0]: Stored(*one) for one in block.events()} if block and block.is_whole else {}
            if seq in events:
                found.append(events[seq])
        return found

    async def _query(self, query: str, values: tuple[Any, ...]) -> list[Any]:
        def run() -> list[Any]:
            with self._lock:
                return self.connection.execute(query, values).fetchall()

        return await off_loop(run)


def within_bytes(events: list[Stored], most_bytes: int) -> list[Stored]:
    """Return the first events that have at most so many bytes together, and at least one."""
    size = 0
    for count, event in enumerate(events):
        size += len(event.body)
        if size > most_bytes and count:
            return events[:count]
    return events


async def off_loop[T](work: Callable[[], T]) -> T:
    """Run a read of the file in a thread. Raises `UnavailableError` where it fails."""
    try:
        return await asyncio.to_thread(work)
    except sqlite3.Error as error:
        raise UnavailableError(f"the log can't be read: {error}") from error
