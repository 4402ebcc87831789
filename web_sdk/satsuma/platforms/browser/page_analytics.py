"""The analytics of a worker's page, as Python in the worker sees it: the same methods, whose answers are awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any, NoReturn

from satsuma.calls import Calls, Dispatch
from satsuma.delivery import DeliveryReport
from satsuma.events import Moment
from satsuma.identity import UNSET, Unset
from satsuma.json_values import LEFT_OUT, PlainCopy
from satsuma.omissions import Omissions
from satsuma.plugins import Context

from .page_channel import PageChannel


class PageIdentity:
    """The page's user or group."""

    def __init__(self, channel: PageChannel, kind: str) -> None:
        """Take the line to the page, and ``user`` or ``group``."""
        self._channel = channel
        self._kind = kind

    def id(self, value: str | Unset | None = UNSET) -> Awaitable[str | None]:
        """Set the id, or remove it by None; the answer is the id that is kept."""
        return self._ask("id", value)

    def anonymous_id(self, value: str | Unset | None = UNSET) -> Awaitable[str | None]:
        """Set the anonymousId, or remove it by None; the answer is the one that is kept."""
        return self._ask("anonymousId", value)

    def traits(self, value: dict[str, Any] | Unset | None = UNSET) -> Awaitable[dict[str, Any] | None]:
        """Replace the traits; the answer are those that are kept."""
        return self._ask("traits", value)

    def _ask(self, name: str, value: Any) -> Awaitable[Any]:
        return self._channel.ask([self._kind, name], [] if value is UNSET else [value])


class PageAnalytics(Calls):
    """The page's analytics. Awaiting a call gives what the page answers, and is optional."""

    def __init__(self, channel: PageChannel) -> None:
        """Take the line to the page."""
        self._channel = channel

    def call(self, name: str, args: Sequence[Any], moment: Moment | None = None) -> Dispatch:
        """Have the page make the call `name`. Its time is that at which the page hears of it, a moment later.

        What JSON can't write is left out, and the worker's console is warned of it.
        """
        callback = next((one for one in args if callable(one)), None)
        omissions = Omissions()
        copied = [self._plain(one, omissions) for one in args if not callable(one)]
        if omissions:
            self._channel.warn(f"analytics.{name} goes without {omissions}")
        answer = self._channel.ask([name], copied)
        return asyncio.ensure_future(_context(name, answer, callback))

    def _plain(self, value: Any, omissions: Omissions) -> Any:
        # An id is text: the page would round a large number.
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        copied = PlainCopy(omissions).of(value)
        return None if copied is LEFT_OUT else copied

    def user(self) -> PageIdentity:
        """Return the visitor."""
        return PageIdentity(self._channel, "user")

    @property
    def current_group(self) -> PageIdentity:
        """The visitor's group."""
        return PageIdentity(self._channel, "group")

    def set_anonymous_id(self, anonymous_id: str | Unset | None = UNSET) -> Awaitable[str | None]:
        """Set the anonymousId, or remove it by None. Without an argument, the answer is the current one."""
        given = [] if anonymous_id is UNSET else [anonymous_id]
        return self._channel.ask(["user", "anonymousId"] if not given else ["setAnonymousId"], given)

    def reset(self) -> Awaitable[None]:
        """Remove the ids and traits of visitor and group. The next call creates a new anonymousId."""
        return self._channel.ask(["reset"], [])

    def grant_consent(self) -> Awaitable[None]:
        """Record the visitor's yes."""
        return self._channel.ask(["consent"], [True])

    def withdraw_consent(self) -> Awaitable[None]:
        """Record the visitor's no."""
        return self._channel.ask(["consent"], [False])

    async def ready(self) -> None:
        """Wait until the page's analytics is up.

        Raises:
            BootError: the page has none.
            ArgumentError: it does not come up.
        """
        await self._channel.ask(["delivery"], [])

    async def flush(self) -> DeliveryReport:
        """Wait until all events are acknowledged or dropped."""
        return DeliveryReport(**await self._channel.ask(["flush"], []))

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(
            f"{name}: in a worker the page's analytics has no such method. Plugins, middleware and listeners belong in "
            "the page, and modules in Python into the option pythonPlugins of its snippet."
        )


async def _context(name: str, answer: Awaitable[Any], callback: Any) -> Context:
    told = await answer or {}
    context = Context(told.get("event") or {"type": name}, told.get("cancelled"), told.get("delivered"))
    context.attempts = told.get("attempts") or 1
    if callback is not None:
        called = callback(context)
        if hasattr(called, "__await__"):
            await called
    return context
