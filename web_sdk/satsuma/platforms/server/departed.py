"""A page whose visitor has left before Python was up: its calls become events here, by the same core.

The page's stub tells what cookies and localStorage held; what the calls change of them is told back, so that the answer
can set the cookies and the next visit goes on with the same identity.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from satsuma.analytics import EVENT_CALLS, Analytics, new_message_id
from satsuma.delivery import Request
from satsuma.environment import Environment
from satsuma.errors import SatsumaError
from satsuma.events import Moment
from satsuma.options import Endpoint, LoadOptions
from satsuma.page import is_buffered_page, page_context
from satsuma.storage import StoreKind

from .cookies import RequestCookies
from .ids import new_id

MOST_CALLS = 1000
FIRST = ("consent", "setAnonymousId")
"""Calls that come before all others, as in a page."""


@dataclass(slots=True)
class Departure:
    """What a page's stub told as the visitor left.

    Attributes:
        calls: each its name, its arguments and, where it becomes an event, the note of its moment.
        cookies: as ``document.cookie`` has them.
        storage: the identity's items of localStorage.
        options: of ``analytics.load``.
        sent_at: milliseconds since 1970, by the visitor's clock.
    """

    write_key: str
    calls: Sequence[Sequence[Any]]
    cookies: str = ""
    storage: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    environment: Environment = field(default_factory=Environment)
    sent_at: float = 0.0


class DepartedStorage:
    """The localStorage that the page had; what is written to it is gone with the page."""

    def __init__(self, items: Mapping[str, str]) -> None:
        self._items = dict(items)

    def get_item(self, key: str) -> str | None:
        return self._items.get(key)

    def set_item(self, key: str, value: str) -> None:
        self._items[key] = value

    def remove_item(self, key: str) -> None:
        self._items.pop(key, None)

    def all_keys(self) -> Sequence[str]:
        return list(self._items)


class DepartedPage:
    """The page as the core's `Platform`: what is sent is gathered in `bodies`."""

    def __init__(self, departure: Departure) -> None:
        self._departure = departure
        self.jar = RequestCookies(departure.cookies)
        self.area = DepartedStorage(departure.storage)
        self.bodies: list[str] = []

    def now(self) -> float:
        return self._departure.sent_at

    def new_anonymous_id(self) -> str:
        return new_id()

    def new_id(self) -> str:
        return new_id()

    def chance(self) -> float:
        return 0.5

    def environment(self) -> Environment:
        return self._departure.environment

    def page(self) -> Mapping[str, Any]:
        return {}

    def warn(self, line: str) -> None:
        """Say nothing: there is no console any more."""

    tell = warn

    def send(self, request: Request, answered: Callable[[int, float | None], None], failed: Callable[[], None]) -> None:
        self.bodies.append(request.body)
        answered(200, None)

    def send_last(self, request: Request) -> bool:
        self.bodies.append(request.body)
        return True

    def waits(self, anything: bool) -> None:
        """Do nothing: this page is gone already."""

    def call_later(self, milliseconds: float, callback: Callable[[], None]) -> Callable[[], None]:
        return lambda: None

    def exclusively(self, name: str, work: Callable[[], None]) -> None:
        """Do nothing: nobody else has left anything here."""

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        return asyncio.Task(work, loop=asyncio.get_running_loop(), eager_start=True)


async def replay(departure: Departure) -> DepartedPage:
    """Make a page's calls in its stead; return the page with what was sent and what became of its cookies.

    Calls that make no event but change who the visitor is are made too; all others need a page, and are passed over.
    """
    page = DepartedPage(departure)
    options = LoadOptions.from_mapping(departure.options)
    analytics = Analytics(page, Endpoint(departure.write_key, ""), options)
    analytics.diagnostics.forgetful = StoreKind.LOCAL
    calls = [call for call in departure.calls[:MOST_CALLS] if call and isinstance(call[0], str)]
    ordered = [call for call in calls if call[0] in FIRST] + [call for call in calls if call[0] not in FIRST]
    made = [_make(analytics, page, str(name), list(args)) for name, *args in ordered]
    tasks = [task for task in made if task is not None]
    if not analytics.consent.granted:
        # They would wait for ever: nobody can be asked any more.
        for task in tasks:
            task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return page


def _make(analytics: Analytics, page: DepartedPage, name: str, args: list[Any]) -> asyncio.Future[Any] | None:
    try:
        if name in EVENT_CALLS:
            note = args.pop() if args and is_buffered_page(args[-1]) else {}
            return asyncio.ensure_future(analytics.call(name, args, _moment(page, note)))
        if name == "setAnonymousId" and args and isinstance(args[0], str):
            analytics.set_anonymous_id(args[0])
        elif name == "consent":
            analytics.grant_consent() if not args or args[0] else analytics.withdraw_consent()
        elif name == "reset":
            analytics.reset()
    except SatsumaError:
        # A page would have warned of it on its console; here nobody reads one.
        return None
    return None


def _moment(page: DepartedPage, note: Mapping[str, Any]) -> Moment:
    at, message_id = note.get("at"), note.get("id")
    return Moment(
        at=float(at) if isinstance(at, int | float) else page.now(),
        page=page_context({key: value for key, value in note.items() if isinstance(value, str)}),
        message_id=message_id if isinstance(message_id, str) and message_id else new_message_id(page),
    )
