"""Reads the log as it grows, for one consumer, and remembers how far that consumer has come."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from satsuma_server.backoff import Backoff

from . import ReadableLog, Stored
from .poison_events import Sieve

logger = logging.getLogger("satsuma.follower")


class Follower:
    """Hands the log's events to one consumer, in order, and saves its cursor in the log.

    The cursor is saved after the consumer is done, so a batch may come twice after a crash: consumers must be
    idempotent, by messageId or by seq. Events that the consumer can't process are set aside by a `Sieve`.
    """

    def __init__(
        self,
        log: ReadableLog,
        name: str,
        handle: Callable[[Sequence[Stored]], Awaitable[None]],
        skip: Callable[[Stored], Awaitable[None]] | None = None,
    ) -> None:
        """Take the log, the cursor's name and the consumer. See `Sieve` for `handle` and `skip`."""
        self.name = name
        self._log = log
        self._sieve = Sieve(log, name, handle, skip)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start to follow, in a task of the running event loop."""
        self._task = asyncio.create_task(self._run(), name=f"satsuma-{self.name}")

    async def stop(self) -> None:
        """Stop. A batch that is being processed comes again at the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        after = await self._log.cursor(self.name)
        async for events in self._log.follow(after):
            await self._insist(partial(self._sieve.take, events))
            await self._insist(partial(self._log.save_cursor, self.name, events[-1].seq))

    async def _insist(self, work: Callable[[], Awaitable[None]]) -> None:
        backoff = Backoff()
        while True:
            try:
                return await work()
            except Exception as error:
                # A full disk, or a database that can't be reached, must lose no event.
                logger.error("%s can't go on; trying again", self.name, extra={"reason": repr(error)})
                await backoff.wait()
