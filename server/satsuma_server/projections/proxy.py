"""Forwards requests to the second process, and streams its answers back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path

import httpx
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from satsuma_server.errors import CollectorError, UnavailableError
from satsuma_server.http.addresses import address_of
from satsuma_server.http.auth import authorize
from satsuma_server.http.responses import error_response
from satsuma_server.paths import path_of
from satsuma_server.settings import Settings

from .bodies import BodiesUnderWay
from .internal import SECRET
from .table import TABLE, Door

MAX_CONNECTIONS = 200
MAX_BODIES_BYTES, MAX_STRANGERS_BYTES = 8 << 20, 2 << 20
"""How many bytes of request bodies may be held at once, for requests that showed the token, and for all others. The
bounds are separate, so that strangers can't use up the room of the data's owner."""

ANSWER_SECONDS = 60
"""How many seconds an answer may take to begin. One that has begun, such as a live feed, may go on without a limit."""

HOP_BY_HOP = {b"connection", b"keep-alive", b"te", b"trailers", b"transfer-encoding", b"upgrade", b"content-length"}


class Proxy:
    """An ASGI app that forwards to the socket of the second process."""

    def __init__(self, socket: Path, settings: Settings) -> None:
        self._settings = settings
        transport = httpx.AsyncHTTPTransport(uds=str(socket), limits=httpx.Limits(max_connections=MAX_CONNECTIONS))
        timeout = httpx.Timeout(ANSWER_SECONDS, read=None, connect=5)
        self._bodies = BodiesUnderWay(MAX_BODIES_BYTES)
        self._bodies_of_strangers = BodiesUnderWay(MAX_STRANGERS_BYTES)
        self._leaving = asyncio.Event()
        # It must store no cookies: otherwise one visitor's session would be sent with everybody's requests.
        cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
        self._client = httpx.AsyncClient(
            transport=transport, base_url="http://worker", timeout=timeout, cookies=cookies
        )

    def leave(self) -> None:
        """End the live feeds, which would otherwise keep the server from stopping until its time limit."""
        self._leaving.set()

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

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
            url = httpx.URL("http://worker").copy_with(raw_path=path.encode("ascii") + (b"?" + query if query else b""))
            passed = self._client.build_request(request.method, url, headers=self._headers(request), content=body)
            answer = await self._client.send(passed, stream=True)
        response = StreamingResponse(self._pieces(answer), answer.status_code)
        response.raw_headers = _end_to_end(answer.headers.raw)
        return response

    async def _pieces(self, answer: httpx.Response) -> AsyncIterator[bytes]:
        pieces = answer.aiter_raw()
        leaving = asyncio.ensure_future(self._leaving.wait())
        piece: asyncio.Future[bytes] | None = None
        try:
            while not leaving.done():
                piece = asyncio.ensure_future(anext(pieces, b""))
                await asyncio.wait((piece, leaving), return_when=asyncio.FIRST_COMPLETED)
                if piece.done():
                    if not (found := piece.result()):
                        return
                    yield found
        finally:
            # The task that still reads has to end first: only one task may close an answer.
            for task in (leaving, piece):
                if task is not None:
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)
            await answer.aclose()

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
            (name, value) for name, value in _end_to_end(request.headers.raw) if name.decode("latin-1") not in own
        ]
        return [*passed, *((name.encode(), value.encode("latin-1", "replace")) for name, value in told.items())]


def _starting(request: Request) -> Response:
    problem = "this part of the collector is starting: try again in a moment"
    if "text/html" not in request.headers.get("accept", ""):
        return error_response(UnavailableError(problem))
    # For people in browsers: the page reloads itself until the process has started.
    page = f'<!doctype html><html lang="en"><title>Starting</title><p>Starting: {problem}.</p></html>'
    return HTMLResponse(page, 503, {"Refresh": "1", "Content-Security-Policy": "default-src 'none'"})


def _end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower(), value) for name, value in headers if name.lower() not in HOP_BY_HOP]
