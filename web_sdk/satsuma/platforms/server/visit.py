"""What a request tells of its visitor, whichever server it came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from satsuma.environment import Environment
from satsuma.page import page_context

LONGEST_AGENT = 1024
"""Characters that are kept of a User-Agent."""

SIGNALS = {"sec-gpc": "globalPrivacyControl", "dnt": "doNotTrack"}
"""Headers, and the browser's signal that each is."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request.

    Attributes:
        cookies: the ``Cookie`` header.
        host, path: name of the site, without a port, and what was asked for there.
        page: ``context.page`` of the page that the visitor is on: the one asked for or, where a page asks for something
            else, that page as the ``Referer`` names it.
        ip: the visitor's address, None where it isn't known.
        opens_page: the visitor opens a page, and not something for one; a page fetched in advance doesn't count.
    """

    cookies: str
    host: str
    page: Mapping[str, Any]
    environment: Environment
    ip: str | None = None
    opens_page: bool = False
    path: str = "/"

    @classmethod
    def of_request(cls, method: str, url: str, headers: Mapping[str, str], ip: str | None) -> Self:
        """Read a request.

        Args:
            url: all of it.
            headers: by lower-case name.
            ip: the peer's address, or whom the server takes for it behind its proxies.
        """
        navigates = _navigates(method, headers)
        referrer = headers.get("referer", "")
        page, came_from = (url, referrer) if navigates or not referrer else (referrer, "")
        parts = urlsplit(page)
        search = f"?{parts.query}" if parts.query else ""
        return cls(
            cookies=headers.get("cookie", ""),
            host=urlsplit(url).hostname or "",
            page=page_context({"p": parts.path or "/", "u": page, "s": search, "r": came_from}),
            environment=Environment(
                user_agent=headers.get("user-agent", "")[:LONGEST_AGENT],
                locale=_first_language(headers.get("accept-language", "")),
                refuses_tracking=frozenset(name for header, name in SIGNALS.items() if headers.get(header) == "1"),
            ),
            ip=ip,
            opens_page=navigates and not _in_advance(headers),
            path=urlsplit(url).path or "/",
        )


def _navigates(method: str, headers: Mapping[str, str]) -> bool:
    destination = headers.get("sec-fetch-dest")
    if destination is not None:
        return destination == "document"
    # Browsers before 2023, and all on plain http but localhost.
    return method == "GET" and "text/html" in headers.get("accept", "")


def _in_advance(headers: Mapping[str, str]) -> bool:
    return "prefetch" in headers.get("sec-purpose", headers.get("purpose", ""))


def _first_language(header: str) -> str | None:
    language = header.partition(",")[0].partition(";")[0].strip()
    return language if language not in ("", "*") else None
