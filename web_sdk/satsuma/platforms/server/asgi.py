"""ASGI middleware that gives each request its visitor, as ``request.state.analytics`` in Starlette and FastAPI."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import quote

from .client import Client
from .identity import Mint
from .visitor import Visitor, Visitors, private

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

BEGINNINGS = ("http.response.start", "websocket.accept")
"""ASGI messages whose headers may set cookies."""


class AnalyticsMiddleware:
    """Gives each request its `Visitor`, and sets the visitor's cookies with the answer.

    Examples:
        >>> client = Client("my-site", "https://collector.example")
        >>> app = Starlette(routes, middleware=[Middleware(AnalyticsMiddleware, client=client)])
        >>> request.state.analytics.track("Order Completed", {"total": 12.5})
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        client: Client,
        options: Mapping[str, Any] | None = None,
        mint: Mint | str = Mint.NAVIGATIONS,
        refresh: bool = False,
    ) -> None:
        """Take the app, and the settings for all visitors.

        Args:
            options: the page's load options: ``cookie``, ``user``, ``group``, ``consent``,
                ``respectGlobalPrivacyControl`` … mean the same here.
            mint: when a visitor without an anonymousId gets one: ``navigations``, ``always`` or ``never``.
            refresh: whether the ids' cookies are set again each time a visitor opens a page, which renews their year.

        Raises:
            ValueError: `mint` has another value.
        """
        self._app = app
        self._client = client
        self._visitors = Visitors(client, options, mint=mint, refresh=refresh)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, self._flushing(send))
            return
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        visitor = self._visitors.visitor(*_request(scope))

        async def send_with_cookies(message: Message) -> None:
            if message["type"] in BEGINNINGS:
                message = {**message, "headers": _headers(message.get("headers") or (), visitor)}
            await send(message)

        # A copy, since the original state lives longer than this request and must not have its visitor.
        state = {**scope.get("state", {}), "analytics": visitor}
        await self._app({**scope, "state": state}, receive, send_with_cookies)

    def _flushing(self, send: Send) -> Send:
        """Return a `send` that flushes before the app says that it has ended: its server may die by SIGTERM then."""

        async def send_flushed(message: Message) -> None:
            if message["type"].startswith("lifespan.shutdown"):
                await self._client.flush_at_exit()
            await send(message)

        return send_flushed


def _request(scope: Scope) -> tuple[str, str, dict[str, str], str | None]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode(errors="replace")
        headers[name] = f"{headers[name]}; {value}" if name == "cookie" and name in headers else value
    host = headers.get("host") or ":".join(map(str, scope.get("server") or ("",)))
    path = scope.get("raw_path") or quote(scope["path"]).encode()
    query = scope.get("query_string", b"")
    url = f"{scope.get('scheme', 'http')}://{host}{path.decode(errors='replace')}"
    client = scope.get("client")
    address = f"{url}?{query.decode(errors='replace')}" if query else url
    return scope.get("method", "GET"), address, headers, client[0] if client else None


def _headers(given: Any, visitor: Visitor) -> list[tuple[bytes, bytes]]:
    headers = list(given)
    cookies = visitor.set_cookies()
    for index, (name, value) in enumerate(headers if cookies else ()):
        changed = private(value.decode("latin-1")) if name.lower() == b"cache-control" else None
        if changed is not None:
            headers[index] = (name, changed.encode("latin-1"))
    return headers + [(b"set-cookie", cookie.encode("latin-1")) for cookie in cookies]
