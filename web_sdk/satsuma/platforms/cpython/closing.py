"""What every client has by its `flush` and `close`: ``with``, ``async with``, and a flush that a coroutine awaits."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Closing(ABC):
    """A client that is flushed and closed."""

    @abstractmethod
    def flush(self, timeout: float = 10) -> bool:
        """Wait until all events so far are acknowledged or dropped; return False after `timeout` seconds."""

    @abstractmethod
    def close(self, timeout: float | None = None) -> bool:
        """Send what can be sent, and accept no more calls; return whether the collector has everything."""

    async def flush_async(self, timeout: float = 10) -> bool:
        """Do the same as `flush`, without blocking the event loop."""
        return await asyncio.to_thread(self.flush, timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.close)
