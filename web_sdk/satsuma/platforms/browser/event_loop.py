"""An event loop for a page, which runs all callbacks that are ready in one task of the browser, as long as that is
short.

Pyodide's own loop uses one task of the browser for each callback, and for each timer even if it was cancelled. An event
in the pipeline needs a dozen of them, which cost more than the callbacks themselves.
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
"""Seconds after which the remaining callbacks are left to another task, so that the page stays responsive."""


class PageEventLoop(WebLoop):  # type: ignore[misc]
    """Pyodide's loop, with a queue and a heap of timers as in asyncio's own loops."""

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
        # It stays in the queue until it is done, so that callbacks that it adds run in the same task.
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
    # Pyodide's loop runs callbacks on a separate stack, which `run_sync` could suspend. Nothing here needs that, and
    # Chromium (156) crashes when its allocation sampling walks such a stack.
    scheduleCallback(create_once_callable(callback), seconds * 1000)
