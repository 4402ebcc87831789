"""A lock that is given to waiting tasks in the order in which they asked for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class FairLock:
    """A lock whose holder can see that others wait, and can stop early to let them go on."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._waiting = 0

    @property
    def is_awaited(self) -> bool:
        """Whether another task waits for the lock."""
        return self._waiting > 0

    @asynccontextmanager
    async def take(self) -> AsyncIterator[None]:
        """Wait for the lock, and hold it for the duration of this context."""
        self._waiting += 1
        try:
            await self._lock.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._lock.release()
