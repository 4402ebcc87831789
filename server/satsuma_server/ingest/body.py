"""A request's body as bytes, within bounds of size, time and memory, whatever its compression."""

from __future__ import annotations

import asyncio
import zlib

from satsuma.checks import MAX_BATCH_BYTES
from starlette.types import Message, Receive

from satsuma_server.errors import BadRequestError, BusyError, SlowError, TooLargeError

MAX_BODY_BYTES = 4 * MAX_BATCH_BYTES
"""Most that is read of any body, compressed or not: enough to tell which event of a batch is too large."""

BODY_SECONDS = 30
"""How long a body may take to come. A visitor on a train needs some of that; whoever drips bytes gets no more."""

GZIP_MAGIC = b"\x1f\x8b"


class Bodies:
    """Reads bodies, all of them together within one bound of memory."""

    def __init__(self, most: int) -> None:
        """Take the most bytes that all bodies under way may hold."""
        self._most = most
        self.held = 0

    async def read(self, receive: Receive, encoding: str = "") -> bytes:
        """Return a body, inflated.

        Raises:
            TooLargeError: it is longer than `MAX_BODY_BYTES`.
            BadRequestError: it is said to be gzip and isn't, or the client went away.
            SlowError: it took too long to come.
            BusyError: too many bodies are under way.
        """
        message = await self._first(receive)
        body: bytes = message.get("body", b"")
        if message.get("more_body"):
            body = await self._rest(receive, body)
        _check_size(len(body))
        return inflate(body) if encoding == "gzip" or body.startswith(GZIP_MAGIC) else body

    async def _first(self, receive: Receive) -> Message:
        try:
            async with asyncio.timeout(BODY_SECONDS):
                return _request(await receive())
        except TimeoutError:
            raise _too_slow() from None

    async def _rest(self, receive: Receive, first: bytes) -> bytes:
        chunks, size = [first], len(first)
        held = 0
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while True:
                    if self.held + size - held > self._most:
                        raise BusyError("too much is being sent at once: try again in a second")
                    self.held += size - held
                    held = size
                    message = _request(await receive())
                    chunks.append(message.get("body", b""))
                    size += len(chunks[-1])
                    _check_size(size)
                    if not message.get("more_body"):
                        return b"".join(chunks)
        except TimeoutError:
            raise _too_slow() from None
        finally:
            self.held -= held


def inflate(body: bytes) -> bytes:
    """Return gzip's content. Raises as `Bodies.read`."""
    inflater = zlib.decompressobj(wbits=31)
    try:
        content = inflater.decompress(body, MAX_BODY_BYTES + 1)
    except zlib.error as error:
        raise BadRequestError(f"the body is not valid gzip: {error}") from error
    if len(content) > MAX_BODY_BYTES:
        raise TooLargeError(f"the inflated body is larger than {MAX_BODY_BYTES} bytes: send smaller batches")
    if not inflater.eof:
        raise BadRequestError("the body is not valid gzip: it ends too early")
    return content


def _request(message: Message) -> Message:
    if message["type"] == "http.disconnect":
        raise BadRequestError("the client went away before the body was complete")
    return message


def _check_size(size: int) -> None:
    if size > MAX_BODY_BYTES:
        raise TooLargeError(f"the body is larger than {MAX_BODY_BYTES} bytes: send smaller batches")


def _too_slow() -> SlowError:
    return SlowError(f"the body was not complete within {BODY_SECONDS} s")
