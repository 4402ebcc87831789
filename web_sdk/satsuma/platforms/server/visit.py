"""What a request says about its visitor, independent of the server's framework."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from satsuma.environment import Environment
from satsuma.page import page_context

LONGEST_AGENT = 1024
"""The most characters of a User-Agent that are kept."""

SIGNALS = {"sec-gpc": "globalPrivacyControl", "dnt": "doNotTrack"}
"""Request headers, and the browser's signal that each means."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request.

    Attributes:
        cookies: the ``Cookie`` header.
        host, path: the host name, without a port, and the path of the request.
        page: ``context.page`` of the page that the visitor is on. That is the requested page or, for a request by a
            page, the page in the ``Referer``.
        ip: the visitor's IP address; None where it isn't known.
        opens_page: whether the visitor opens a page with this request. A page that is prefetched doesn't count.
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
            url: the whole URL.
            headers: the headers by lower-case name.
            ip: the visitor's address, as the server determined it.
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
    # For browsers before 2023, and for all browsers on plain http except for localhost.
    return method == "GET" and "text/html" in headers.get("accept", "")


def _in_advance(headers: Mapping[str, str]) -> bool:
    return "prefetch" in headers.get("sec-purpose", headers.get("purpose", ""))


def _first_language(header: str) -> str | None:
    language = header.partition(",")[0].partition(";")[0].strip()
    return language if language not in ("", "*") else None
