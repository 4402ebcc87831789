"""A page's cookies: the real ``document.cookie``."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

from satsuma.codec import find_cookie
from satsuma.cookie_jar import CookieOptions
from satsuma.domains import cookie_domains, stray_places
from satsuma.errors import StorageError

PROBE = "__tld__"
"""Name of the cookie that tries whether a domain takes cookies, as analytics.js calls it."""

MILLISECONDS_A_DAY = 86_400_000

LEFT_TO_THE_PAGE = "left to the page"
"""What ``document.strays`` says in a worker, which does not see the page's cookies as they are."""


class DocumentCookies:
    """The cookies of one page."""

    def __init__(self, window: Any) -> None:
        self._window = window
        self._document = window.document

    def read(self) -> str:
        try:
            return str(self._document.cookie)
        except Exception as error:
            # A sandboxed frame throws at the very sight of document.cookie.
            raise StorageError("this page may not use cookies") from error

    def write(self, name: str, value: str, *, days: float, options: CookieOptions) -> None:
        domain = options.domain or self.top_domain
        self._assign(name, value, expires=self._expires(days), options=options, domain=domain)

    def remove_strays(self, name: str, options: CookieOptions, *, below: bool = False) -> None:
        if getattr(self._document, "strays", None) == LEFT_TO_THE_PAGE:
            return
        location, expires = self._window.location, self._expires(-1)
        places = stray_places(
            str(location.hostname), str(location.pathname), options.domain or self.top_domain, options.path
        )
        for domain, path in places:
            if not (below and path == "/"):
                self._assign(name, "", expires=expires, options=replace(options, path=path), domain=domain)

    @cached_property
    def top_domain(self) -> str | None:
        """The highest domain that takes a cookie; None for a host's own, as for localhost and IP addresses.

        Source: analytics-next ``core/user/tld``: a public suffix such as co.uk refuses cookies, so the first level
        that keeps one is where sub-domains can share an identity.
        """
        for domain in cookie_domains(str(self._window.location.hostname)):
            options = CookieOptions(same_site=None)
            try:
                self._assign(PROBE, "1", expires=None, options=options, domain=f".{domain}")
                if find_cookie(self.read(), PROBE):
                    self._assign(PROBE, "", expires=self._expires(-1), options=options, domain=f".{domain}")
                    return domain
            except Exception:
                return None
        return None

    def _expires(self, days: float) -> str:
        now = self._window.Date.now()
        return str(self._window.Date.new(now + days * MILLISECONDS_A_DAY).toUTCString())

    def _assign(
        self, name: str, value: str, *, expires: str | None, options: CookieOptions, domain: str | None
    ) -> None:
        attributes = {
            "path": options.path,
            "expires": expires,
            "domain": domain,
            "sameSite": options.same_site,
        }
        text = "".join(f"; {key}={_one(part)}" for key, part in attributes.items() if part)
        self._document.cookie = f"{name}={value}{text}{'; secure' if options.secure else ''}"


def _one(part: str) -> str:
    # An attribute ends at a semicolon: what follows would be read as another attribute.
    return str(part).partition(";")[0]
