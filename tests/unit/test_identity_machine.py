"""Any sequence of calls, expiries, clearings, tab switches and sub-domains keeps the rules of the specification.

The model knows nothing of stores that heal each other: it knows which of the copies (the cookies that all origins
share, each origin's localStorage, what each open page remembers) still holds a visitor, after which change it was made,
and the specification's sentences.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from typing import Any

from fakes import DAY, FakePlatform
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule
from satsuma.analytics import Analytics
from satsuma.codec import find_cookie
from satsuma.options import Endpoint

IDS = st.sampled_from(["u1", "u2", "97980cfea0067", "žluť;🍊", "007"])
ORIGINS = ("www", "app")
COOKIE = "cookie"
MINUTE = 60_000


@dataclass(frozen=True)
class Person:
    """Who a copy takes the visitor for, and after which change; no anonymousId where the next call makes one."""

    anonymous_id: str | None = None
    user_id: str | None = None
    change: int = 0


class Visits(RuleBasedStateMachine):
    """One visitor with several tabs on two sub-domains, which share their cookies."""

    tabs = Bundle("tabs")

    def __init__(self) -> None:
        super().__init__()
        self.platforms = {origin: FakePlatform() for origin in ORIGINS}
        for platform in self.platforms.values():
            platform.cookie_jar = self.platforms["www"].cookie_jar
            platform.new_id = self.platforms["www"].new_id  # type: ignore[method-assign]
        self.kept: dict[str, Person] = {}
        self.memory: dict[int, Person] = {}
        self.pages: dict[int, Analytics] = {}
        self.origins: dict[int, str] = {}
        self.changes = 0
        self.seen: set[str] = set()
        self.message_ids: set[str] = set()

    # What happens

    @initialize(target=tabs)
    def first_visit(self) -> int:
        return self.open_tab("www")

    @rule(target=tabs, origin=st.sampled_from(ORIGINS))
    def open_tab(self, origin: str) -> int:
        tab = len(self.pages)
        self.origins[tab] = origin
        self.reload(tab)
        return tab

    @rule(tab=tabs)
    def reload(self, tab: int) -> None:
        self.pages[tab] = Analytics(self.platforms[self.origins[tab]], Endpoint("demo", "https://c.test/v1"))
        self.memory[tab] = Person()

    @rule(tab=tabs)
    def track(self, tab: int) -> None:
        before = self.person(tab)
        self.check(tab, before, self.call(tab, "track", "Looked"))

    @rule(tab=tabs, user_id=IDS)
    def identify(self, tab: int, user_id: str) -> None:
        before = self.person(tab)
        event = self.call(tab, "identify", user_id, {"of": user_id})
        replaced = before.user_id not in (None, user_id)
        # «If you call identify with a userId that is different …»: the anonymousId belonged to somebody else.
        anonymous_id = None if replaced else before.anonymous_id
        change = before.change if user_id == before.user_id else self.next_change()
        self.check(tab, Person(anonymous_id, user_id, change), event)

    @rule(tab=tabs)
    def identify_without_an_id(self, tab: int) -> None:
        before = self.person(tab)
        event = self.call(tab, "identify", {"email": "jvisitor@thissite.com"})
        self.check(tab, before, event)
        assert event["traits"].get("of") in (None, before.user_id), "nobody takes over the traits of somebody else"

    @rule(tab=tabs)
    def reset(self, tab: int) -> None:
        # «It removes both their userId and anonymousId.»
        self.wait(MINUTE)
        self.pages[tab].reset()
        self.keep(tab, Person(change=self.next_change()))

    @rule(tab=tabs, number=st.integers(0, 3))
    def set_anonymous_id(self, tab: int, number: int) -> None:
        before = self.person(tab)
        given = f"given-{number}"
        self.wait(MINUTE)
        self.pages[tab].set_anonymous_id(given)
        change = before.change if given == before.anonymous_id else self.next_change()
        self.seen.add(given)
        self.keep(tab, Person(given, before.user_id, change))
        # Setting an anonymousId heals that one key; a call then heals the other.
        self.check(tab, self.kept[COOKIE], self.call(tab, "track", "Set"))

    @rule()
    def cookies_expire(self) -> None:
        self.wait(366 * DAY)
        self.kept.pop(COOKIE, None)

    @rule()
    def cookies_are_cleared(self) -> None:
        self.platforms["www"].cookie_jar.cookies.clear()
        self.kept.pop(COOKIE, None)

    @rule(origin=st.sampled_from(ORIGINS))
    def local_storage_is_cleared(self, origin: str) -> None:
        self.platforms[origin].local_storage.items.clear()
        self.kept.pop(origin, None)

    # What must hold

    @invariant()
    def nothing_was_warned_of(self) -> None:
        assert all(platform.warnings == [] for platform in self.platforms.values())

    def person(self, tab: int) -> Person:
        """Return who the next call in a tab is by."""
        local, cookie, memory = self.copies(tab)
        newest = max(local.change, cookie.change, memory.change)
        if memory.change < newest:
            memory = Person()
        if local.change < newest == cookie.change:
            local = cookie
        elif 0 < cookie.change < newest == local.change:
            cookie = local
        return Person(
            cookie.anonymous_id or local.anonymous_id or memory.anonymous_id,
            local.user_id or cookie.user_id or memory.user_id,
            newest,
        )

    def copies(self, tab: int) -> tuple[Person, Person, Person]:
        nobody = Person()
        return self.kept.get(self.origins[tab], nobody), self.kept.get(COOKIE, nobody), self.memory[tab]

    def check(self, tab: int, expected: Person, event: dict[str, Any]) -> None:
        assert event["userId"] == expected.user_id
        if expected.anonymous_id is None:
            # «The user generates a new anonymousId.»
            assert event["anonymousId"] not in self.seen
        else:
            assert event["anonymousId"] == expected.anonymous_id
        assert event["messageId"] not in self.message_ids
        self.message_ids.add(event["messageId"])
        self.seen.add(event["anonymousId"])
        self.keep(tab, replace(expected, anonymous_id=event["anonymousId"]))
        assert self.stored(self.origins[tab]) == [(event["anonymousId"], event["userId"])] * 2

    def keep(self, tab: int, person: Person) -> None:
        self.memory[tab] = self.kept[COOKIE] = self.kept[self.origins[tab]] = person

    def next_change(self) -> int:
        self.changes += 1
        return self.changes

    def wait(self, milliseconds: float) -> None:
        for platform in self.platforms.values():
            platform.time += milliseconds

    def stored(self, origin: str) -> list[tuple[str | None, str | None]]:
        """Return what cookies and localStorage hold, read without the SDK."""
        cookies = self.platforms[origin].cookie_jar.read()
        local = {name: json.loads(text) for name, text in self.platforms[origin].local_storage.items.items()}
        return [
            (find_cookie(cookies, "ajs_anonymous_id"), find_cookie(cookies, "ajs_user_id")),
            (local.get("ajs_anonymous_id"), local.get("ajs_user_id")),
        ]

    def call(self, tab: int, name: str, *args: Any) -> dict[str, Any]:
        async def make() -> dict[str, Any]:
            context = await self.pages[tab].call(name, list(args))
            return context.event

        # Changes that can't see each other, since cookies were cleared, are told apart by their minutes.
        self.wait(MINUTE)
        return asyncio.run(make())


TestVisits = Visits.TestCase
TestVisits.settings = settings(max_examples=60, stateful_step_count=30, deadline=None, derandomize=True)
