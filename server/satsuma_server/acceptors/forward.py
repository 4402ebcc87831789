"""Passes on what an acceptor doesn't answer itself: the acceptor's part, and the writer's."""

from __future__ import annotations

from pathlib import Path

import httpx
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from satsuma_server.errors import UnavailableError
from satsuma_server.http.responses import error_response
from satsuma_server.http.upstream import Upstream, end_to_end

PEER = b"x-satsuma-peer"
"""The header with the address and port of whoever has sent a request to an acceptor. It is believed, since only
processes of ours can connect to the writer's socket, and acceptors remove one that comes from outside."""


class Forward:
    """An ASGI app that passes requests on to the writer."""

    def __init__(self, socket: Path) -> None:
        """Take the writer's socket for HTTP."""
        self._upstream = Upstream(socket, "writer")

    def leave(self) -> None:
        """End answers that never end by themselves."""
        self._upstream.leave()

    async def close(self) -> None:
        """Let go of the connections."""
        await self._upstream.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        request = Request(scope, receive)
        headers = [(name, value) for name, value in end_to_end(request.headers.raw) if name != PEER]
        if scope["client"] is not None:
            host, port = scope["client"]
            headers.append((PEER, f"{host} {port}".encode()))
        path: bytes = scope["raw_path"].partition(b"?")[0]
        query: bytes = scope["query_string"]
        has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
        try:
            answer = await self._upstream.send(
                request.method,
                path + (b"?" + query if query else b""),
                headers,
                request.stream() if has_body else None,
            )
        except httpx.TransportError:
            answer = error_response(UnavailableError("the collector is starting: try again in a moment"))
        except ClientDisconnect:
            return
        await answer(scope, receive, send)


class FromAcceptors:
    """Shows an app the requests that acceptors pass on as their clients have sent them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.state = getattr(app, "state", None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            told = next((value for name, value in scope["headers"] if name == PEER), b"")
            host, _, port = told.decode("ascii").rpartition(" ")
            headers = [one for one in scope["headers"] if one[0] != PEER]
            scope = {**scope, "headers": headers, "client": (host, int(port)) if host else None}
        await self._app(scope, receive, send)
