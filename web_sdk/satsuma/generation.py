"""Which copy of the visitor's ids is the newest, where several origins of a site share cookies.

Cookies are shared by all sub-domains of a site; localStorage belongs to one origin, and its ids come first there, so
that they can heal cookies that have expired. Without more, an origin that wasn't open while the visitor logged out or
in elsewhere would take its own old ids for the right ones and write them into the shared cookies.

So each copy (the cookies, an origin's localStorage, what an open page remembers) has a number: its generation. Whatever
changes on purpose who the visitor is (``identify`` with another id, ``reset``, ``setAnonymousId``, a group) makes the
next generation. A copy of an older one follows the newest. Copies of the same generation heal each other as ever, and
so does a copy without a number, whose cookie has expired or been cleared with the ids. localStorage without a number,
beside cookies with one, was written before anything was changed, or by another library: it follows.

Before cookies are believed that say something else than localStorage, stray ones of the same names (see `strays`) are
removed: where a logout elsewhere was not seen yet, those of this host; and always those of single paths, which whoever
logged out on another page could not see.

The number is the minute of the change, or one more than the number before, whichever is higher: two origins that can't
see each other's numbers any more, since the cookies have expired, still make them in the order of their changes. It
says nothing of who the visitor is.
"""

from __future__ import annotations

from collections.abc import Callable

from .copies import Copy, Ids
from .identity import USER_KEYS, IdentityKeys
from .storage import StorageFactory, StoreKind

GENERATION_KEY = "satsuma_generation"
"""Name of the cookie, and of the item in localStorage. Where the userId has a key of its own, that follows after ``_``:
another key is another identity."""

MILLISECONDS_A_MINUTE = 60_000
MOST_DIGITS = 12
"""A longer number is nonsense, and could not be counted on from."""


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
        """The generation of what the page's memory holds; None before it holds anything."""
        self._sure: tuple[int, Ids] | None = None
        """The cookies that are known to be no strays."""

    def advance(self) -> None:
        """Say that somebody has just changed who the visitor is: the stores, and this page, are right as they are."""
        newest = max(self._number(self._cookies), self._number(self._local), self._remembered or 0)
        self._settle(max(newest + 1, int(self._now() // MILLISECONDS_A_MINUTE)))

    def adopt(self) -> None:
        """Take all copies for the newest, since they have been made to agree."""
        newest = max(self._number(self._cookies), self._number(self._local), self._remembered or 0)
        if newest:
            self._settle(newest)

    def follow(self) -> bool:
        """Let outdated copies follow the newest; tell whether what the page remembers of its stores is outdated."""
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
        # Also where it is right already: it has to live as long as the ids, which are given their year again too.
        self._cookies.storage.set(self._key, number)

    def _number(self, copy: Copy) -> int:
        text = str(copy.storage.get(self._key))
        return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else 0
