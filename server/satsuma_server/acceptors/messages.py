"""What acceptors and the writer tell each other, and how it goes over a socket.

Each frame has four bytes with its length, and a list of messages in MessagePack. What is to be sent within one turn of
the event loop goes in one frame.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import msgspec

from satsuma_server.errors import CollectorError
from satsuma_server.http.metrics import Counts
from satsuma_server.log import Arrivals
from satsuma_server.plans.model import Violation

HEAD_BYTES = 4
FULL_BYTES = 1 << 20
"""Bytes of events after which a frame is sent at once."""

LONGEST_FRAME = 1 << 30


class Append(msgspec.Struct, array_like=True, tag=0):
    """Asks to store events; the answer's value is how many were new."""

    id: int
    arrivals: Arrivals


class OfAddress(msgspec.Struct, array_like=True, tag=1):
    """Asks to count one event of an address."""

    id: int
    address: str


class MoreOfAddress(msgspec.Struct, array_like=True, tag=2):
    """Tells of more events of an address."""

    address: str
    events: int


class OfSource(msgspec.Struct, array_like=True, tag=3):
    """Asks to count events of a source."""

    id: int
    write_key: str
    events: int


class Guess(msgspec.Struct, array_like=True, tag=4):
    """Asks whether a token may be tried from an address."""

    id: int
    address: str
    token: str


class Violated(msgspec.Struct, array_like=True, tag=5):
    """Tells what was not as planned."""

    source: str
    found: list[Violation]
    message_id: str | None
    refused: bool


class Counted(msgspec.Struct, array_like=True, tag=6):
    """Tells what was counted, and answers `Tell`; its id is 0 where nobody asked."""

    id: int
    counts: Counts


class Failure(msgspec.Struct, array_like=True):
    """An error, as its sender's client gets it."""

    status: int
    reason: str
    retry_after: int | None = None

    @classmethod
    def of(cls, error: CollectorError) -> Failure:
        """Make one of an exception."""
        return cls(error.status, str(error), error.retry_after)

    def exception(self) -> CollectorError:
        """Return an exception with the same answer."""
        error = CollectorError(self.reason)
        error.status, error.retry_after = self.status, self.retry_after
        return error


class Answer(msgspec.Struct, array_like=True, tag=0):
    """Answers the message of an acceptor with the same id."""

    id: int
    value: int = 0
    failure: Failure | None = None


class Tell(msgspec.Struct, array_like=True, tag=1):
    """Asks an acceptor what it has counted."""

    id: int


FromAcceptor = Append | OfAddress | MoreOfAddress | OfSource | Guess | Violated | Counted
FromWriter = Answer | Tell

_encoder = msgspec.msgpack.Encoder()


class Line(asyncio.Protocol):
    """One end of a connection. Messages that arrive are given to `handle`."""

    def __init__(
        self, decoder: msgspec.msgpack.Decoder[list[FromAcceptor]] | msgspec.msgpack.Decoder[list[FromWriter]]
    ):
        self._decoder = decoder
        self._arrived = bytearray()
        self._waiting: list[FromAcceptor | FromWriter] = []
        self._waiting_bytes = 0
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()

    def handle(self, message: FromAcceptor | FromWriter) -> None:
        """Do what a message asks for."""
        raise NotImplementedError

    def send(self, message: FromAcceptor | FromWriter, size: int = 0) -> None:
        """Send a message in the frame of this turn of the event loop; `size` is about how many bytes it has."""
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(message)
        self._waiting_bytes += size
        if self._waiting_bytes > FULL_BYTES:
            self._flush()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        arrived = self._arrived
        arrived += data
        begin, end = 0, len(arrived)
        while end - begin >= HEAD_BYTES:
            size = int.from_bytes(arrived[begin : begin + HEAD_BYTES])
            if size > LONGEST_FRAME:
                raise ValueError("a frame of another process is too long")
            if end - begin - HEAD_BYTES < size:
                break
            begin += HEAD_BYTES
            with memoryview(arrived) as view:
                messages = self._decoder.decode(view[begin : begin + size])
            begin += size
            for message in messages:
                self.handle(message)
        del arrived[:begin]

    def _flush(self) -> None:
        messages, self._waiting, self._waiting_bytes = self._waiting, [], 0
        if messages and self._transport is not None:
            frame = _encoder.encode(messages)
            self._transport.write(len(frame).to_bytes(HEAD_BYTES) + frame)


Make = Callable[[int], FromAcceptor]
"""Makes a message of its id."""
