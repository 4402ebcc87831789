"""Expectations that wait until they are met, as Playwright's do: for events in the collector and for identities."""

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
"""An identity that was read before, a visitor (whose identity is read again while waiting), or an event with its
ids."""

__tracebackhide__ = methodcaller("errisinstance", ExpectationError)
"""Hides our own frames, so that pytest shows the line of the test that failed."""

STORY = "What happened:"
SECONDS = 10.0
QUIET_SECONDS = 0.5
POLL_SECONDS = 0.03


class Expecting:
    """The recipes of all expectations. `Expectations` and `AsyncExpectations` run them over Playwright's two APIs."""

    def __init__(self, collector: Collector, case: Case) -> None:
        """Take the collector whose events are expected, and the test whose timeline a failure shows."""
        self.collector = collector
        self._case = case
        if collector not in case.collectors:
            case.collectors.append(collector)

    def pause(self, seconds: float) -> Any:
        """Wait, while Playwright still handles events of pages."""
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
        """Wait for an event in the collector, and return the newest one that matches.

        Values are compared as `matching.differences` describes: a mapping by the keys that it has, and also by
        patterns, types and functions.

        Args:
            event: name of a track call, or with `type` of a page or a screen.
            type: ``identify``, ``page`` and so on; ``track`` where only a name is given.
            user_id, anonymous_id: the ids; None for an event without the id.
            properties, traits, context: what they must have at least.
            count: how many matching events there must be at least.
            timeout: seconds to wait.
            fields: other fields of the event, by their names in the tracking API.

        Raises:
            ExpectationError: no such event arrived in time.
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
        """Check that an event doesn't arrive while pages still wait for answers to posts, nor for `within` seconds
        after.

        Args:
            event, type: as in `event`.
            within: seconds to wait.
            fields: other conditions that the event would have to meet, as in `event`.

        Raises:
            ExpectationError: such an event arrived.
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
                return  # A post that has no answer is a beacon, whose answer nobody gets.
            yield self.pause(POLL_SECONDS)

    def _order(self, *events: str | Wanted, timeout: float = SECONDS) -> Steps[list[Event]]:
        """Wait for events that the collector stores in this order, with or without others between them, and return
        them.

        Args:
            events: each is the name of a track call, a type such as ``"identify"``, or a `Wanted`.
            timeout: seconds to wait.

        Raises:
            ExpectationError: they did not arrive in time, or arrived in another order.
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
        """Wait until two identities are the same: the same anonymousId and the same userId.

        Raises:
            ExpectationError: they differ.
        """

        def wrong(one: IdentityState, other: IdentityState) -> str | None:
            if one.anonymous_id is None:
                return "there was no anonymousId before"
            if one.anonymous_id != other.anonymous_id:
                return "the anonymousId has changed"
            return None if one.user_id == other.user_id else "the userId has changed"

        yield from self._compare("the same visitor", before, after, wrong, timeout)

    def _new_visitor(self, before: Who, after: Who, *, timeout: float = SECONDS) -> Steps[None]:
        """Wait until a visitor is a new one: with another anonymousId, and without a userId.

        Raises:
            ExpectationError: the anonymousId is the same, or there is a userId.
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
        """Wait until a visitor has a userId, and return the identity.

        Args:
            who: the visitor.
            user_id: the expected userId; any unless given.
            traits: what the traits must have at least.
            timeout: seconds to wait.

        Raises:
            ExpectationError: the visitor has no userId, or another one.
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
