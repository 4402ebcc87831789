"""Links and forms that track themselves: ``trackLink``, ``trackForm`` and their older names.

Source: analytics-next ``core/auto-track``. The visitor goes on once the event is on its way, and no later than the
analytics' `timeout`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from pyodide.ffi import create_proxy

from satsuma.analytics import Analytics

from .values import ValueReader

XLINK = "http://www.w3.org/1999/xlink"


class AutoTrack:
    """Listens to the elements of one page."""

    def __init__(self, analytics: Analytics, window: Any, reader: ValueReader, warn: Callable[[str], None]) -> None:
        self._analytics = analytics
        self._window = window
        self._reader = reader
        self._warn = warn
        self._waiting: set[asyncio.Future[None]] = set()

    def link(self, links: Any, event: Any, properties: Any = None, options: Any = None) -> None:
        """Track clicks on links; one that leads away in this tab waits for its event.

        Args:
            links: an element, an array of them, or jQuery's collection.
            event: the event's name, or a function that gives it for an element.
            properties: the same of its properties.
            options: of `Analytics.track`.
        """
        for element in _elements(links):
            element.addEventListener("click", self._guarded(self._click, element, event, properties, options), False)

    def form(self, forms: Any, event: Any, properties: Any = None, options: Any = None) -> None:
        """Track forms that are sent; each waits for its event. Arguments as of `link`."""
        jquery = getattr(self._window, "jQuery", None) or getattr(self._window, "Zepto", None)
        for element in _elements(forms):
            if not hasattr(element, "tagName"):
                raise TypeError("Must pass HTMLElement to trackForm/trackSubmit.")
            handler = self._guarded(self._submit, element, event, properties, options)
            if jquery:
                # What is sent through jQuery is not seen by the page's own events.
                jquery(element).submit(handler)
            else:
                element.addEventListener("submit", handler, False)

    def _guarded(self, handle: Callable[..., None], *given: Any) -> Any:
        def handler(happened: Any) -> None:
            try:
                handle(happened, *given)
            except Exception as error:
                self._warn(f"A tracked link or form could not be tracked: {error}")

        return create_proxy(handler)

    def _click(self, happened: Any, element: Any, event: Any, properties: Any, options: Any) -> None:
        tracked = self._track(element, event, properties, options)
        href = _href(element)
        if href and not _opens_elsewhere(happened, element):
            happened.preventDefault()
            self._when_on_its_way(tracked, lambda: setattr(self._window.location, "href", href))

    def _submit(self, happened: Any, element: Any, event: Any, properties: Any, options: Any) -> None:
        tracked = self._track(element, event, properties, options)
        happened.preventDefault()
        # A field called "submit" hides the form's own method.
        send = self._window.HTMLFormElement.prototype.submit
        self._when_on_its_way(tracked, lambda: send.call(element))

    def _track(self, element: Any, event: Any, properties: Any, options: Any) -> asyncio.Future[Any]:
        name = event(element) if callable(event) else event
        given = properties(element) if callable(properties) else properties
        values = [name, *(self._reader.argument(value) for value in (given, options))]
        return asyncio.ensure_future(self._analytics.call("track", values))

    def _when_on_its_way(self, tracked: asyncio.Future[Any], go_on: Callable[[], Any]) -> None:
        async def wait() -> None:
            await asyncio.wait((tracked,), timeout=self._analytics.timeout / 1000)
            go_on()

        waiting = asyncio.ensure_future(wait())
        self._waiting.add(waiting)
        waiting.add_done_callback(self._waiting.discard)


def _elements(given: Any) -> Iterable[Any]:
    if not given:
        return ()
    if hasattr(given, "nodeType"):
        return (given,)
    return given.toArray() if hasattr(given, "toArray") else given  # type: ignore[no-any-return]


def _href(element: Any) -> str | None:
    inner = element.getElementsByTagName("a")
    ways: tuple[Callable[[], Any], ...] = (
        lambda: element.getAttribute("href"),
        lambda: element.getAttributeNS(XLINK, "href"),
        lambda: element.getAttribute("xlink:href"),
        lambda: inner[0].getAttribute("href") if inner.length else None,
    )
    found = (way() for way in ways)
    return next((str(href) for href in found if isinstance(href, str) and href), None)


def _opens_elsewhere(happened: Any, element: Any) -> bool:
    """Tell whether the page stays: a new tab, or a key held that asks for one."""
    if getattr(element, "target", None) == "_blank":
        return True
    held = any(bool(getattr(happened, key, False)) for key in ("ctrlKey", "shiftKey", "metaKey"))
    return held or getattr(happened, "button", 0) == 1
