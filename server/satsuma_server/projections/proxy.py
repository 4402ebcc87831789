"""Forwards requests to the second process, and streams its answers back."""

from __future__ import annotations

from pathlib import Path

import httpx
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from satsuma_server.errors import CollectorError, UnavailableError
from satsuma_server.http.addresses import address_of
from satsuma_server.http.auth import authorize
from satsuma_server.http.responses import error_response
from satsuma_server.http.upstream import Upstream, end_to_end
from satsuma_server.paths import path_of
from satsuma_server.settings import Settings

from .bodies import BodiesUnderWay
from .internal import SECRET
from .table import TABLE, Door

MAX_BODIES_BYTES, MAX_STRANGERS_BYTES = 8 << 20, 2 << 20
"""How many bytes of request bodies may be held at once, for requests that showed the token, and for all others. The
bounds are separate, so that strangers can't use up the room of the data's owner."""


class Proxy:
    """An ASGI app that forwards to the socket of the second process."""

    def __init__(self, socket: Path, settings: Settings) -> None:
        self._settings = settings
        self._upstream = Upstream(socket, "worker")
        self._bodies = BodiesUnderWay(MAX_BODIES_BYTES)
        self._bodies_of_strangers = BodiesUnderWay(MAX_STRANGERS_BYTES)

    def leave(self) -> None:
        """End the live feeds, which would otherwise keep the server from stopping until its time limit."""
        self._upstream.leave()

    async def close(self) -> None:
        """Let go of the connections."""
        await self._upstream.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        try:
            answer = await self._pass_on(request)
        except CollectorError as error:
            answer = error_response(error)
        except httpx.TransportError:
            answer = _starting(request)
        except ClientDisconnect:
            return
        await answer(scope, receive, send)

    async def _pass_on(self, request: Request) -> Response:
        """Forward a request after its path, method, token and size were checked.

        Raises:
            CollectorError: one of them is not allowed. The body has not been read then, or only in part.
        """
        path = path_of(request.scope)
        route = TABLE.route(request.method, path)
        if route.door is Door.TOKEN:
            authorize(request, self._settings)
        bodies = self._bodies if route.door is Door.TOKEN else self._bodies_of_strangers
        async with bodies.read(request, route.most) as body:
            query: bytes = request.scope["query_string"]
            target = path.encode("ascii") + (b"?" + query if query else b"")
            return await self._upstream.send(request.method, target, self._headers(request), body)

    def _headers(self, request: Request) -> list[tuple[bytes, bytes]]:
        """Return the request's headers, with those about the sender replaced by what the collector itself has
        determined."""
        trusted = request.headers if self._settings.trusts(request.client.host if request.client else None) else {}
        told = {
            "x-forwarded-for": address_of(request.scope, self._settings) or "",
            "x-forwarded-proto": trusted.get("x-forwarded-proto") or request.url.scheme,
            "x-forwarded-host": trusted.get("x-forwarded-host") or request.headers.get("host", ""),
            "x-forwarded-prefix": request.scope.get("root_path", ""),
        }
        own = {*told, SECRET}
        passed = [
            (name, value)
            for name, value in end_to_end(request.headers.raw)
            if name != b"content-length" and name.decode("latin-1") not in own
        ]
        return [*passed, *((name.encode(), value.encode("latin-1", "replace")) for name, value in told.items())]


def _starting(request: Request) -> Response:
    problem = "this part of the collector is starting: try again in a moment"
    if "text/html" not in request.headers.get("accept", ""):
        return error_response(UnavailableError(problem))
    # For people in browsers: the page reloads itself until the process has started.
    page = f'<!doctype html><html lang="en"><title>Starting</title><p>Starting: {problem}.</p></html>'
    return HTMLResponse(page, 503, {"Refresh": "1", "Content-Security-Policy": "default-src 'none'"})
