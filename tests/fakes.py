"""A page without a browser: cookies that expire, a localStorage that can break, a clock that is moved by hand."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from typing import Any

from satsuma.cookie_jar import CookieOptions
from satsuma.delivery import Request
from satsuma.environment import Environment

DAY = 86_400_000


class FakeJar:
    """Cookies by name, each with the time at which it expires."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.cookies: dict[str, tuple[str, float]] = {}
        self.written: list[tuple[str, float, CookieOptions]] = []
        self.path = "/"
        self.strays: list[tuple[str, str, str]] = []
        """Cookies of other places: name, path and value."""
        self.stuck: list[tuple[str, str, str]] = []
        """Those that can't be removed."""

    def read(self) -> str:
        own = [f"{name}={value}" for name, (value, until) in self.cookies.items() if until > self._clock()]
        seen = [f"{name}={value}" for name, path, value in self.strays if self.path.startswith(path)]
        return "; ".join([*seen, *own])

    def remove_strays(self, name: str, options: CookieOptions, *, below: bool = False) -> None:
        reached = [
            stray
            for stray in self.strays
            if stray[0] == name and self.path.startswith(stray[1]) and stray not in self.stuck
        ]
        self.strays = [stray for stray in self.strays if stray not in reached or (below and stray[1] == "/")]

    def write(self, name: str, value: str, *, days: float, options: CookieOptions) -> None:
        self.written.append((name, days, options))
        if days < 0:
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = (value, self._clock() + days * DAY)


class FakeArea:
    """A localStorage that can be told to fail."""

    def __init__(self) -> None:
        self.items: dict[str, str] = {}
        self.broken = False

    def _check(self) -> None:
        if self.broken:
            raise OSError("disabled")

    def get_item(self, key: str) -> str | None:
        self._check()
        return self.items.get(key)

    def set_item(self, key: str, value: str) -> None:
        self._check()
        self.items[key] = value

    def remove_item(self, key: str) -> None:
        self._check()
        self.items.pop(key, None)

    def all_keys(self) -> list[str]:
        self._check()
        return list(self.items)


class FakePlatform:
    """A `Platform` whose requests are answered by the test."""

    def __init__(self) -> None:
        self.time = 1_587_681_528_550.0
        self.cookie_jar = FakeJar(self.now)
        self.local_storage = FakeArea()
        self.warnings: list[str] = []
        self.sent: list[tuple[Request, Callable[[int, float | None], None], Callable[[], None]]] = []
        self.last: list[Request] = []
        self.status: int | None = 200
        self.beacons_work = True
        self.told: list[str] = []
        self.waiting = False
        self.refuses_tracking: frozenset[str] = frozenset()
        self.current_page = {
            "path": "/",
            "referrer": "",
            "search": "",
            "title": "Home Page",
            "url": "https://somesite.com/",
        }
        self._ids = itertools.count(1)

    def now(self) -> float:
        return self.time

    def new_anonymous_id(self) -> str:
        return self.new_id()

    def new_id(self) -> str:
        return f"00000000-0000-4000-8000-{next(self._ids):012d}"

    def random(self) -> float:
        return 0.5

    def environment(self) -> Environment:
        return Environment(
            user_agent="Mozilla/5.0",
            locale="en-US",
            timezone="UTC",
            library_version="satsuma-test",
            refuses_tracking=self.refuses_tracking,
        )

    def page(self) -> dict[str, Any]:
        return dict(self.current_page)

    def warn(self, line: str) -> None:
        self.warnings.append(line)

    def tell(self, line: str) -> None:
        self.told.append(line)

    def send(self, request: Request, answered: Callable[[int, float | None], None], failed: Callable[[], None]) -> None:
        self.sent.append((request, answered, failed))
        if self.status is not None:
            answered(self.status, None)

    def send_last(self, request: Request) -> bool:
        self.last.append(request)
        return self.beacons_work

    def waits(self, anything: bool) -> None:
        self.waiting = anything

    def call_later(self, milliseconds: float, callback: Callable[[], None]) -> Callable[[], None]:
        return lambda: None

    def exclusively(self, name: str, work: Callable[[], None]) -> None:
        work()

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        return asyncio.Task(work, loop=asyncio.get_running_loop(), eager_start=True)
