"""Any sequence of calls, expiries, clearings and tab switches keeps the rules of the specification.

The model knows nothing of stores that heal each other: it knows which of the two still holds the visitor, what each
open page remembers, and the specification's sentences.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from fakes import DAY, FakePlatform
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule
from satsuma.analytics import Analytics
from satsuma.options import Endpoint

IDS = st.sampled_from(["u1", "u2", "97980cfea0067", "žluť;🍊", "007"])
COOKIE, LOCAL = "cookie", "localStorage"


@dataclass(frozen=True)
class Person:
    """Who a store or a page takes the visitor for; no anonymousId where the next call makes one."""

    anonymous_id: str | None = None
    user_id: str | None = None


class Visits(RuleBasedStateMachine):
    """One visitor with several tabs."""

    tabs = Bundle("tabs")

    def __init__(self) -> None:
        super().__init__()
        self.platform = FakePlatform()
        self.kept: dict[str, Person] = {}
        self.memory: dict[int, Person] = {}
        self.pages: dict[int, Analytics] = {}
        self.seen: set[str] = set()
        self.message_ids: set[str] = set()

    # What happens

    @initialize(target=tabs)
    def first_visit(self) -> int:
        return self.open_tab()

    @rule(target=tabs)
    def open_tab(self) -> int:
        tab = len(self.pages)
        self.pages[tab] = Analytics(self.platform, Endpoint("demo", "https://c.test/v1"))
        self.memory[tab] = Person()
        return tab

    @rule(tab=tabs)
    def reload(self, tab: int) -> None:
        self.pages[tab] = Analytics(self.platform, Endpoint("demo", "https://c.test/v1"))
        self.memory[tab] = Person()

    @rule(tab=tabs)
    def track(self, tab: int) -> None:
        before = self.person(tab)
        event = self.call(tab, "track", "Looked")
        self.check(tab, before, event)

    @rule(tab=tabs, user_id=IDS)
    def identify(self, tab: int, user_id: str) -> None:
        before = self.person(tab)
        event = self.call(tab, "identify", user_id, {"plan": "pips"})
        replaced = before.user_id not in (None, user_id)
        # «If you call identify with a userId that is different …»: the anonymousId belonged to somebody else.
        self.check(tab, Person(None if replaced else before.anonymous_id, user_id), event)

    @rule(tab=tabs)
    def identify_without_an_id(self, tab: int) -> None:
        before = self.person(tab)
        self.check(tab, before, self.call(tab, "identify", {"email": "jvisitor@thissite.com"}))

    @rule(tab=tabs)
    def reset(self, tab: int) -> None:
        # «It removes both their userId and anonymousId.»
        self.pages[tab].reset()
        self.kept = {}
        self.memory[tab] = Person()

    @rule(tab=tabs, number=st.integers(0, 3))
    def set_anonymous_id(self, tab: int, number: int) -> None:
        before = self.person(tab)
        given = f"given-{number}"
        self.pages[tab].set_anonymous_id(given)
        self.keep(tab, Person(given, before.user_id), anonymous_only=True)

    @rule()
    def cookies_expire(self) -> None:
        self.platform.time += 366 * DAY
        self.kept.pop(COOKIE, None)

    @rule()
    def cookies_are_cleared(self) -> None:
        self.platform.cookie_jar.cookies.clear()
        self.kept.pop(COOKIE, None)

    @rule()
    def local_storage_is_cleared(self) -> None:
        self.platform.local_storage.items.clear()
        self.kept.pop(LOCAL, None)

    # What must hold

    @invariant()
    def nothing_was_warned_of(self) -> None:
        assert self.platform.warnings == []

    def person(self, tab: int) -> Person:
        """Return who the next call in a tab is by."""
        return self.kept.get(LOCAL) or self.kept.get(COOKIE) or self.memory[tab]

    def check(self, tab: int, expected: Person, event: dict[str, Any]) -> None:
        assert event["userId"] == expected.user_id
        if expected.anonymous_id is None:
            # «The user generates a new anonymousId.»
            assert event["anonymousId"] not in self.seen
        else:
            assert event["anonymousId"] == expected.anonymous_id
        assert event["messageId"] not in self.message_ids
        self.message_ids.add(event["messageId"])
        self.keep(tab, Person(event["anonymousId"], event["userId"]))
        assert self.stored() == [self.person(tab)] * 2

    def keep(self, tab: int, person: Person, *, anonymous_only: bool = False) -> None:
        self.seen.add(person.anonymous_id or "")
        self.memory[tab] = person
        self.kept = {COOKIE: person, LOCAL: person}
        if anonymous_only:
            # Setting an anonymousId heals that one key; a call then heals the other.
            self.check(tab, person, self.call(tab, "track", "Set"))

    def stored(self) -> list[Person]:
        """Return what cookies and localStorage hold, read without the SDK."""
        from satsuma.codec import find_cookie

        cookies = self.platform.cookie_jar.read()
        local = {name: json.loads(text) for name, text in self.platform.local_storage.items.items()}
        return [
            Person(find_cookie(cookies, "ajs_anonymous_id"), find_cookie(cookies, "ajs_user_id")),
            Person(local.get("ajs_anonymous_id"), local.get("ajs_user_id")),
        ]

    def call(self, tab: int, name: str, *args: Any) -> dict[str, Any]:
        async def make() -> dict[str, Any]:
            context = await self.pages[tab].call(name, list(args))
            return context.event

        return asyncio.run(make())


TestVisits = Visits.TestCase
TestVisits.settings = settings(max_examples=60, stateful_step_count=30, deadline=None, derandomize=True)
