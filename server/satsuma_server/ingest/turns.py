"""Turns for large requests, so that small ones are answered in between.

The work on a request of two thousand events takes tens of milliseconds. Without turns, each of several such requests
would be worked on before the next small request is even read, so that one source could make all visitors wait.
"""

from __future__ import annotations

from asyncio import Lock, to_thread
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from satsuma_server.errors import BusyError

LARGE_BODY = 64 << 10
"""Bytes. A page that is left can't send a larger body, so what it sends last is never behind a turn."""

LARGE_BATCH = 200
"""Events."""


def is_large(body: bytes, events: int = 0) -> bool:
    """Tell whether a request has to wait for its turn."""
    return len(body) > LARGE_BODY or events > LARGE_BATCH


class Turns:
    """Works on one large request at a time, in a thread; senders take turns.

    Requests of one sender are worked on in the order in which they came.
    """

    def __init__(self, most: int) -> None:
        """Take the most bytes that waiting requests may have together."""
        self._most = most
        self._waiting = 0
        self._everybody = Lock()
        self._senders: WeakValueDictionary[str, Lock] = WeakValueDictionary()

    async def work[T](self, sender: str, size: int, job: Callable[[], T]) -> T:
        """Do a job when the sender's turn has come, and return its result.

        Args:
            sender: names who has sent the request; each has one turn after the other.
            size: the request's bytes, which are held in memory meanwhile.
            job: the work. It runs in a thread.

        Raises:
            BusyError: requests of too many bytes wait already.
        """
        async with self._turn(sender, size):
            return await to_thread(job)

    @asynccontextmanager
    async def _turn(self, sender: str, size: int) -> AsyncIterator[None]:
        if self._waiting + size > self._most:
            raise BusyError("too many large requests wait: try again in a second")
        own = self._senders.setdefault(sender, Lock())
        self._waiting += size
        try:
            # Each sender has at most one request in the queue for all, so that one with many is not served more often.
            async with own, self._everybody:
                yield
        finally:
            self._waiting -= size
