"""The interface between the SDK's core and the platform that it runs on.

The core does no I/O. A `Platform` does it: a browser page under Pyodide, a server under CPython, or a test. The
interface is small, so that nearly all of the SDK can be tested on CPython.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol

from .cookie_jar import CookieJar
from .delivery import Request
from .environment import Environment
from .storage import KeyValueArea


class Platform(Protocol):
    """What the SDK needs from its platform."""

    @property
    def cookie_jar(self) -> CookieJar:
        """The page's cookies."""
        ...

    @property
    def local_storage(self) -> KeyValueArea:
        """The page's localStorage."""
        ...

    def now(self) -> float:
        """Return milliseconds since 1970."""
        ...

    def new_id(self) -> str:
        """Return a new random UUID, from the platform's cryptographic source."""
        ...

    def new_anonymous_id(self) -> str:
        """Return an anonymousId for a visitor who has none: a new random UUID."""
        ...

    def random(self) -> float:
        """Return a random number in [0, 1)."""
        ...

    def environment(self) -> Environment:
        """Return what is known about the browser."""
        ...

    def page(self) -> Mapping[str, Any]:
        """Return the current page, in the form of ``context.page``."""
        ...

    def warn(self, line: str) -> None:
        """Write one warning to the console."""
        ...

    def tell(self, line: str) -> None:
        """Write one line to the console, for debugging."""
        ...

    def send(self, request: Request, answered: Callable[[int, float | None], None], failed: Callable[[], None]) -> None:
        """Send a request. Call `answered` once, with the status and Retry-After in milliseconds, or `failed` once."""
        ...

    def send_last(self, request: Request) -> bool:
        """Send a request that outlives the page; return False where the platform refuses it."""
        ...

    def waits(self, anything: bool) -> None:
        """Record whether events wait for their acknowledgement. Only then must the SDK be told that the page ends."""
        ...

    def call_later(self, milliseconds: float, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after so many milliseconds; return a function that cancels it."""
        ...

    def exclusively(self, name: str, work: Callable[[], None]) -> None:
        """Call `work` under a lock of this name that all pages of the site share, where the platform has such locks."""
        ...

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a coroutine at once up to its first wait, and the rest in the background."""
        ...
