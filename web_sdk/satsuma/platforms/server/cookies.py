"""A request's cookies, and what becomes of them: Set-Cookie with the attributes that the SDK gives them in a page."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from satsuma.codec import find_cookie
from satsuma.cookie_jar import CookieOptions
from satsuma.domains import cookie_domains, stray_places
from satsuma.strays import Fate

SECONDS_A_DAY = 86_400

LONGEST_DAYS = 400
"""Most that browsers let a cookie live."""

SAFE = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*")
"""What a cookie's name, value, path and domain may be made of."""

SAME_SITE = {"lax": "Lax", "strict": "Strict", "none": "None"}

SECOND_LEVELS = frozenset(("ac", "co", "com", "edu", "go", "gob", "gov", "gv", "ltd", "me", "mil", "ne", "net", "nom"))
SECOND_LEVELS |= {"or", "org", "plc", "sch"}
"""Labels below a country under which names are registered, as ``co`` in ``co.uk``."""


@dataclass(frozen=True, slots=True)
class CookieChange:
    """A cookie that was set or, with negative days, removed: its raw value and its attributes."""

    value: str
    days: float
    options: CookieOptions


class RequestCookies:
    """The cookies that came with a request, and the `changes` that its answer is to make.

    A request does not say where a cookie belongs, and may bring several of one name (see `satsuma.strays`).
    """

    def __init__(self, header: str) -> None:
        """Take the ``Cookie`` header, as ``document.cookie`` would have it."""
        pairs = (pair.strip().partition("=") for pair in header.split(";"))
        self._came: dict[str, list[str]] = {}
        for name, _, value in pairs:
            if name:
                self._came.setdefault(name, []).append(value)
        # Of several with one name the first is the nearer; a page without a better reason takes it too.
        self._values = {name: values[0] for name, values in self._came.items()}
        self._doubtful = {name for name, values in self._came.items() if len(set(values)) > 1}
        self._text: str | None = None
        self.changes: dict[str, CookieChange] = {}

    def prefer(self, names: Collection[str], right: Callable[[str], bool]) -> list[str]:
        """Choose among several cookies of one name; return the raw names of those where one was the right one.

        Args:
            names: those to look at.
            right: tells of a cookie's text whether it is.
        """
        settled = [name for name in names if name in self._doubtful and self._choose(name, right)]
        self._doubtful.difference_update(settled)
        self._text = None
        return settled

    def _choose(self, name: str, right: Callable[[str], bool]) -> bool:
        for value in self._came[name]:
            text = find_cookie(f"{name}={value}", name)
            if text is not None and right(text):
                self._values[name] = value
                return True
        return False

    def read(self) -> str:
        # Asked many times between two changes.
        if self._text is None:
            self._text = "; ".join(f"{name}={value}" for name, value in self._values.items())
        return self._text

    def write(self, name: str, value: str, *, days: float, options: CookieOptions) -> None:
        if name in self._doubtful:
            if days >= 0 and value == self._values.get(name):
                return  # Which of several is the page's own is more than a server knows: the page finds out.
            self._doubtful.discard(name)
        self._text = None
        if days < 0:
            self._values.pop(name, None)
        else:
            self._values[name] = value
        self.changes[name] = CookieChange(value, days, options)

    def strayed(self, names: Collection[str]) -> dict[str, Fate]:
        """Return which of `names` came with several values, and what becomes of the wrong ones by this answer."""
        several = [name for name in names if len(set(self._came.get(name, ()))) > 1]
        return {name: Fate.STAYS if name in self._doubtful else Fate.REMOVED for name in several}

    def remove_strays(self, name: str, options: CookieOptions, *, below: bool = False) -> None:
        """Do nothing: the answer to the request does, see `strays`."""

    def differ(self, name: str) -> bool:
        """Tell whether a cookie isn't any more what came."""
        held = {self._values[name]} if name in self._values else set()
        return held != set(self._came.get(name, ()))

    def strays(self, name: str, host: str, path: str, domain: str | None) -> list[str]:
        """Return ``Set-Cookie`` headers that remove what else may have the name of a cookie that has changed.

        Args:
            host, path: the request's address.
            domain: where the cookie belongs.
        """
        came, change = self._came.get(name, []), self.changes[name]
        places = list(stray_places(host, path, domain or None, change.options.path)) if came else []
        if len(came) == 1:
            # It is the right one, as a rule. A server that names no domain has set the other kind.
            places = [place for place in places if place == (None, "/")]
        removals = [(CookieChange("", -1, replace(change.options, path=below)), where) for where, below in places]
        gone = [set_cookie(name, removal, where) for removal, where in removals]
        return [header for header in gone if header is not None]


def set_cookie(name: str, change: CookieChange, domain: str | None) -> str | None:
    """Return a ``Set-Cookie`` header; None where a part of it can't be written in one.

    Args:
        domain: None or empty for a cookie of the host alone.
    """
    options = change.options
    if not all(SAFE.fullmatch(part) for part in (name, change.value, options.path, domain or "")):
        return None
    days = min(change.days, LONGEST_DAYS)
    same_site = SAME_SITE.get(str(options.same_site).lower())
    parts = (
        f"{name}={change.value}",
        f"Max-Age={round(days * SECONDS_A_DAY) if days > 0 else 0}",
        f"Path={options.path}",
        f"Domain={domain}" if domain else "",
        f"SameSite={same_site}" if same_site else "",
        "Secure" if options.secure else "",
    )
    return "; ".join(part for part in parts if part)


def highest_domain(host: str) -> str | None:
    """Return the domain on which the SDK sets cookies in a page of `host`; None for the host alone.

    A page tries, from the top, which domain takes a cookie. A server can't, and goes by how names are registered:
    below ``co.uk`` or ``com.au``, and otherwise right below the last label. On other public suffixes (``github.io``)
    the browser refuses the cookie, which does no harm; there the domain has to be named.
    """
    domains = cookie_domains(host.lower().rstrip("."))
    if len(domains) > 1:
        second, top = domains[0].split(".")
        if len(top) == 2 and second in SECOND_LEVELS:
            return domains[1]
    return domains[0] if domains else None
