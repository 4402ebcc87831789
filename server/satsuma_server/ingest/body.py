"""A request's body as bytes, within bounds of size, time and memory, whatever its compression."""

from __future__ import annotations

import asyncio
import zlib

from satsuma.validation import MAX_BATCH_BYTES
from starlette.types import Receive

from satsuma_server.errors import BadRequestError, BusyError, EncodingError, SlowError, TooLargeError
from satsuma_server.http.responses import ENCODINGS

MAX_BODY_BYTES = 4 * MAX_BATCH_BYTES
"""Most that is read of any body, compressed or not: enough to tell which event of a batch is too large."""

BODY_SECONDS = 30
"""Seconds that a body may take to arrive. A visitor on a train needs some of them; an attacker who sends single bytes
gets no more."""

GZIP_MAGIC = b"\x1f\x8b"
FORMATS = {"": None, "identity": None, "gzip": 31, "x-gzip": 31, "deflate": 15}
"""The encodings that are read, with zlib's number for the format of each. HTTP's deflate is the format of zlib."""


class Bodies:
    """Reads bodies, with one bound for the memory of all bodies together."""

    def __init__(self, most: int) -> None:
        """Take the most bytes that all bodies may have together while they arrive."""
        self._most = most
        self.held = 0

    async def read(self, receive: Receive, encoding: str = "", most: int = MAX_BODY_BYTES) -> bytes:
        """Return a body of at most `most` bytes, decompressed.

        Raises:
            TooLargeError: it is longer, compressed or decompressed.
            BadRequestError: it is declared as compressed and isn't validly so, or the client closed the connection.
            EncodingError: it is compressed in another way. Nothing was read.
            SlowError: it took longer than `BODY_SECONDS` to arrive.
            BusyError: too many bodies are arriving at once.
        """
        if encoding not in FORMATS:
            raise EncodingError(f"bodies in {encoding[:50]} are not read: send {ENCODINGS}, or without compression")
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await self._gather(receive, most)
        except TimeoutError:
            raise SlowError(f"the body was not complete within {BODY_SECONDS} s") from None
        format = FORMATS[encoding] or (FORMATS["gzip"] if body.startswith(GZIP_MAGIC) else None)
        return inflate(body, most, format) if format else body

    async def _gather(self, receive: Receive, most: int) -> bytes:
        body = (
            bytearray()
        )  # A single buffer: a list of a million single bytes takes twenty times the memory of its content.
        held = 0
        try:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise BadRequestError("the client went away before the body was complete")
                body += message.get("body", b"")
                if len(body) > most:
                    raise TooLargeError(f"the body is larger than {most} bytes: send smaller batches")
                if not message.get("more_body"):
                    return bytes(body)
                if self.held + len(body) - held > self._most:
                    raise BusyError("too much is being sent at once: try again in a second")
                self.held += len(body) - held
                held = len(body)
        finally:
            self.held -= held


def inflate(body: bytes, most: int = MAX_BODY_BYTES, format: int = 31) -> bytes:
    """Return the content of compressed data; `format` is one of `FORMATS`. Raises the errors of `Bodies.read`."""
    name = "gzip" if format == FORMATS["gzip"] else "deflate"
    inflater = zlib.decompressobj(wbits=format)
    try:
        content = inflater.decompress(body, most + 1)
    except zlib.error as error:
        raise BadRequestError(f"the body is not valid {name}: {error}") from error
    if len(content) > most:
        raise TooLargeError(f"the inflated body is larger than {most} bytes: send smaller batches")
    if not inflater.eof:
        raise BadRequestError(f"the body is not valid {name}: it ends too early")
    return content
