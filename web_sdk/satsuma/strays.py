"""Finds and removes stray cookies, which have the name of one of ours but another domain or path.

A browser keeps a cookie for each name, domain and path, and shows a page all of them without saying which is which. A
host-only cookie next to that of the domain, or one of another path, survives a logout, which removes only our own. Such
cookies come from a server that sets cookies without a domain, from another library, or from a site that has changed its
options.

The rules, for each name of ours:

- After we write or remove a cookie, all others of its name are removed from every domain and path that the page can
  reach.
- Where the page sees several values, the one at our own domain and path counts. If there is none, the first one counts,
  as in analytics.js, and is written there. Several cookies with one value do no harm, and stay: a server may have set
  one of them with a longer lifetime than scripts can.
- A stray cookie that can't be removed is reported once, since the visitor's identity is uncertain then.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from .cookie_jar import CookieJar, CookieOptions


class Fate(StrEnum):
    """What happened to a stray cookie."""

    REMOVED = "removed"
    STAYS = "stays"


Strayed = Callable[[str, Fate], None]
"""Called for a stray cookie, with its name and what happened to it."""


class Strays:
    """What is known of a page's stray cookies.

    Attributes:
        told: called for each of them.
    """

    def __init__(self, told: Strayed = lambda name, fate: None) -> None:
        self.told = told
        self._stuck: dict[str, list[str]] = {}

    def values(self, jar: CookieJar, name: str) -> list[str]:
        """Return the raw values of all cookies that a page sees under a raw name, in the browser's order."""
        text = jar.read()
        if f"{name}=" not in text:
            return []
        return [pair[len(name) + 1 :] for pair in text.split("; ") if pair.startswith(f"{name}=")]

    def settle(self, jar: CookieJar, name: str, options: CookieOptions) -> None:
        """Keep one of several values: the one at our own domain and path or, if there is none, the first."""
        if jar.read().count(f"{name}=") < 2:  # Nearly always, and told at once.
            return
        values = self.values(jar, name)
        if len(set(values)) < 2 or self._stuck.get(name) == values:
            return
        jar.remove_strays(name, options)
        left = self.values(jar, name)
        if not left:
            jar.write(name, values[0], days=options.maxage, options=options)
        self._tell(name, left, stuck=len(set(left)) > 1)

    def drop(self, jar: CookieJar, name: str, options: CookieOptions, *, value: str | None) -> None:
        """Remove cookies that contradict the one that was just written, or all of them if it was removed."""
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
