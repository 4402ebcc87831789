"""Counts the bytes that come over the line, whatever browser is at its end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Thread
from urllib.parse import urlsplit

CHUNK = 1 << 16
START_SECONDS = 10


@dataclass(slots=True)
class Meter:
    """A line to a server.

    Attributes:
        url: the origin at which browsers reach the server.
        bytes: how many have come from it, heads included.
    """

    url: str = ""
    bytes: int = 0


@contextmanager
def metered(url: str) -> Iterator[Meter]:
    """Stand before a server, on a free port, and pass everything on."""
    loop, meter = asyncio.new_event_loop(), Meter()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(_listen(urlsplit(url).port or 80, meter), loop).result(START_SECONDS)
    try:
        yield meter
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


async def _listen(port: int, meter: Meter) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        their_reader, their_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_carry(reader, their_writer), _carry(their_reader, writer, meter))

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    meter.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, meter: Meter | None = None) -> None:
    with suppress(OSError):
        while chunk := await reader.read(CHUNK):
            if meter:
                meter.bytes += len(chunk)
            writer.write(chunk)
            await writer.drain()
    writer.close()
