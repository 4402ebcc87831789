"""Listens for the page being hidden, left and shown again, but calls Python only while events wait.

What a page runs while it ends can delay the next page. Calling Python at that moment makes the engine compile for a
quarter of a second, during the boot of the next page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyodide.ffi import create_proxy


class PageEnd:
    """Listens for the page being hidden, left and shown again."""

    def __init__(self, window: Any) -> None:
        """Take the page's global object. It starts to listen with `listen`."""
        self._window = window
        self._listener = window.Object.new()
        # A function of the browser that has no effect, whatever its arguments are.
        self._deaf = self._hearing = window.Object
        self._matters = False

    def listen(self, left: Callable[[], None], back: Callable[[], None]) -> None:
        """Call `left` when the page is hidden or left, and `back` when it is shown again, but only while it
        `matters`."""

        def hear(event: Any) -> None:
            match event.type:
                case "pagehide":
                    left()
                case "visibilitychange" if self._window.document.visibilityState == "hidden":
                    left()
                case "visibilitychange":
                    back()
                # When the page is shown for the first time, there is nothing to continue.
                case "pageshow" if event.persisted:
                    back()

        self._hearing = create_proxy(hear)
        self._tell_page()
        self._window.document.addEventListener("visibilitychange", self._listener)
        self._window.addEventListener("pageshow", self._listener)
        self._window.addEventListener("pagehide", self._listener)

    def matters(self, waiting: bool) -> None:
        """Record whether events wait that must not be lost with the page."""
        if waiting is not self._matters:
            self._matters = waiting
            self._tell_page()

    def _tell_page(self) -> None:
        self._listener.handleEvent = self._hearing if self._matters else self._deaf
