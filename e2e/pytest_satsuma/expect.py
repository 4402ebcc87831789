"""Expectations that wait, in Playwright's manner: for events in the collector, and for who the visitor is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from operator import methodcaller
from typing import Any

from satsuma_server.testing import Collector

from .case import Case
from .errors import ExpectationError
from .identity import IdentityState
from .matching import Wanted, nearest, tell, wanted
from .steps import Steps, awaited, sync
from .tab import Tab
from .timeline import describe

type Event = dict[str, Any]
type Who = IdentityState | Tab | Mapping[str, Any]
"""An identity as it was, a visitor (asked again and again while waited for), or an event with its ids."""

__tracebackhide__ = methodcaller("errisinstance", ExpectationError)
"""A failed test shows its own line, not ours."""

STORY = "What happened:"
SECONDS = 10.0
QUIET_SECONDS = 0.5
POLL_SECONDS = 0.03


class Expecting:
    """The recipes. `Expectations` and `AsyncExpectations` are their two faces."""

    def __init__(self, collector: Collector, case: Case) -> None:
        """Take the collector whose events are waited for, and the test whose story a failure tells."""
        self.collector = collector
        self._case = case
        if collector not in case.collectors:
            case.collectors.append(collector)

    def pause(self, seconds: float) -> Any:
        """Wait, while Playwright goes on hearing of pages."""
        raise NotImplementedError

    def stored(self) -> Any:
        """Return the collector's events."""
        raise NotImplementedError

    def _event(
        self,
        event: str | None = None,
        *,
        type: str | None = None,
        user_id: Any = ...,
        anonymous_id: Any = ...,
        properties: Any = ...,
        traits: Any = ...,
        context: Any = ...,
        count: int = 1,
        timeout: float = SECONDS,
        **fields: Any,
    ) -> Steps[Event]:
        """Wait for an event in the collector, and return the newest that is as wanted.

        Values are matched as `matching.differences` says: mappings by what they must hold, patterns, types, functions.

        Args:
            event: a track's name; with `type`, also a page's or a screen's.
            type: ``identify``, ``page`` and so on; ``track`` where only a name is given.
            user_id, anonymous_id: None for an event that has none.
            properties, traits, context: what they must hold at least.
            count: how many there must be at least.
            timeout: seconds.
            fields: more of the event, by the tracking API's names.

        Raises:
            ExpectationError: it did not come.
        """
        given = {"userId": user_id, "anonymousId": anonymous_id, "properties": properties, "traits": traits}
        wish = _wish(event, type, {**given, "context": context, **fields})
        limit = time.monotonic() + timeout
        while True:
            events: list[Event] = yield self.stored()
            found = [one for one in events if wish.matches(one)]
            if len(found) >= count:
                return found[-1]
            if time.monotonic() > limit:
                times = f" {count} times" if count > 1 else ""
                self._fail(f"waited {timeout:g} s{times} for {wish}\n{nearest(wish, events)}")
            yield self.pause(POLL_SECONDS)

    def _no_event(
        self, event: str | None = None, *, type: str | None = None, within: float = QUIET_SECONDS, **fields: Any
    ) -> Steps[None]:
        """Check that an event does not come: not while pages have posts under way, nor for `within` seconds after.

        Args:
            event, type: as for an event that is expected.
            within: seconds.
            fields: what must hold of an event to count; ``user_id`` and the like as for an event that is expected.

        Raises:
            ExpectationError: it came.
        """
        wish = _wish(event, type, _named(fields))
        limit = time.monotonic() + within
        while True:
            for one in (yield self.stored()):
                if wish.matches(one):
                    self._fail(f"did not expect {wish}\n  There is: {describe(one)} with seq {one['seq']}")
            if time.monotonic() > limit and not any(tab.device.under_way for tab in self._case.tabs):
                return
            if time.monotonic() > limit + SECONDS:
                return  # A beacon whose answer nobody hears of.
            yield self.pause(POLL_SECONDS)

    def _order(self, *events: str | Wanted, timeout: float = SECONDS) -> Steps[list[Event]]:
        """Wait for events that the collector has stored in this order, with any others between, and return them.

        Args:
            events: each a track's name, a type (``"identify"``), or a `Wanted`.
            timeout: seconds.

        Raises:
            ExpectationError: they did not come, or came in another order.
        """
        wishes = [wanted(one) for one in events]
        limit = time.monotonic() + timeout
        while True:
            stored = yield self.stored()
            found = _in_order(wishes, stored)
            if len(found) == len(wishes):
                return found
            if time.monotonic() > limit:
                missing = wishes[len(found)]
                after = f" after {describe(found[-1])}" if found else ""
                told = "\n".join(f"    {describe(event)}" for event in stored)
                self._fail(
                    f"waited {timeout:g} s for {missing}{after}\n  In the collector's order:\n{told or '    none'}"
                )
            yield self.pause(POLL_SECONDS)

    def _same_visitor(self, before: Who, after: Who, *, timeout: float = SECONDS) -> Steps[None]:
        """Wait until somebody is who they were: the same anonymousId and the same userId.

        Raises:
            ExpectationError: they are somebody else.
        """

        def wrong(one: IdentityState, other: IdentityState) -> str | None:
            if one.anonymous_id is None:
                return "there was no anonymousId before"
            if one.anonymous_id != other.anonymous_id:
                return "the anonymousId has changed"
            return None if one.user_id == other.user_id else "the userId has changed"

        yield from self._compare("the same visitor", before, after, wrong, timeout)

    def _new_visitor(self, before: Who, after: Who, *, timeout: float = SECONDS) -> Steps[None]:
        """Wait until somebody is nobody known: another anonymousId, and no userId.

        Raises:
            ExpectationError: they are who they were, or known.
        """

        def wrong(one: IdentityState, other: IdentityState) -> str | None:
            if other.anonymous_id is None:
                return "there is no anonymousId"
            if one.anonymous_id == other.anonymous_id:
                return "the anonymousId is the old one"
            return None if other.user_id is None else "there is a userId"

        yield from self._compare("a new visitor", before, after, wrong, timeout)

    def _identified(
        self, who: Who, user_id: Any = ..., *, traits: Any = ..., timeout: float = SECONDS
    ) -> Steps[IdentityState]:
        """Wait until a visitor is known, and return the identity.

        Args:
            who: whom.
            user_id: as whom; any userId unless given.
            traits: what the traits must hold at least.
            timeout: seconds.

        Raises:
            ExpectationError: they are not known, or as somebody else.
        """
        fields = {"user_id": str if user_id is ... else user_id, "traits": traits}
        wish = Wanted(fields=fields)
        limit = time.monotonic() + timeout
        while True:
            state = yield from _identity(who)
            found = wish.differences({"user_id": state.user_id, "traits": state.traits or {}})
            if not found:
                return state
            if time.monotonic() > limit:
                lines = "\n".join(f"    {difference}" for difference in found)
                self._fail(f"waited {timeout:g} s for an identified visitor\n{lines}\n    is: {state.as_dict()}")
            yield self.pause(POLL_SECONDS)

    def _compare(
        self,
        what: str,
        before: Who,
        after: Who,
        wrong: Callable[[IdentityState, IdentityState], str | None],
        timeout: float,
    ) -> Steps[None]:
        limit = time.monotonic() + (timeout if isinstance(after, Tab) else 0)
        one = yield from _identity(before)
        while True:
            other = yield from _identity(after)
            reason = wrong(one, other)
            if reason is None:
                return
            if time.monotonic() > limit:
                ids = (
                    f"    {name:<13}{tell(getattr(one, key))} → {tell(getattr(other, key))}"
                    for name, key in (("anonymousId", "anonymous_id"), ("userId", "user_id"))
                )
                self._fail("\n".join([f"expected {what}, but {reason}:", *ids]))
            yield self.pause(POLL_SECONDS)

    def _fail(self, message: str) -> None:
        raise ExpectationError(f"{message}\n\n{STORY}\n{self._case.as_text()}")


class Expectations(Expecting):
    """Expectations over Playwright's synchronous API."""

    def pause(self, seconds: float) -> None:
        tab = self._case.tabs[-1] if self._case.tabs else None
        if tab is None:
            time.sleep(seconds)
        else:
            tab.pause(seconds)

    def stored(self) -> list[Event]:
        return self.collector.events()

    event = sync(Expecting._event)
    no_event = sync(Expecting._no_event)
    order = sync(Expecting._order)
    same_visitor = sync(Expecting._same_visitor)
    new_visitor = sync(Expecting._new_visitor)
    identified = sync(Expecting._identified)


class AsyncExpectations(Expecting):
    """Expectations over Playwright's asynchronous API."""

    def pause(self, seconds: float) -> Any:
        return asyncio.sleep(seconds)

    def stored(self) -> Any:
        return asyncio.to_thread(self.collector.events)

    event = awaited(Expecting._event)
    no_event = awaited(Expecting._no_event)
    order = awaited(Expecting._order)
    same_visitor = awaited(Expecting._same_visitor)
    new_visitor = awaited(Expecting._new_visitor)
    identified = awaited(Expecting._identified)


def _wish(event: str | None, type: str | None, fields: Mapping[str, Any]) -> Wanted:
    return Wanted(event, type, {name: value for name, value in fields.items() if value is not ...})


def _named(fields: Mapping[str, Any]) -> dict[str, Any]:
    names = {"user_id": "userId", "anonymous_id": "anonymousId"}
    return {names.get(name, name): value for name, value in fields.items()}


def _identity(who: Who) -> Steps[IdentityState]:
    if isinstance(who, Tab):
        return (yield from who._identity())
    if isinstance(who, IdentityState):
        return who
    return IdentityState(cookie_user_id=who.get("userId"), cookie_anonymous_id=who.get("anonymousId"))


def _in_order(wishes: list[Wanted], events: list[Event]) -> list[Event]:
    found: list[Event] = []
    for event in events:
        if len(found) < len(wishes) and wishes[len(found)].matches(event):
            found.append(event)
    return found
