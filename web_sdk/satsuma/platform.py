"""The seam between the SDK and the place where it runs.

Everything that the core can't do by itself is asked of a `Platform`: a browser page under Pyodide, a server under
CPython, or a test. The seam is narrow so that nearly all of the SDK runs, and is tested, on CPython.
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
    """What the SDK needs of its surroundings."""

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
        """Return a fresh random UUID, from the platform's cryptographic source."""
        ...

    def new_anonymous_id(self) -> str:
        """Return the anonymousId of a visitor who has none: a fresh random UUID."""
        ...

    def random(self) -> float:
        """Return a random number in [0, 1)."""
        ...

    def environment(self) -> Environment:
        """Return what the browser says of itself."""
        ...

    def page(self) -> Mapping[str, Any]:
        """Return the page of this moment, as ``context.page`` has it."""
        ...

    def warn(self, line: str) -> None:
        """Write one warning to the console."""
        ...

    def tell(self, line: str) -> None:
        """Write one line to the console, for whoever debugs."""
        ...

    def send(self, request: Request, answered: Callable[[int, float | None], None], failed: Callable[[], None]) -> None:
        """Carry out a request; call `answered` with status and Retry-After in milliseconds, or `failed`, once."""
        ...

    def send_last(self, request: Request) -> bool:
        """Carry out a request that outlives the page; False where the platform refuses."""
        ...

    def waits(self, anything: bool) -> None:
        """Take note whether an event waits for its acknowledgement: only then does the page's end matter."""
        ...

    def call_later(self, milliseconds: float, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after a while; return what cancels it."""
        ...

    def exclusively(self, name: str, work: Callable[[], None]) -> None:
        """Do `work` while no other page of the site does what has the same name, where the platform can tell."""
        ...

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a coroutine at once up to its first wait, and the rest in the background."""
        ...
