"""Retention in the second process: removes what is kept no longer, from everything that is built from the log.

The collector trims the log itself, every half minute. What is built from the log is trimmed once a day, because files
have to be written anew for nothing to stay in their gaps.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from starlette.routing import BaseRoute

from satsuma_server.backoff import Backoff

MS_A_DAY = 86_400_000
WAIT_SECONDS = 86_400

logger = logging.getLogger("satsuma.retention")


class Expiring(Protocol):
    """Something that has personal data, and can remove what is older than it is kept."""

    async def expire(self, before: float) -> int:
        """Remove what is older than a time, in milliseconds since 1970, also from the files on disk.

        Other work goes on meanwhile. After an error, the next call continues.

        Returns:
            how many rows there were.

        Raises:
            UnavailableError: it can't be done now.
        """
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept for some days; for ever, where `days` is None."""

    name: str
    days: float | None
    what: Expiring


class Retention:
    """A projection that removes what is kept no longer, part by part, in the order in which they are given."""

    def __init__(self, parts: Sequence[Kept], clock: Callable[[], float] = time.time) -> None:
        self._parts = [part for part in parts if part.days is not None]
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    def routes(self) -> Sequence[BaseRoute]:
        """Return no routes."""
        return ()

    async def start(self) -> None:
        """Begin. The first time is now, since nobody knows when the last one was."""
        if self._parts:
            self._task = asyncio.create_task(self._keep_on(), name="satsuma-retention")

    async def stop(self) -> None:
        """Stop. What was begun goes on after the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _keep_on(self) -> None:
        while True:
            await self._expire_all()
            await asyncio.sleep(WAIT_SECONDS)

    async def _expire_all(self) -> None:
        backoff = Backoff()
        left = self._parts
        while True:
            # A part that can't do it now holds up none of the others.
            done = [await self._expire(part) for part in left]
            if all(done):
                return
            # Those behind it come again too: the warehouse rewrites its file after people have left its tables.
            left = left[done.index(False) :]
            await backoff.wait()

    async def _expire(self, part: Kept) -> bool:
        """Have a part remove what is old; tell whether it could."""
        assert part.days is not None
        told: dict[str, object] = {"part": part.name}
        try:
            count = await part.what.expire(self._clock() * 1000 - part.days * MS_A_DAY)
        except Exception as error:
            # A full disk, profiles that are behind, a database that doesn't answer. The message may have personal data.
            told["reason"] = type(error).__name__
            logger.warning("what is kept no longer could not be removed; trying again", extra=told)
            return False
        if count:
            logger.info("removed what is kept no longer", extra={**told, "rows": count})
        return True
