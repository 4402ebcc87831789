"""Who waits: for one event to be on its way, or for all of them to be acknowledged.

Source: analytics-next settles a call's promise once its first try is over, or as soon as the event has to wait for the
network, for company or for another try. So a page that awaits a call before it goes elsewhere never hangs.
"""

from __future__ import annotations

import asyncio

from .platform import Platform

PATIENCE = 10_000
"""Most milliseconds that a call waits for an answer, where the collector says nothing at all."""


class Waiters:
    """Those who wait in one page."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._for_one: dict[asyncio.Future[None], float] = {}
        self._for_all: list[tuple[int, asyncio.Future[None]]] = []
        self._watched = False

    def for_one(self) -> asyncio.Future[None]:
        """Return what is done once it is released, and after `PATIENCE` at the latest."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._for_one[waiter] = self._platform.now() + PATIENCE
        self._watch(PATIENCE)
        return waiter

    def release(self, waiter: asyncio.Future[None]) -> None:
        """Let somebody go."""
        self._for_one.pop(waiter, None)
        if not waiter.done():
            waiter.set_result(None)

    def release_all(self) -> None:
        """Let everybody go who waits for one event: none is on its way, and it may take long until one is."""
        for waiter in list(self._for_one):
            self.release(waiter)

    async def for_all(self, newest: int, oldest: int | None) -> None:
        """Wait until the event of the serial number `newest`, and all before it, are acknowledged or given up."""
        if oldest is not None and oldest <= newest:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._for_all.append((newest, waiter))
            await waiter

    def reached(self, oldest: int | None) -> None:
        """Let those go who wait for events before the one of the serial number `oldest`; None for all events."""
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
