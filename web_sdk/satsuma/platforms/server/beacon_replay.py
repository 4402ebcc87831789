"""Replays the calls of a page whose visitor left before Python was up, by the same core as in a page.

The page's stub sends what cookies and localStorage had. Changes that the calls make are returned, so that the answer
can set the cookies, and the next visit continues with the same identity.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from satsuma.analytics import EVENT_CALLS, Analytics, new_message_id
from satsuma.codec import find_cookie, read_id
from satsuma.delivery import Request
from satsuma.delivery_options import DeliveryOptions
from satsuma.environment import Environment
from satsuma.errors import SatsumaError
from satsuma.events import Moment
from satsuma.generation import GENERATION_KEY
from satsuma.identity import ANONYMOUS_ID_KEY, GROUP_KEYS, USER_KEYS
from satsuma.options import Endpoint, LoadOptions
from satsuma.page import chosen_id, is_buffered_page, page_context
from satsuma.platforms.cpython.ids import new_id
from satsuma.platforms.cpython.recorded_storage import RecordedStorage
from satsuma.storage import StoreKind
from satsuma.validation import MAX_BATCH_BYTES

from .cookies import RequestCookies

IDS = (ANONYMOUS_ID_KEY, USER_KEYS.id, GROUP_KEYS.id)

MOST_CALLS = 200
"""The most calls of one page that are replayed, which is also how many its stub keeps."""

MOST_NAMES = 100
"""The most cookies, and the most items of localStorage, that are read. An identity has about a dozen."""

MOST_COOKIE_CHARACTERS = 16_384
MOST_DEPTH = 64
"""How many levels a call's arguments may have. The collector accepts no deeper events."""

MOST_EVENT_BYTES = MAX_BATCH_BYTES - 1024
"""Bytes of all events that a page's calls become. An identify tells all traits again, so calls can be many times
shorter than what comes of them."""

SETTLE_SECONDS = 1
"""Seconds that calls may take to end after the last one was made. They wait for nothing, so they need far less."""

FIRST = ("consent", "setAnonymousId")
"""Calls that are made before all others, as in a page."""


@dataclass(slots=True)
class Departure:
    """What a page's stub told as the visitor left.

    Attributes:
        calls: each its name, its arguments and, where it becomes an event, the note of its moment.
        cookies: as ``document.cookie`` has them.
        storage: the identity's items of localStorage.
        options: of ``analytics.load``.
        sent_at: milliseconds since 1970, by the visitor's clock.
        events: what the page had made of earlier calls, each as JSON: it is kept before what becomes of these.
    """

    write_key: str
    calls: Sequence[Sequence[Any]]
    cookies: str = ""
    storage: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    environment: Environment = field(default_factory=Environment)
    sent_at: float = 0.0
    events: Sequence[str] = ()


class DepartedStorage(RecordedStorage):
    """The localStorage that the page had. Its changes are for a page that is still there."""


@dataclass(frozen=True, slots=True)
class RefusedCall:
    """A call that was not made, or whose event was not kept.

    Attributes:
        index: its position among the calls that were sent.
        reason: what is wrong with it.
    """

    index: int
    reason: str


class DepartedPage:
    """The page as the core's `Platform`.

    Attributes:
        bodies: the events that were sent, as JSON.
        refused: the calls that made none and should have.
        chosen_id: the next anonymousId, where the page has chosen it beforehand.
    """

    def __init__(self, departure: Departure) -> None:
        self._departure = departure
        self.cookie_jar = RequestCookies(_bounded_cookies(departure.cookies))
        self.local_storage = DepartedStorage(dict(islice(departure.storage.items(), MOST_NAMES)))
        self._choose()
        self.bodies: list[str] = []
        self.refused: list[RefusedCall] = []
        self._room = MOST_EVENT_BYTES
        self._call = 0
        self.chosen_id: str | None = None
        for event in departure.events:
            self._keep(event)

    def _choose(self) -> None:
        """Where several cookies have the name of an id, take what localStorage knows, unless that is outdated."""
        number, kept = find_cookie(self.cookie_jar.read(), GENERATION_KEY), self.local_storage.get_item
        current = number is None or number == kept(GENERATION_KEY)
        known = {read_id(kept(name) or "null") for name in IDS} - {None}
        self.cookie_jar.prefer(IDS, lambda text: (read_id(text) in known) == current)

    def turn_to(self, index: int) -> None:
        """Record which call is being made."""
        self._call = index

    def refuse(self, reason: str) -> None:
        """Record that the current call is refused."""
        self.refused.append(RefusedCall(self._call, reason))

    def now(self) -> float:
        # Delivery counts times from 0 on: with a negative time, nothing would ever be due.
        return max(0.0, self._departure.sent_at)

    def new_anonymous_id(self) -> str:
        chosen, self.chosen_id = self.chosen_id, None
        return chosen or new_id()

    def new_id(self) -> str:
        return new_id()

    def random(self) -> float:
        return 0.5

    def environment(self) -> Environment:
        return self._departure.environment

    def page(self) -> Mapping[str, Any]:
        return {}

    def warn(self, line: str) -> None:
        """Do nothing: the page's console is gone."""

    tell = warn

    def send(self, request: Request, answered: Callable[[int, float | None], None], failed: Callable[[], None]) -> None:
        self._keep(request.body)
        answered(200, None)

    def send_last(self, request: Request) -> bool:
        self._keep(request.body)
        return True

    def _keep(self, body: str) -> None:
        size = len(body.encode(errors="replace")) + 1  # With the comma between two of a batch.
        if size > self._room:
            self.refuse(
                f"the calls before it have used up the {MOST_EVENT_BYTES} bytes of events that a page may leave"
            )
            return
        self._room -= size
        self.bodies.append(body)

    def waits(self, anything: bool) -> None:
        """Do nothing: this page is gone already."""

    def call_later(self, milliseconds: float, callback: Callable[[], None]) -> Callable[[], None]:
        return lambda: None

    def exclusively(self, name: str, work: Callable[[], None]) -> None:
        """Do nothing: no other page can have left events here."""

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        return asyncio.Task(work, loop=asyncio.get_running_loop(), eager_start=True)


async def replay(departure: Departure, is_spent: Callable[[], bool] = lambda: False) -> DepartedPage:
    """Make a page's calls in its stead; return the page with what was sent and what became of its cookies.

    Calls that make no event but change who the visitor is are made too; all others need a page, and are passed over.
    The work is bounded, and a call that can't be made is refused by itself.

    Args:
        departure: the page.
        is_spent: returns whether the calls so far have used up their time; it is asked before each call.

    Raises:
        Exception: of whatever kind, where the load options are none that a page would give.
    """
    page = DepartedPage(departure)
    # Nothing would send events later that wait for their batch to fill.
    options = replace(LoadOptions.from_mapping(departure.options), delivery=DeliveryOptions(drain_from=MOST_CALLS))
    analytics = Analytics(page, Endpoint(departure.write_key, ""), options)
    analytics.diagnostics.forgetful = StoreKind.LOCAL
    tasks = _make_all(analytics, page, departure.calls, is_spent)
    if not analytics.consent.granted:
        # These would wait for ever, since the visitor can't be asked for consent any more.
        for task in tasks:
            task.cancel()
    if tasks:
        _, waiting = await asyncio.wait(tasks, timeout=SETTLE_SECONDS)
        for task in waiting:
            task.cancel()
    return page


def _make_all(
    analytics: Analytics, page: DepartedPage, calls: Sequence[Sequence[Any]], is_spent: Callable[[], bool]
) -> list[asyncio.Future[Any]]:
    tasks = []
    for index, (name, *args) in _ordered(calls):
        page.turn_to(index)
        if index >= MOST_CALLS:
            page.refuse(f"a page may leave {MOST_CALLS} calls")
        elif is_spent():
            page.refuse("the calls before it have taken all the time that a page's may take")
        elif _nests_deeper(args, MOST_DEPTH):
            page.refuse(f"it is nested too deeply: the limit is {MOST_DEPTH} levels")
        elif (task := _make(analytics, page, name, args)) is not None:
            tasks.append(task)
    return tasks


def _ordered(calls: Sequence[Sequence[Any]]) -> list[tuple[int, Sequence[Any]]]:
    """Return the valid calls with their positions, in the order in which a page would make them."""
    found = [(index, call) for index, call in enumerate(calls) if call and isinstance(call[0], str)]
    return sorted(found, key=lambda one: one[1][0] not in FIRST)


def _nests_deeper(values: list[Any], most: int) -> bool:
    """Tell whether anything in some values lies deeper than `most` levels, going no deeper than that itself."""
    level: list[Any] = values
    for _ in range(most):
        inner = (one.values() if isinstance(one, Mapping) else one for one in level if isinstance(one, Mapping | list))
        level = [value for values in inner for value in values]
        if not level:
            return False
    return True


def _bounded_cookies(header: str) -> str:
    """Return the first cookies of a header that is longer than a browser's."""
    return ";".join(header[:MOST_COOKIE_CHARACTERS].split(";", MOST_NAMES)[:MOST_NAMES])


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
            page.chosen_id = chosen_id(args[0] if args else None)
            analytics.reset()
    except SatsumaError as error:
        # A page would write this to its console.
        page.refuse(str(error))
    except Exception as error:
        # Whatever somebody has sent here must not affect the other calls.
        page.refuse(f"it can't be made: {type(error).__name__}")
    return None


def _moment(page: DepartedPage, note: Mapping[str, Any]) -> Moment:
    at, message_id = note.get("at"), note.get("id")
    return Moment(
        at=float(at) if isinstance(at, int | float) else page.now(),
        page=page_context({key: value for key, value in note.items() if isinstance(value, str)}),
        message_id=message_id if isinstance(message_id, str) and message_id else new_message_id(page),
    )
