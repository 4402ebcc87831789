"""Whoever reads the log as it grows: at its own pace, from where it stopped."""

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
    """Hands the log's events, in order, to one consumer, and keeps a durable cursor behind it.

    The cursor moves after the consumer is done, so a batch may come twice after a crash: consumers are idempotent by
    messageId or by seq. What a consumer can't take is set aside by a `Sieve`.
    """

    def __init__(
        self,
        log: ReadableLog,
        name: str,
        handle: Callable[[Sequence[Stored]], Awaitable[None]],
        skip: Callable[[Stored], Awaitable[None]] | None = None,
    ) -> None:
        """Take the log, the cursor's name and the consumer; see `Sieve`."""
        self.name = name
        self._log = log
        self._sieve = Sieve(log, name, handle, skip)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Follow, in a task of the running loop."""
        self._task = asyncio.create_task(self._run(), name=f"satsuma-{self.name}")

    async def stop(self) -> None:
        """Stop after the batch under way."""
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
                # A disk that is full for a while, or a database that is away, costs no event.
                logger.error("%s can't go on; trying again", self.name, extra={"reason": repr(error)})
                await backoff.wait()
