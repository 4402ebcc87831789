"""Passes requests on to another process of ours, on a Unix socket, and streams its answers back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path

import httpx
from starlette.responses import Response, StreamingResponse

MAX_CONNECTIONS = 200

ANSWER_SECONDS = 60
"""How many seconds each part of a request may take to be taken. An answer may take, and go on, without a limit."""

HOP_BY_HOP = {b"connection", b"keep-alive", b"te", b"trailers", b"transfer-encoding", b"upgrade"}

Headers = list[tuple[bytes, bytes]]


class Upstream:
    """The other process."""

    def __init__(self, socket: Path, name: str) -> None:
        """Take the socket, and the name of a host that stands for it."""
        transport = httpx.AsyncHTTPTransport(uds=str(socket), limits=httpx.Limits(max_connections=MAX_CONNECTIONS))
        self._timeout = httpx.Timeout(ANSWER_SECONDS, read=None, connect=5)
        self._leaving = asyncio.Event()
        self._origin = f"http://{name}"
        # It must store no cookies: otherwise one visitor's session would be sent with everybody's requests.
        cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
        self._client = httpx.AsyncClient(transport=transport, cookies=cookies)

    def leave(self) -> None:
        """End the live feeds, which would otherwise keep the server from stopping until its time limit."""
        self._leaving.set()

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    async def send(
        self, method: str, target: bytes, headers: Headers, content: bytes | AsyncIterator[bytes] | None
    ) -> Response:
        """Pass a request on, and return the answer, whose body is streamed.

        Args:
            method: the HTTP method.
            target: the path with the query, percent-encoded.
            headers: the headers.
            content: the body; None for none.

        Raises:
            httpx.TransportError: the other process can't be reached, or ended meanwhile.
        """
        url = httpx.URL(self._origin).copy_with(raw_path=target)
        # Not made by the client, which would add headers of its own, such as a User-Agent.
        extensions = {"timeout": self._timeout.as_dict()}
        passed = httpx.Request(method, url, headers=headers, content=content, extensions=extensions)
        answer = await self._client.send(passed, stream=True)
        response = StreamingResponse(self._pieces(answer), answer.status_code)
        response.raw_headers = end_to_end(answer.headers.raw)
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


def end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Return the headers that are not about one connection alone."""
    return [(name.lower(), value) for name, value in headers if name.lower() not in HOP_BY_HOP]
