"""Reads a visitor's identity from cookies and localStorage, without the library, which would heal it when asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import unquote

from .libraries import Library

SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class CookieState:
    """One cookie in the browser.

    Attributes:
        value: the decoded value.
        expires_in_days: days until it expires; None for a session cookie.
    """

    name: str
    value: str
    domain: str
    path: str
    expires_in_days: float | None
    same_site: str
    secure: bool

    @classmethod
    def of(cls, cookie: Mapping[str, Any], now: float) -> CookieState:
        """Convert a cookie from Playwright; `now` is in seconds since 1970."""
        expires = cookie["expires"]
        return cls(
            name=cookie["name"],
            value=unquote(cookie["value"]),
            domain=cookie["domain"],
            path=cookie["path"],
            expires_in_days=None if expires == -1 else (expires - now) / SECONDS_A_DAY,
            same_site=cookie["sameSite"],
            secure=cookie["secure"],
        )


@dataclass(frozen=True, slots=True)
class IdentityState:
    """The visitor's identity in cookies and localStorage at one moment.

    Attributes:
        cookie_user_id, cookie_anonymous_id, storage_user_id, storage_anonymous_id: the ids; None where there is none.
        traits: the user's traits, from wherever the library keeps them.
        group_id: the group's id, from cookie or localStorage.
    """

    cookie_user_id: str | None = None
    cookie_anonymous_id: str | None = None
    storage_user_id: str | None = None
    storage_anonymous_id: str | None = None
    traits: dict[str, Any] | None = None
    group_id: str | None = None

    @property
    def user_id(self) -> str | None:
        """The userId, from whichever store has it."""
        return self.storage_user_id or self.cookie_user_id

    @property
    def anonymous_id(self) -> str | None:
        """The anonymousId, from whichever store has it."""
        return self.cookie_anonymous_id or self.storage_anonymous_id

    @property
    def is_empty(self) -> bool:
        """Whether there is neither an id nor a trait."""
        return not any(getattr(self, one.name) for one in fields(self))

    def as_dict(self) -> dict[str, Any]:
        """Return the ids and traits that exist, by name."""
        return {one.name: getattr(self, one.name) for one in fields(self) if getattr(self, one.name) is not None}


def read_identity(
    libraries: tuple[Library, ...], cookies: Mapping[str, str], items: Mapping[str, str]
) -> IdentityState:
    """Return the identity in decoded cookies and localStorage items, for the first library that has left something
    there."""
    for library in libraries:
        state = _read(library, cookies, items)
        if not state.is_empty:
            return state
    return IdentityState()


def _read(library: Library, cookies: Mapping[str, str], items: Mapping[str, str]) -> IdentityState:
    def one(store: Mapping[str, str], key: str) -> Any:
        return library.decode(store[key]) if key in store else None

    def text(store: Mapping[str, str], key: str) -> str | None:
        value = one(store, key)
        # A cookie is text, even where it looks like a number or like JSON.
        raw = store[key] if store is cookies and isinstance(value, int | float | bool) else value
        return None if raw is None or raw == "" else str(raw)

    traits = one(items, library.traits)
    return IdentityState(
        cookie_user_id=text(cookies, library.user_id),
        cookie_anonymous_id=text(cookies, library.anonymous_id),
        storage_user_id=text(items, library.user_id),
        storage_anonymous_id=text(items, library.anonymous_id),
        traits=one(cookies, library.traits) if traits is None else traits,
        group_id=text(cookies, library.group_id) or text(items, library.group_id),
    )
