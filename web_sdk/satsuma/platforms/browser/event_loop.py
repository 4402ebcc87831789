"""A page's event loop that does what is ready in one go, as long as that is short.

Pyodide's own loop gives each callback a task of the browser, and each timer one even where it was cancelled: an event
that passes the pipeline needs a dozen, which cost more than all that is done in them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import Context
from heapq import heappop, heappush
from itertools import count
from typing import Any

from pyodide.ffi import create_once_callable
from pyodide.webloop import WebLoop, scheduleCallback

SPAN = 0.01
"""Seconds after which a round leaves the rest to another: a page must have room to move."""


class PageEventLoop(WebLoop):  # type: ignore[misc]
    """Pyodide's loop, with the queue and the heap of timers that asyncio's own loops have."""

    def __init__(self) -> None:
        """Become the loop that runs in this page."""
        super().__init__()
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._numbers = count()
        self._wakes_at = float("inf")
        self._install_asyncgen_hooks()
        asyncio.set_event_loop(self)

    def call_soon(self, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._line_up(handle)
        return handle

    def call_later(
        self, delay: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Call back after `delay` seconds."""
        if delay <= 0:
            return self.call_soon(callback, *args, context=context)
        timer = asyncio.TimerHandle(self.time() + delay, callback, args, self, context)
        heappush(self._timers, (timer.when(), next(self._numbers), timer))
        self._wake_for_timers()
        return timer

    def _line_up(self, handle: asyncio.Handle) -> None:
        if not self._ready:
            _call_back(self._round)
        self._ready.append(handle)

    def _round(self) -> None:
        end = self.time() + SPAN
        try:
            while self._ready and self.time() < end:
                self._run_first()
        finally:
            if self._ready:
                _call_back(self._round)

    def _run_first(self) -> None:
        # It stays in line until it is done, so that what it makes ready joins this round.
        handle = self._ready[0]
        try:
            if not handle.cancelled():
                handle._run()
        finally:
            self._ready.popleft()

    def _ring(self) -> None:
        self._wakes_at = float("inf")
        now = self.time()
        while self._timers and (self._timers[0][0] <= now or self._timers[0][2].cancelled()):
            self._line_up(heappop(self._timers)[2])
        self._wake_for_timers()

    def _wake_for_timers(self) -> None:
        if self._timers and self._timers[0][0] < self._wakes_at:
            self._wakes_at = self._timers[0][0]
            _call_back(self._ring, max(self._wakes_at - self.time(), 0.001))


def _call_back(callback: Callable[[], None], seconds: float = 0) -> None:
    # Pyodide's loop calls back on a stack of its own, which `run_sync` could suspend. Nothing here does, and Chromium
    # (156) crashes where its sampling of allocations walks such a stack to its end.
    scheduleCallback(create_once_callable(callback), seconds * 1000)
