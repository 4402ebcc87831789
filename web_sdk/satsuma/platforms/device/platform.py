"""The device as the core's `Platform`."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from satsuma.cookie_jar import CookieOptions
from satsuma.delivery import Request
from satsuma.environment import Environment
from satsuma.platforms.cpython.error_reporter import ErrorReporter, logger
from satsuma.platforms.cpython.ids import new_id

from .identity_file import IdentityFile


class NoCookies:
    """The cookies of a device: there are none."""

    def read(self) -> str:
        return ""

    def write(self, name: str, value: str, *, days: float, options: CookieOptions) -> None:
        """Do nothing."""

    def remove_strays(self, name: str, options: CookieOptions, *, below: bool = False) -> None:
        """Do nothing."""


class DevicePlatform:
    """What the core needs, on a device. Events are sent by a thread of their own, and not by this platform."""

    def __init__(
        self,
        local_storage: IdentityFile,
        environment: Environment,
        loop: asyncio.AbstractEventLoop,
        complaints: ErrorReporter,
    ) -> None:
        """Take the file in place of localStorage, and the event loop of the core's thread."""
        self.cookie_jar = NoCookies()
        self.local_storage = local_storage
        self._environment = environment
        self._loop = loop
        self._complaints = complaints
        self._random = random.SystemRandom().random
        self._running: set[asyncio.Task[Any]] = set()

    def now(self) -> float:
        return time.time() * 1000

    def new_id(self) -> str:
        return new_id()

    def new_anonymous_id(self) -> str:
        return new_id()

    def random(self) -> float:
        return self._random()

    def environment(self) -> Environment:
        return self._environment

    def page(self) -> Mapping[str, Any]:
        return {}

    def warn(self, line: str) -> None:
        self._complaints.warn(line)

    def tell(self, line: str) -> None:
        logger.debug(line)

    def send(self, request: Request, answered: Callable[[int, float | None], None], failed: Callable[[], None]) -> None:
        """Report a failure: nothing is sent in this way."""
        failed()

    def send_last(self, request: Request) -> bool:
        return False

    def waits(self, anything: bool) -> None:
        """Do nothing: a device has no page whose end matters."""

    def call_later(self, milliseconds: float, callback: Callable[[], None]) -> Callable[[], None]:
        return self._loop.call_later(milliseconds / 1000, callback).cancel

    def exclusively(self, name: str, work: Callable[[], None]) -> None:
        """Call `work`: each call of the core holds the file's lock already."""
        work()

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.Task(work, loop=self._loop, eager_start=True)
        if not task.done():
            self._running.add(task)
            task.add_done_callback(self._finished)
        elif not task.cancelled():
            task.exception()  # It is reported in another way.
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._complaints.warn(f"{type(error).__name__}: {error}")
