"""The interface to a page's cookies, with raw names and values, and the attributes that we set."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

REFRESHED_KEY = "satsuma_refreshed"
"""Name of a cookie that says that a server sets the visitor's cookies anew whenever a page is opened. It lives one day.

A page then leaves those with the right value alone: Safari lets a cookie that a script has written live seven days, and
one that a server has set as long as the server says.
"""


@dataclass(frozen=True, slots=True)
class CookieOptions:
    """Attributes of the cookies we set.

    Attributes:
        maxage: lifetime in days; 365 by the specification ("The Segment ID cookie is set with a one year expiration").
        domain: the domain; None for the highest domain that accepts a cookie.
        path, same_site, secure: as in Set-Cookie.
    """

    maxage: float = 365
    domain: str | None = None
    path: str = "/"
    same_site: str | None = "Lax"
    secure: bool = False

    @classmethod
    def from_options(cls, options: dict[str, Any] | None) -> CookieOptions:
        """Read analytics.js's ``cookie`` load option (``maxage`` in days, ``sameSite`` …)."""
        given = dict(options or {})
        if "sameSite" in given:
            given["same_site"] = given.pop("sameSite")
        names = {known.name for known in fields(cls)}
        return replace(cls(), **{name: value for name, value in given.items() if name in names and value is not None})


class CookieJar(Protocol):
    """A page's cookies, by raw name and raw value."""

    def read(self) -> str:
        """Return the ``Cookie`` header as the page sees it (``document.cookie``)."""
        ...

    def write(self, name: str, value: str, *, days: float, options: CookieOptions) -> None:
        """Set one cookie. Negative `days` remove it."""
        ...

    def remove_strays(self, name: str, options: CookieOptions, *, below: bool = False) -> None:
        """Remove a cookie from all domains and paths except the one of `options`, as far as the page can reach them.

        Args:
            name: the raw name.
            options: the options that the cookie is written with.
            below: whether to remove it only from paths below the root, whose cookies other pages can't see.
        """
        ...
