"""Forwards requests of pages to the collector, and simulates its failures ("bad weather").

Pages connect only to the shop's origin, which forwards the tracking API and the browser's files. So the shop works
under any host name, its Content-Security-Policy names no other host, and a tester can make the collector fail for one
visitor.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

COOKIE = "grove_weather"
BAD = ("down", "offline")
"""Values of the cookie with which posts are answered by 503."""

ASKED = ("accept", "accept-encoding", "authorization", "content-encoding", "content-length", "content-type", "cookie",
         "host", "if-modified-since", "if-none-match", "origin", "range", "user-agent", "x-write-key")  # fmt: skip
"""Request headers that are forwarded."""

ANSWERED = ("access-control-allow-origin", "cache-control", "content-encoding", "content-length", "content-range",
            "content-type", "cross-origin-resource-policy", "etag", "last-modified", "retry-after", "set-cookie",
            "timing-allow-origin", "vary")  # fmt: skip
"""Response headers that are returned."""

TIMEOUT = httpx.Timeout(35, connect=5)
"""Seconds. The collector gives a body 30 seconds to arrive."""


class WayToCollector:
    """Forwards requests to the collector."""

    def __init__(self, collector_url: str) -> None:
        self._http = httpx.AsyncClient(base_url=collector_url, timeout=TIMEOUT, trust_env=False)
        # Only the browser's own headers are sent: httpx would add encodings that the browser may not support.
        self._http.headers.clear()

    def routes(self, *, failing: bool) -> list[Route]:
        """Return its routes, which are those that a page needs and none that reads events back.

        Args:
            failing: whether a visitor's weather cookie can make requests fail.
        """
        post = self._post_in_any_weather if failing else self._hand_on
        return [
            Route("/analytics.js/{path:path}", self._hand_on, methods=["GET", "HEAD"]),
            Route("/v1/projects/{key}/settings", self._hand_on, methods=["GET"]),
            Route("/v1/{name}", post, methods=["POST"]),
        ]

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _post_in_any_weather(self, request: Request) -> Response:
        if request.cookies.get(COOKIE) in BAD:
            # No Retry-After, because a tester wants to see how the SDK itself decides when to try again.
            return _unavailable("the tester has the collector fail")
        return await self._hand_on(request)

    async def _hand_on(self, request: Request) -> Response:
        headers = [(name, value) for name, value in request.headers.items() if name in ASKED]
        path = httpx.URL(raw_path=request.scope["raw_path"] + _query(request))
        body = request.stream() if request.method == "POST" else None
        try:
            asked = self._http.build_request(request.method, path, headers=headers, content=body)
            answer = await self._http.send(asked, stream=True)
        except (httpx.HTTPError, ClientDisconnect) as error:
            return _unavailable(f"the collector can't be reached: {type(error).__name__}")
        response = StreamingResponse(_raw(answer), answer.status_code)
        response.raw_headers = [
            (name.lower(), value) for name, value in answer.headers.raw if name.lower().decode() in ANSWERED
        ]
        return response


async def _raw(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.aiter_raw():
            yield chunk
    finally:
        # This is needed also where the visitor has left before the end.
        await answer.aclose()


def _query(request: Request) -> bytes:
    query: bytes = request.scope["query_string"]
    return b"?" + query if query else b""


def _unavailable(reason: str) -> Response:
    return JSONResponse({"success": False, "error": {"message": reason}}, 503, {"Cache-Control": "no-store"})
