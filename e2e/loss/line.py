"""One connection of a browser through the front, and what can happen to a request on it."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER of a socket whose close is a reset."""

REFUSAL = (
    "HTTP/1.1 {status} Not now\r\nAccess-Control-Allow-Origin: *\r\nAccess-Control-Expose-Headers: Retry-After\r\n"
    "Retry-After: 1\r\nContent-Length: 0\r\n\r\n"
)
"""As the collector answers: a browser shows a page no others."""


class Kind(StrEnum):
    """What a request meets with."""

    CALM = "calm"
    UNREAD = "reset unread"
    HALFWAY = "reset halfway"
    LOST_ANSWER = "answer lost"
    REFUSED = "500, 503, 429"
    SLOW = "slow answer"
    DOWN = "down a while"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Attributes:
        seconds: how late a slow answer is, and how long the collector is down.
        status: of a refusal.
    """

    kind: Kind
    seconds: float = 1
    status: int = 503


class Line:
    """A connection to the browser and one to the collector. A browser sends one request at a time on it."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        collector: asyncio.StreamReader,
        to_collector: asyncio.StreamWriter,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._collector = collector
        self._to_collector = to_collector
        self._answered = asyncio.Event()
        self._mute = False
        self._late = 0.0

    async def read_head(self) -> bytes:
        """Return a request's first lines, up to its body."""
        return await self._reader.readuntil(b"\r\n\r\n")

    async def carry(self, head: bytes, fault: Fault) -> bytes:
        """Take a request to the collector, as far as the fault lets it come.

        Returns: the body that the collector got, once the answer has begun; empty where it got none.
        """
        length = LENGTH.search(head)
        size = int(length[1]) if length else 0
        if fault.kind == Kind.UNREAD:
            self.reset()
        elif fault.kind == Kind.HALFWAY:
            await self._reader.readexactly(size // 2)
            self.reset()
        elif fault.kind == Kind.REFUSED:
            await self._reader.readexactly(size)
            self._writer.write(REFUSAL.format(status=fault.status).encode())
        else:
            body = await self._reader.readexactly(size)
            self._mute = fault.kind == Kind.LOST_ANSWER
            self._late = fault.seconds if fault.kind == Kind.SLOW else 0
            await self._pass_on(head + body)
            return body
        return b""

    async def _pass_on(self, request: bytes) -> None:
        self._answered.clear()
        self._to_collector.write(request)
        await self._answered.wait()
        if self._mute:
            self.reset()

    async def carry_answers(self) -> None:
        """Pass on what the collector says, when and if it is to be heard, until it hangs up."""
        with suppress(OSError):
            while chunk := await self._collector.read(65536):
                self._answered.set()
                if self._mute:
                    continue
                await asyncio.sleep(self._late)
                self._late = 0
                self._writer.write(chunk)
                await self._writer.drain()
        self._answered.set()
        self.close()

    def reset(self) -> None:
        """Break the connection to the browser, with a reset."""
        ours: socket.socket | None = self._writer.get_extra_info("socket")
        if ours is not None and ours.fileno() != -1:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        self._writer.transport.abort()

    def close(self) -> None:
        """Hang up on both."""
        self._writer.close()
        self._to_collector.close()
