"""Decides which copy of the visitor's ids is the newest, where several origins of a site share cookies.

Cookies are shared by all sub-domains of a site. localStorage belongs to one origin, and its ids take precedence there,
so that they can heal expired cookies. With only that, an origin that wasn't open while the visitor logged out or in on
another origin would take its own old ids for the right ones, and write them into the shared cookies.

So each copy (the cookies, an origin's localStorage, the memory of an open page) has a number, its generation. A call
that changes who the visitor is (``identify`` with another id, ``reset``, ``setAnonymousId``, a group) starts the next
generation. A copy of an older generation is replaced by the newest. Copies of the same generation heal each other, and
so does a copy without a number, whose cookie has expired or was cleared with the ids. localStorage without a number,
next to cookies with one, was written before any change, or by another library, and is replaced.

Before cookies are trusted that differ from localStorage, stray cookies of the same names (see `strays`) are removed:
those of this host, where a logout on another origin was not seen yet; and always those of single paths, which a page on
another path could not see.

The number is the time of the change in milliseconds, or the previous number plus one, whichever is higher. So even two
origins that can't see each other's numbers, because the cookies have expired, number their changes in the right order.
The number says nothing about who the visitor is.
"""

from __future__ import annotations

from collections.abc import Callable

from .copies import Copy, Ids
from .identity import USER_KEYS, IdentityKeys
from .storage import StorageFactory, StoreKind

GENERATION_KEY = "satsuma_generation"
"""Name of the cookie, and of the item in localStorage. Where the site has its own key for the userId, that key is
appended after ``_``, since another key is another identity."""

MOST_DIGITS = 15
"""The most digits of a valid number."""


class Generation:
    """The generations of one page's copies."""

    def __init__(
        self, stores: StorageFactory, user: IdentityKeys, group: IdentityKeys, now: Callable[[], float]
    ) -> None:
        """Take the page's stores and its clock, in milliseconds."""
        self._cookies = Copy(stores.make(only=lambda kind: kind is StoreKind.COOKIE), user, group)
        self._local = Copy(stores.make(only=lambda kind: kind is StoreKind.LOCAL), user, group)
        self._key = GENERATION_KEY if user.id == USER_KEYS.id else f"{GENERATION_KEY}_{user.id}"
        self._now = now
        self._remembered: int | None = None
        """The generation of the ids in the page's memory; None before there are any."""
        self._sure: tuple[int, Ids] | None = None
        """The number and the ids of cookies that are known not to be strays."""

    def advance(self) -> None:
        """Start the next generation: a call has just changed who the visitor is, so the stores and this page are
        right."""
        self._settle(max(self._newest() + 1, int(self._now())))

    def adopt(self) -> None:
        """Treat all copies as the newest, because they were just made equal."""
        if newest := self._newest():
            self._settle(newest)

    def follow(self) -> bool:
        """Replace outdated copies by the newest; tell whether the page has to read its stores again."""
        shared, own, before = self._number(self._cookies), self._number(self._local), self._remembered
        newest = max(shared, own, before or 0)
        if shared == newest:
            self._make_sure(shared, own)
        outdated = before is not None and before < newest
        if own < newest == shared:
            outdated |= self._local.follow(self._cookies.ids())
        elif 0 < shared < newest == own:
            outdated |= self._cookies.follow(self._local.ids())
        self._remembered = newest
        if newest:
            self._settle(newest)
        return outdated

    def _make_sure(self, shared: int, own: int) -> None:
        if shared == 0 or (shared, self._cookies.ids()) == self._sure:
            return
        if own < shared or not self._cookies.ids().agree(self._local.ids()):
            self._cookies.drop_strays(below=own == shared)
        self._sure = shared, self._cookies.ids()

    def forget(self) -> None:
        """Remove the numbers."""
        for copy in (self._cookies, self._local):
            if self._number(copy):
                copy.storage.clear(self._key)
        self._remembered = None

    def _settle(self, number: int) -> None:
        self._remembered = number
        self._local.storage.set(self._key, number)
        # Written even if it is right already, because it must expire as late as the ids, whose cookies are renewed,
        # too.
        self._cookies.storage.set(self._key, number)

    def _newest(self) -> int:
        return max(self._number(self._cookies), self._number(self._local), self._remembered or 0)

    def _number(self, copy: Copy) -> int:
        text = str(copy.storage.get(self._key))
        return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else 0
