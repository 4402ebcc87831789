"""The identity of one request's visitor, read from its cookies, and the cookies to set with the answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum

from satsuma.codec import encode_name, read_id
from satsuma.consent import Consent, ConsentState, Resume
from satsuma.cookie_jar import REFRESHED_KEY
from satsuma.environment import REFERRER_KEY
from satsuma.generation import Generation
from satsuma.identity import ANONYMOUS_ID_KEY, UNSET, Group, IdentityOptions, Unset, User
from satsuma.options import LoadOptions
from satsuma.platforms.cpython.ids import new_id
from satsuma.server_identity import ServerIdentity
from satsuma.storage import Storage, StorageFactory, StoreKind
from satsuma.strays import Fate

from .beacon_replay import DepartedStorage
from .cookies import RequestCookies, highest_domain, set_cookie
from .visit import Visit


class Mint(StrEnum):
    """When a visitor without an anonymousId gets one. Two requests of one page must not create two."""

    NAVIGATIONS = "navigations"
    ALWAYS = "always"
    NEVER = "never"


class RequestUser(User):
    """A user who gets a permanent anonymousId only where one may be created.

    Otherwise an unknown visitor has one for this request only, and a known visitor has none.
    """

    mints = False
    offered = False
    """Whether the anonymousId was created because there was none. A page that still has an older one keeps that."""

    _anew = False
    _passing: str | None = None

    def anonymous_id(self, value: str | Unset | None = UNSET) -> str | None:
        if value is not UNSET or self.options.disable:
            return super().anonymous_id(value)
        known = self.known_anonymous_id()
        if known is not None:
            return known
        if self.mints:
            self.offered = not self._anew
            return super().anonymous_id()
        if self.id() is None:
            self._passing = self._passing or self._new_id()
        return self._passing

    def begin_anew(self) -> None:
        """Let the next anonymousId be a new one, for another visitor."""
        self.mints = self._anew = True
        self.offered = False

    def _replaced(self) -> None:
        super()._replaced()
        self.begin_anew()


class RequestIdentity:
    """The visitor's ids, and whether they may be kept.

    Attributes:
        user, group: the identities, over the cookies or, without the visitor's consent, in memory.
        cookies: the storage that remembers advertisements.
        answered: whether the cookies of the answer are decided.
    """

    def __init__(self, visit: Visit, options: LoadOptions, *, mint: Mint, refresh: bool) -> None:
        self._host = visit.host
        self._options = options
        self._mints = mint is Mint.ALWAYS or (mint is Mint.NAVIGATIONS and visit.opens_page)
        self._refreshes = refresh and visit.opens_page
        self._cookie_jar = RequestCookies(visit.cookies)
        persists = options.persist and not options.disable
        kinds = StoreKind.COOKIE, StoreKind.MEMORY
        self._stores = StorageFactory(self._cookie_jar, DepartedStorage({}), _ignore, options.cookie, persists, kinds)
        keys = options.user.keys, options.group.keys
        self._handover = ServerIdentity(self._stores, *keys)
        self._generation = Generation(self._stores, *keys, lambda: time.time() * 1000)
        self._stores.changed = self._generation.advance
        self._path = visit.path
        self._names = [encode_name(key) for key in (ANONYMOUS_ID_KEY, *(one.id for one in keys))]
        self._choose()
        self._consent = Consent(options.consent(visit.environment), _ignore)
        self.answered = False
        self._take_up()

    @property
    def anonymous_id(self) -> str | None:
        """The permanent anonymousId; None where there is none and none may be created."""
        return self.user.anonymous_id() if self._mints else self.user.known_anonymous_id()

    def identify(self, user_id: str) -> None:
        """Set the userId. If it differs from the visitor's, a new anonymousId is created."""
        self.user.id(user_id)
        self.user.anonymous_id()
        self._declare()

    def join(self, group_id: str | None) -> None:
        """Set the groupId."""
        self.group.id(group_id)
        self._declare()

    def reset(self) -> None:
        """Remove all ids, and set a new anonymousId at once. Otherwise a page would restore the old one from
        localStorage."""
        self.user.reset()
        self.group.reset()
        if self._consent.granted:
            self.user.begin_anew()
            self.user.anonymous_id()
            self._declare()

    # Consent

    def when_granted(self, call: Callable[[], str | None]) -> str | None:
        """Make a call now if the visitor has consented, or later if they do."""
        if self._consent.granted:
            return call()

        def resume(granted: bool) -> None:
            if granted:
                call()

        self._consent.hold(resume)
        return None

    def grant(self) -> list[Resume]:
        """Record a yes; return the calls that waited, which the caller has to resume."""
        if self._consent.granted:
            return []
        held = self._consent.grant()
        self._take_up()
        return held

    def withdraw(self) -> None:
        """Record a no: remove the cookies, and drop the calls that waited."""
        self._consent.state = ConsentState.GRANTED  # The cookies can only be removed through stores that may be used.
        self._take_up()
        self.user.clear()
        self.group.clear()
        self.cookies.clear(REFERRER_KEY)
        self.cookies.clear(REFRESHED_KEY)
        self._handover.forget()
        self._generation.forget()
        self._consent.withdraw()
        self._take_up()

    # The answer

    def set_cookies(self) -> list[str]:
        """Return the ``Set-Cookie`` headers: of what has changed and, where wished for, of what is to live on."""
        if self._consent.granted:
            self._renew()
        self.answered = True
        named = self._options.cookie.domain
        domain = highest_domain(self._host) if named is None else named
        jar = self._cookie_jar
        made: list[str | None] = []
        for name, change in jar.changes.items():
            if jar.differ(name):
                made += [*jar.strays(name, self._host, self._path, domain), set_cookie(name, change, domain)]
            elif self._refreshes and change.days > 0:
                made.append(set_cookie(name, change, domain))
        return [cookie for cookie in made if cookie is not None]

    def strayed(self) -> dict[str, Fate]:
        """Return which cookies of the ids came with several values, and what becomes of the wrong ones."""
        return self._cookie_jar.strayed(self._names)

    def _choose(self) -> None:
        """Let what a server said last decide where several cookies have one name."""
        said = self._handover.said()
        for name in self._cookie_jar.prefer(self._names, lambda text: read_id(text) in said):
            value = dict(pair.split("=", 1) for pair in self._cookie_jar.read().split("; "))[name]
            options = self._options.cookie
            self._cookie_jar.write(name, value, days=options.maxage, options=options)

    def _renew(self) -> None:
        if self._mints:
            self.user.anonymous_id()
        if self.user.offered:
            self._declare()
        if self._refreshes:
            self.user.id()
            self.user.known_anonymous_id()
            self.group.id()
            self._generation.adopt()
            self._cookie_jar.write(REFRESHED_KEY, "1", days=1, options=self._options.cookie)

    def _declare(self) -> None:
        self._handover.declare(offered=self.user.offered)

    def _take_up(self) -> None:
        options, kept = self._options, self._consent.granted
        self.user = RequestUser(self._stores, self._on_server(options.identity(options.user, kept=kept)), new_id)
        self.user.mints = self._mints
        self.group = Group(self._stores, self._on_server(options.identity(options.group, kept=kept)), new_id)
        only: Callable[[StoreKind], bool] = lambda kind: kind is StoreKind.COOKIE
        self.cookies = self._stores.make(only=only) if kept else Storage([], _ignore)

    def _on_server(self, options: IdentityOptions) -> IdentityOptions:
        return replace(options, local_storage_fallback_disabled=True)


def _ignore(line: str) -> None:
    """Say nothing of stores that fail: a request's cookies don't."""
