"""Stray cookies: of the same name as one of ours, but of another domain or path.

A browser keeps a cookie for each name, domain and path, and shows a page all of them as if they were one. A host-only
cookie beside the domain's, or one of another path, outlives a logout: what was written or removed is the other one.
They come from a server that sets cookies without a domain, from another library, or from a site that has changed its
options.

The rules, for each name of ours:

- What was written counts, and what was removed is gone: whatever else has the name is removed from every domain and
  path that the page can reach.
- Where the page sees several values, the one at our own place counts. If none is there, the first of them does, as in
  analytics.js, and is put there. Several cookies of one value do no harm, and stay: a server may have set one of them
  to live longer than what a script sets.
- What can't be removed is told once: nobody can be sure of a visitor who has two names.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from .cookie_jar import CookieJar, CookieOptions


class Fate(StrEnum):
    """What has become of a stray cookie."""

    REMOVED = "removed"
    STAYS = "stays"


Strayed = Callable[[str, Fate], None]
"""Hears of a stray cookie: its name, and what has become of it."""


class Strays:
    """What a page has found out about stray cookies so far.

    Attributes:
        told: hears of each of them.
    """

    def __init__(self) -> None:
        self.told: Strayed = lambda name, fate: None
        self._stuck: dict[str, list[str]] = {}

    def values(self, jar: CookieJar, name: str) -> list[str]:
        """Return the raw values of all cookies that a page sees under a raw name, in the browser's order."""
        text = jar.read()
        if f"{name}=" not in text:
            return []
        return [pair[len(name) + 1 :] for pair in text.split("; ") if pair.startswith(f"{name}=")]

    def settle(self, jar: CookieJar, name: str, options: CookieOptions) -> None:
        """Let one value be left of several: the one at our own place or, without one there, the first."""
        values = self.values(jar, name)
        if len(set(values)) < 2 or self._stuck.get(name) == values:
            return
        jar.remove_strays(name, options)
        left = self.values(jar, name)
        if not left:
            jar.write(name, values[0], days=options.maxage, options=options)
        self._tell(name, left, stuck=len(set(left)) > 1)

    def drop(self, jar: CookieJar, name: str, options: CookieOptions, *, value: str | None) -> None:
        """Remove what contradicts the cookie that has just been written; all of them where it was removed."""
        values = self.values(jar, name)
        wrong = len(set(values)) > 1 if value is not None else bool(values)
        if not wrong or self._stuck.get(name) == values:
            return
        jar.remove_strays(name, options)
        left = self.values(jar, name)
        self._tell(name, left, stuck=len(set(left)) > 1 if value is not None else bool(left))

    def _tell(self, name: str, left: list[str], *, stuck: bool) -> None:
        if stuck:
            self._stuck[name] = left
        self.told(name, Fate.STAYS if stuck else Fate.REMOVED)
