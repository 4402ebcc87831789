"""The page's end and its return: Python is told of them while something waits, and left alone else.

What a page runs as it goes, the browser still has in hand when the next page starts: Python that is called then makes
the engine compile, for a fourth of a second, beside the boot of that page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyodide.ffi import create_proxy


class PageEnd:
    """Hears how the page is hidden, left and shown again."""

    def __init__(self, window: Any) -> None:
        """Take the page's global object. Nothing is heard before `listen`."""
        self._window = window
        self._listener = window.Object.new()
        # A function of the browser's own that does no harm, whatever it is called with.
        self._deaf = self._hearing = window.Object
        self._matters = False

    def listen(self, left: Callable[[], None], back: Callable[[], None]) -> None:
        """Call `left` as the page is hidden or goes, `back` as it is shown again; both only while it `matters`."""

        def hear(event: Any) -> None:
            match event.type:
                case "pagehide":
                    left()
                case "visibilitychange" if self._window.document.visibilityState == "hidden":
                    left()
                case "visibilitychange":
                    back()
                # At its first showing there is nothing to come back to.
                case "pageshow" if event.persisted:
                    back()

        self._hearing = create_proxy(hear)
        self._tell_page()
        self._window.document.addEventListener("visibilitychange", self._listener)
        self._window.addEventListener("pageshow", self._listener)
        self._window.addEventListener("pagehide", self._listener)

    def matters(self, waiting: bool) -> None:
        """Take note whether anything waits that must not go with the page."""
        if waiting is not self._matters:
            self._matters = waiting
            self._tell_page()

    def _tell_page(self) -> None:
        self._listener.handleEvent = self._hearing if self._matters else self._deaf
