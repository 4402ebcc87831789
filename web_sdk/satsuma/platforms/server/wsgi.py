"""WSGI middleware that gives each request its visitor, as ``environ["satsuma.analytics"]``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from .client import Client
from .identity import Mint
from .visitor import Visitor, Visitors, private

Environ = dict[str, Any]
Header = tuple[str, str]
WSGIApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

KEY = "satsuma.analytics"
"""The key of the visitor in `environ`."""


class WSGIAnalyticsMiddleware:
    """Gives each request its `Visitor`, and sets the visitor's cookies with the answer.

    Examples:
        >>> app.wsgi_app = WSGIAnalyticsMiddleware(app.wsgi_app, client=client)
        >>> request.environ["satsuma.analytics"].track("Order Completed", {"total": 12.5})
    """

    def __init__(
        self,
        app: WSGIApp,
        *,
        client: Client,
        options: Mapping[str, Any] | None = None,
        mint: Mint | str = Mint.NAVIGATIONS,
        refresh: bool = False,
    ) -> None:
        """Take the app, and the settings for all visitors. The arguments are those of `AnalyticsMiddleware`."""
        self._app = app
        self._visitors = Visitors(client, options, mint=mint, refresh=refresh)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        visitor = self._visitors.visitor(*_request(environ))

        def start_with_cookies(status: str, headers: list[Header], *rest: Any) -> Any:
            return start_response(status, _headers(headers, visitor), *rest)

        return self._app({**environ, KEY: visitor}, start_with_cookies)


def _request(environ: Environ) -> tuple[str, str, dict[str, str], str | None]:
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): _text(value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    host = headers.get("host") or f"{environ.get('SERVER_NAME', '')}:{environ.get('SERVER_PORT', '')}"
    path = quote(
        f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}", encoding="latin-1", safe="/%:@!$&'()*+,;=~"
    )
    query = environ.get("QUERY_STRING")
    url = f"{environ.get('wsgi.url_scheme', 'http')}://{host}{path}"
    address = f"{url}?{query}" if query else url
    return environ.get("REQUEST_METHOD", "GET"), address, headers, environ.get("REMOTE_ADDR") or None


def _headers(given: list[Header], visitor: Visitor) -> list[Header]:
    cookies = visitor.set_cookies()
    headers = [
        (name, (cookies and name.lower() == "cache-control" and private(value)) or value) for name, value in given
    ]
    return headers + [("Set-Cookie", cookie) for cookie in cookies]


def _text(value: str) -> str:
    # WSGI represents bytes as texts in latin-1.
    return value.encode("latin-1").decode(errors="replace")
