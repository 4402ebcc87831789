"""Holds keep retention from removing anything from the log for a while, as a backup needs it.

A hold is a cursor like those of followers, so that every collector and every machine sees it. Its value is the negative
of the time at which it ends, in milliseconds since 1970. Who needs it renews it; so one that was killed holds nothing
for longer than `HOLD_SECONDS`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from satsuma_server.errors import UnavailableError

from . import POSITION, ReadableLog

BACKUP = "backup"
"""The cursor of a backup. At 0 it is what a backup of an earlier version has left, which holds nothing any more."""

BEYOND = 2**62
"""A cursor from here on belongs to nobody: a backup that has ended leaves one behind."""

HOLD_SECONDS = 600
"""How long a hold lasts that is not renewed. Clocks of different machines may differ by less."""

RENEW_SECONDS = 60


def is_follower(name: str, seq: int) -> bool:
    """Tell whether a cursor is that of a follower, which has to read what comes after it."""
    return 0 <= seq < BEYOND and name != BACKUP and not name.startswith(POSITION)


def read_by_all(cursors: Mapping[str, int], now: float) -> int:
    """Return the seq up to which the log may be trimmed: every follower has read so far, and nothing holds it.

    Args:
        now: milliseconds since 1970.
    """
    if any(-seq > now for seq in cursors.values() if seq < 0):
        return 0
    return min((seq for name, seq in cursors.items() if is_follower(name, seq)), default=BEYOND)


@asynccontextmanager
async def held(log: ReadableLog) -> AsyncIterator[None]:
    """Keep retention from removing anything for the duration of this context.

    What is done in it must leave the event loop free.

    Raises:
        UnavailableError: the log can't be held, or was not for a part of the time.
    """
    hold = _Hold(log)
    await hold.renew()
    renewing = asyncio.create_task(hold.renew_on(), name="satsuma-hold")
    try:
        yield
        hold.check()
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)
        await log.save_cursor(BACKUP, BEYOND)


class _Hold:
    def __init__(self, log: ReadableLog) -> None:
        self._log = log
        self._until = float("inf")
        self._was_interrupted = False

    async def renew(self) -> None:
        until = int((time.time() + HOLD_SECONDS) * 1000)
        await self._log.save_cursor(BACKUP, -until)
        # It may have ended before it was renewed: while this machine slept, or could not write.
        self._was_interrupted |= time.time() * 1000 > self._until
        self._until = until

    async def renew_on(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            with contextlib.suppress(UnavailableError):
                await self.renew()

    def check(self) -> None:
        if self._was_interrupted or time.time() * 1000 > self._until:
            raise UnavailableError("the log was not held all the time, so retention may have removed events: try again")
