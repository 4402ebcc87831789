"""Reads the bodies of requests for the second process, within a bound for each route and one for all together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request

from satsuma_server.errors import BusyError, SlowError, TooLargeError
from satsuma_server.ingest.body import BODY_SECONDS


class BodiesUnderWay:
    """Reads bodies, and counts their bytes until they have been passed on.

    Attributes:
        held: how many bytes are held now.
    """

    def __init__(self, most: int) -> None:
        """Take the most bytes that all bodies may have together."""
        self._most = most
        self.held = 0

    @asynccontextmanager
    async def read(self, request: Request, most: int) -> AsyncIterator[bytes]:
        """Yield a body of at most `most` bytes. Its bytes count until the context ends.

        Raises:
            TooLargeError: the body is larger, or its Content-Length says so.
            SlowError: it took longer than `BODY_SECONDS` to arrive.
            BusyError: all bodies together are too large. The client can try again in a moment.
        """
        declared = request.headers.get("content-length", "0")
        if declared.isdecimal() and int(declared) > most:
            raise _too_large(most)
        body = bytearray()
        try:
            try:
                async with asyncio.timeout(BODY_SECONDS):
                    await self._gather(request, most, body)
            except TimeoutError:
                raise SlowError(f"the body was not complete within {BODY_SECONDS} s") from None
            yield bytes(body)
        finally:
            self.held -= len(body)

    async def _gather(self, request: Request, most: int, body: bytearray) -> None:
        async for piece in request.stream():
            if len(body) + len(piece) > most:
                raise _too_large(most)
            if self.held + len(piece) > self._most:
                raise BusyError("too many requests with large bodies are under way: try again in a moment")
            body += piece
            self.held += len(piece)


def _too_large(most: int) -> TooLargeError:
    return TooLargeError(f"the body is larger than the {most} bytes that this path takes")
