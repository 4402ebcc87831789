"""A request's cookies, and what becomes of them: Set-Cookie with the attributes that the SDK gives them in a page."""

from __future__ import annotations

import re
from dataclasses import dataclass

from satsuma.domains import cookie_domains
from satsuma.storage import CookieOptions

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
    """The cookies that came with a request, and the `changes` that its answer is to make."""

    def __init__(self, header: str) -> None:
        """Take the ``Cookie`` header, as ``document.cookie`` would have it."""
        pairs = (pair.strip().partition("=") for pair in header.split(";"))
        self._values: dict[str, str] = {}
        for name, _, value in pairs:
            if name:
                # Of two with one name the first is the nearer; a page takes it too.
                self._values.setdefault(name, value)
        self._came = dict(self._values)
        self._text: str | None = None
        self.changes: dict[str, CookieChange] = {}

    def read(self) -> str:
        # Asked many times between two changes.
        if self._text is None:
            self._text = "; ".join(f"{name}={value}" for name, value in self._values.items())
        return self._text

    def write(self, name: str, value: str, *, days: float, options: CookieOptions) -> None:
        self._text = None
        if days < 0:
            self._values.pop(name, None)
        else:
            self._values[name] = value
        self.changes[name] = CookieChange(value, days, options)

    def differ(self, name: str) -> bool:
        """Tell whether a cookie isn't any more what came."""
        return self._values.get(name) != self._came.get(name)


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
