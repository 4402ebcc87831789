"""Implements the core's `Platform` for a page in a browser."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine
from time import time
from typing import Any

from pyodide.ffi import create_once_callable, to_js

from satsuma.delivery import Request
from satsuma.environment import Environment

from .cookies import DocumentCookies
from .local_storage import WindowLocalStorage
from .page import current_page, environment, timezone
from .page_end import PageEnd
from .posting import Posting
from .values import ValueReader

WORTH_PACKING = 4096
"""The fewest characters of a batch that is compressed."""


class BrowserPlatform:
    """The platform of one page."""

    def __init__(self, window: Any, url: str) -> None:
        """Take a page.

        Args:
            window: the page's global object, as from ``import js``.
            url: URL of the collector's ``/v1``.
        """
        self.window = window
        self.url = url
        self.cookie_jar = DocumentCookies(window)
        self.local_storage = WindowLocalStorage(window)
        self.reader = ValueReader(window, self.warn)
        self.ending = PageEnd(window)
        self.posting = Posting()
        # Cached, because reading a property of a JavaScript object costs more than a call.
        self._from_entries = window.Object.fromEntries
        self._now = window.Date.now if callable(getattr(window, "satsumaOffer", None)) else None
        self._environment: Environment | None = None
        self.chosen_id: str | None = None
        """The next anonymousId, where the page has chosen it beforehand."""
        self.client_hints: dict[str, Any] | None = None
        """What the browser told of itself where the page asked for more than it tells unasked."""

    def now(self) -> float:
        # In a page, time() is the same as its Date.now, but faster. A worker may have many pages, each with its clock.
        return float(self._now()) if self._now else float(round(time() * 1000))

    def new_id(self) -> str:
        """Return a random UUID (version 4).

        From os.urandom, which is the browser's crypto source: every page restored from one memory snapshot has the
        same state in `random`, and crypto.randomUUID is missing on plain http.
        """
        raw = bytearray(os.urandom(16))
        raw[6] = (raw[6] & 0x0F) | 0x40
        raw[8] = (raw[8] & 0x3F) | 0x80
        text = raw.hex()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def new_anonymous_id(self) -> str:
        """Return what the page has chosen: with a call of `reset`, or where Python works for it in a worker."""
        if self.chosen_id is not None:
            chosen, self.chosen_id = self.chosen_id, None
            return chosen
        offer = getattr(self.window, "satsumaOffer", None)
        # In a page it can only be an element with that id.
        offered = offer() if callable(offer) else None
        return offered if isinstance(offered, str) else self.new_id()

    def random(self) -> float:
        return int.from_bytes(os.urandom(6)) / 2**48

    async def look_around(self, breathe: Callable[[], Awaitable[None]]) -> None:
        """Ask the page, in small steps, what each event tells of it: what runs first is slow."""
        await breathe()
        timezone(self.window)
        await breathe()
        self._environment = self.environment()
        await breathe()
        _ = self.cookie_jar.top_domain
        await breathe()
        self.page()
        await breathe()

    def can_keep(self) -> bool:
        """Tell whether this page may use cookies or localStorage.

        A frame that is sandboxed without ``allow-same-origin`` may use neither, and throws at the sight of both.
        """
        looks: tuple[Callable[[], object], ...] = (self.cookie_jar.read, lambda: self.local_storage.get_item(""))
        for look in looks:
            try:
                look()
            except Exception:  # noqa: S112 (what it throws is the answer)
                continue
            return True
        return False

    def environment(self) -> Environment:
        return self._environment or environment(self.window, self.reader, self.client_hints)

    def page(self) -> dict[str, Any]:
        return current_page(self.window)

    def warn(self, line: str) -> None:
        self.window.console.warn(f"[satsuma] {line}")

    def tell(self, line: str) -> None:
        self.window.console.log(f"[satsuma] {line}")

    def send(self, request: Request, answered: Callable[[int, float | None], None], failed: Callable[[], None]) -> None:
        """Post by fetch, as text/plain and with the write key in the body, so that no preflight is needed."""
        posted = self._post_packed(request) if self._packs(request) else self._post(request, request.body)
        posted.then(
            lambda response: answered(int(response.status), _retry_after(response, self.window)),
            lambda _: failed(),
        )

    def _post(self, request: Request, body: Any) -> Any:
        return self.window.fetch(f"{self.url}/{request.path}", self._object(self.posting.options(request, body)))

    def _packs(self, request: Request) -> bool:
        # A single event is sent in the same task as its call. Compression would delay it to another task.
        return request.path == "b" and len(request.body) >= WORTH_PACKING and hasattr(self.window, "CompressionStream")

    def _post_packed(self, request: Request) -> Any:
        """Post gzip without a Content-Encoding, which would need a preflight. The collector recognizes it by its first
        bytes."""
        window = self.window
        stream = window.Response.new(request.body).body.pipeThrough(window.CompressionStream.new("gzip"))
        return window.Response.new(stream).arrayBuffer().then(lambda packed: self._post(request, packed))

    def send_last(self, request: Request) -> bool:
        try:
            return bool(self.window.navigator.sendBeacon(f"{self.url}/{request.path}", request.body))
        except Exception:
            return False

    def waits(self, anything: bool) -> None:
        self.ending.matters(anything)

    def call_later(self, milliseconds: float, callback: Callable[[], None]) -> Callable[[], None]:
        proxy = create_once_callable(callback)
        timer = self.window.setTimeout(proxy, milliseconds)

        def cancel() -> None:
            self.window.clearTimeout(timer)

        return cancel

    def exclusively(self, name: str, work: Callable[[], None]) -> None:
        locks = getattr(self.window.navigator, "locks", None)
        if not locks:
            # Pages without TLS have no locks. Events may be sent twice then, and the collector keeps each once.
            work()
            return

        def hold(_: Any) -> Any:
            work()
            # Firefox tells other processes what was written to localStorage after the task, and who gets the lock
            # before that still reads the old. The browser's answer comes in a later task: the lock is held until then.
            return locks.query()

        locks.request(name, create_once_callable(hold))

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Start a coroutine in the current task of the browser, since the visitor may leave before the next one."""
        return asyncio.Task(work, loop=asyncio.get_event_loop(), eager_start=True)

    def _object(self, value: dict[str, Any]) -> Any:
        return to_js(value, dict_converter=self._from_entries)


def _retry_after(response: Any, window: Any) -> float | None:
    """Return the milliseconds of an answer's Retry-After, which has seconds or a date."""
    text = response.headers.get("Retry-After")
    if not isinstance(text, str):
        return None
    if text.strip().isdigit():
        return float(text) * 1000
    moment = window.Date.parse(text)
    return max(0.0, float(moment) - float(window.Date.now())) if moment == moment else None
