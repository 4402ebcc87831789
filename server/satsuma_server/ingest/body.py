"""A request's body as bytes, within bounds, whatever its compression."""

from __future__ import annotations

import zlib

from satsuma.checks import MAX_BATCH_BYTES
from starlette.requests import ClientDisconnect, Request

from satsuma_server.errors import BadRequestError, TooLargeError

MAX_BODY_BYTES = 4 * MAX_BATCH_BYTES
"""Most that is read of any body, compressed or not: enough to tell which event of a batch is too large."""

GZIP_MAGIC = b"\x1f\x8b"


async def read_body(request: Request) -> bytes:
    """Return the body, inflated.

    Raises:
        TooLargeError: it is longer than `MAX_BODY_BYTES`.
        BadRequestError: it is said to be gzip and isn't, or the client went away.
    """
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > MAX_BODY_BYTES:
                raise TooLargeError(f"the body is larger than {MAX_BODY_BYTES} bytes: send smaller batches")
            chunks.append(chunk)
    except ClientDisconnect as error:
        raise BadRequestError("the client went away before the body was complete") from error
    body = b"".join(chunks)
    packed = request.headers.get("content-encoding", "").lower() == "gzip" or body.startswith(GZIP_MAGIC)
    return inflate(body) if packed else body


def inflate(body: bytes) -> bytes:
    """Return gzip's content. Raises as `read_body`."""
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
