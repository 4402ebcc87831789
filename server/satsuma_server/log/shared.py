"""The log as the second process sees it: the collector writes it, and this process reads it."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from satsuma_server.errors import UnavailableError

from . import DeadLetter, Lease, Stored
from .database import FILE, INSERT_LETTER, connect, letter_of
from .reader import Reader, off_loop

LOOK_SECONDS = 0.1
"""How often to look for new events. SQLite answers that from memory in microseconds."""

FOLLOW_READ = 2_000
FOLLOW_BYTES = 8 << 20
"""The most bytes of events that a follower gets at once. What it builds from them takes many times as much memory."""


class SharedLog:
    """Reads a log that a collector writes, and saves cursors in it. Use it from one event loop only."""

    lease: Lease | None = None

    def __init__(self, data: Path) -> None:
        """Open the log of the folder `data`.

        Raises:
            UnavailableError: no collector has created a log there, or it can't be read.
        """
        try:
            if not (data / FILE).exists():
                raise UnavailableError(f"there is no log in {data}: start the collector first")
            self._reader = Reader(data)
            self._cursors = connect(data / FILE)
            # A power cut may set a cursor back, which does no harm because followers are idempotent. A sync would make
            # the collector's own commits wait.
            self._cursors.execute("PRAGMA synchronous=OFF")
        except sqlite3.Error as error:
            raise UnavailableError(f"the log in {data} can't be read: {error}") from error

    @property
    def last(self) -> int:
        """Seq of the newest event at this moment."""
        return self._reader.last()

    async def ready(self) -> None: ...

    async def read(self, after: int = 0, limit: int = 1000, most_bytes: int | None = None) -> list[Stored]:
        return await self._reader.events(after, limit, most_bytes)

    async def pick(self, seqs: Sequence[int]) -> list[Stored]:
        return await self._reader.pick(seqs)

    async def follow(self, after: int = 0) -> AsyncIterator[list[Stored]]:
        while True:
            # Asked before the read, so that no event that arrives during the read is skipped.
            last = await off_loop(self._reader.last)
            found = await self.read(after, FOLLOW_READ, FOLLOW_BYTES) if after < last else []
            if found:
                after = found[-1].seq
                yield found
            else:
                after = max(after, last)  # Only a damaged block is in between, which was logged when it was read.
                await asyncio.sleep(LOOK_SECONDS)

    async def dead_letters(self, after: int = 0, limit: int = 1000) -> list[DeadLetter]:
        return await self._reader.dead_letters(after, limit)

    async def cursor(self, name: str) -> int:
        return await self._reader.cursor(name)

    async def cursors(self) -> dict[str, int]:
        return await self._reader.cursors()

    async def save_cursor(self, name: str, seq: int) -> None:
        statement = "INSERT OR REPLACE INTO cursors VALUES (?, ?)"
        await off_loop(lambda: self._cursors.execute(statement, (name, seq)))

    async def set_aside(self, event: Stored, reason: str) -> None:
        letter = letter_of(event, reason, time.time() * 1000)
        await off_loop(lambda: self._cursors.execute(INSERT_LETTER, letter))

    async def close(self) -> None:
        self._reader.close()
        self._cursors.close()
