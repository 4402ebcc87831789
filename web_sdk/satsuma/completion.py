"""Lets callers wait until an event has been tried once, or until all events are acknowledged.

Source: analytics-next settles a call's promise after the first try, or as soon as the event has to wait for the
network, for more events of its batch, or for another try. So a page that awaits a call before it navigates never hangs.
"""

from __future__ import annotations

import asyncio

from .platform import Platform

PATIENCE = 10_000
"""The most milliseconds that a call waits where the collector doesn't answer at all."""


class Waiters:
    """The callers that wait in one page."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._for_one: dict[asyncio.Future[None], float] = {}
        self._for_all: list[tuple[int, asyncio.Future[None]]] = []
        self._watched = False

    def for_one(self) -> asyncio.Future[None]:
        """Return a future that is done once it is released, and after `PATIENCE` at the latest."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._for_one[waiter] = self._platform.now() + PATIENCE
        self._watch(PATIENCE)
        return waiter

    def release(self, waiter: asyncio.Future[None]) -> None:
        """Let one caller continue."""
        self._for_one.pop(waiter, None)
        if not waiter.done():
            waiter.set_result(None)

    def release_all(self) -> None:
        """Let all callers continue that wait for a single event: no request is running, and the next may be far
        away."""
        for waiter in list(self._for_one):
            self.release(waiter)

    async def for_all(self, newest: int, oldest: int | None) -> None:
        """Wait until the event of the serial number `newest`, and all before it, are acknowledged or given up."""
        if oldest is not None and oldest <= newest:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._for_all.append((newest, waiter))
            await waiter

    def reached(self, oldest: int | None) -> None:
        """Let callers continue that wait for events before the serial number `oldest`; None means for any events."""
        for newest, waiter in self._for_all[:]:
            if oldest is None or oldest > newest:
                self._for_all.remove((newest, waiter))
                if not waiter.done():
                    waiter.set_result(None)

    def _watch(self, milliseconds: float) -> None:
        if not self._watched:
            self._watched = True
            self._platform.call_later(milliseconds, self._look)

    def _look(self) -> None:
        self._watched = False
        now = self._platform.now()
        for waiter in [waiter for waiter, until in self._for_one.items() if until <= now]:
            self.release(waiter)
        if self._for_one:
            self._watch(max(min(self._for_one.values()) - now, 20))
