"""Keeps the stream small: what is too old goes, and the oldest of what is too much."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime
from typing import Any

from satsuma_server.errors import UnavailableError
from satsuma_server.log.holds import read_by_all

from .connection import Connection, RefusalError
from .cursors import read_cursors
from .reader import Reader
from .subjects import LANES

TRIM_SECONDS = 30
MOST_LETTERS = 1_000
"""The most refused events that are kept of each lane."""

COMFORTABLE = 0.9
"""The part of the bytes of retention that a stream takes after it was trimmed."""

NEARLY_FULL = 0.8
"""The part of its room above which the log complains."""

MS_A_DAY = 86_400_000

logger = logging.getLogger("satsuma.log")


class Retention:
    """Removes what is too old or too much. Any number of collectors may do so at once.

    Attributes:
        filled: the part of its room that the stream took when it was looked at last; 0 where it has no bound.
    """

    def __init__(self, connection: Connection, reader: Reader, window: float, days: float | None) -> None:
        """Take the window of deduplication in milliseconds, and how long events are kept."""
        self._connection = connection
        self._reader = reader
        self._window = window
        self._days = days
        self.filled = 0.0

    async def run(self) -> None:
        """Trim from time to time, for ever."""
        while True:
            try:
                await self.trim(None if self._days is None else time.time() * 1000 - self._days * MS_A_DAY)
            except (UnavailableError, RefusalError) as error:
                logger.warning("the log can't be trimmed now", extra={"reason": str(error)})
            await asyncio.sleep(TRIM_SECONDS)

    async def trim(self, before: float | None) -> None:
        """Remove what was stored before a time in milliseconds, and what is too much.

        Events that a follower hasn't read stay, and all of them while something holds the log.

        Raises:
            UnavailableError: the servers don't answer.
            RefusalError: they can't do it now.
        """
        subjects = self._connection.subjects
        info = await self._connection.ask(f"STREAM.INFO.{self._connection.options.stream}", {})
        state = info["state"]
        read = await self._read_by_all()
        if before is not None:
            cut = await self._first_since(before, state)
            await self._purge(subjects.events, seq=min(cut, read + 1))
            await self._purge(subjects.refused, seq=cut)
        await self._purge(subjects.index, seq=await self._first_since(time.time() * 1000 - self._window, state))
        for lane in range(LANES):
            await self._purge(subjects.letter(lane), keep=MOST_LETTERS)
        await self._make_smaller(state, read)
        self._warn(info["config"]["max_bytes"], state["bytes"])

    async def _make_smaller(self, state: dict[str, Any], read: int) -> None:
        most = self._connection.options.retention_bytes
        if most is None or state["bytes"] <= most:
            return
        too_much = (state["bytes"] - COMFORTABLE * most) / state["bytes"]
        cut = state["first_seq"] + int(too_much * (state["last_seq"] - state["first_seq"]))
        if read + 1 < cut:
            logger.error("a follower has not read what should go from the log", extra={"read": read, "wanted": cut})
        await self._purge(self._connection.subjects.events, seq=min(cut, read + 1))

    def _warn(self, most: int, size: int) -> None:
        self.filled = size / most if most > 0 else 0.0
        if self.filled > NEARLY_FULL:
            logger.error("the log is nearly full, and will take nothing then", extra={"filled": round(self.filled, 2)})

    async def _read_by_all(self) -> int:
        """Return the seq up to which every follower has read, and nothing holds the log."""
        return read_by_all(await read_cursors(self._connection), time.time() * 1000)

    async def _first_since(self, at: float, state: dict[str, Any]) -> int:
        """Return the seq of the first message that was stored at a time or later."""
        since = datetime.fromtimestamp(max(0, at / 1000), UTC).isoformat()
        found = await self._reader.scan(f"{self._connection.options.stream}.>", 0, 1, since=since)
        return found[0].seq if found else int(state["last_seq"]) + 1

    async def _purge(self, subject: str, **which: int) -> None:
        if which.get("seq", 2) > 1:
            stream = self._connection.options.stream
            await self._connection.ask(f"STREAM.PURGE.{stream}", {"filter": subject, **which})
