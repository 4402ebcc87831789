"""An acceptor's connection to the writer, and what an acceptor uses in place of what only the writer has."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from pathlib import Path

import msgspec
from starlette.types import Scope

from satsuma_server.errors import BusyError, UnavailableError
from satsuma_server.http.addresses import address_of
from satsuma_server.http.guesses import token_of
from satsuma_server.http.metrics import Metrics
from satsuma_server.log import Arrivals
from satsuma_server.plans.model import Violation
from satsuma_server.settings import Settings, Source

from .messages import (
    Answer,
    Append,
    Counted,
    FromAcceptor,
    FromWriter,
    Guess,
    Line,
    Make,
    MoreOfAddress,
    OfAddress,
    OfSource,
    Tell,
    Violated,
)

AGAIN_SECONDS = 0.05
"""How soon an acceptor tries to reach a writer that is not there."""

COUNTS_SECONDS = 1.0
"""How often an acceptor tells what it has counted, so that little is missing where it is killed."""

AWAY = "the part of the collector that writes is starting: send the same again in a moment"
LOST = "the part of the collector that writes has ended: send the same again in a moment"


class WriterLink:
    """The connection to the writer, which is made again when it breaks. Use it from one event loop only.

    It takes events as a log does. Where the connection breaks before the writer has answered, nobody knows whether
    events are stored: they are not acknowledged, and their repetition is recognized where they are.
    """

    def __init__(self, socket: Path, metrics: Metrics, most_bytes: int) -> None:
        """Take the writer's socket, what counts this process's requests, and how many bytes of events may wait."""
        self._socket = socket
        self._metrics = metrics
        self._most_bytes = most_bytes
        self._bytes = 0
        self._line: _Line | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        """Connect, and stay connected."""
        self._loop = asyncio.get_running_loop()
        connected = asyncio.Event()
        self._tasks = [
            asyncio.create_task(self._stay_connected(connected), name="satsuma-link"),
            asyncio.create_task(self._tell_counts(), name="satsuma-counts"),
        ]
        await connected.wait()

    async def stop(self) -> None:
        """Tell what was counted since the last time, and close the connection."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._line is not None:
            self._line.tell_counts()
            self._line.close()
            await self._line.lost.wait()

    async def append(self, arrivals: Arrivals) -> int:
        """Have events stored; see `Appends`. Raises `BusyError`, `UnavailableError` and what the writer's log
        raises."""
        size = arrivals.size()
        # What is larger than the bound goes alone: the writer's log says whether it takes that much.
        if self._bytes and self._bytes + size > self._most_bytes:
            raise BusyError("the log falls behind: try again in a second")
        self._bytes += size
        try:
            return await self.ask(lambda id: Append(id, arrivals), size)
        finally:
            self._bytes -= size

    async def ask(self, make: Make, size: int = 0) -> int:
        """Send a message, and return the value of its answer.

        Raises:
            UnavailableError: the writer is not there, or ended before it answered.
            CollectorError: what the writer answered.
        """
        if self._line is None:
            raise UnavailableError(AWAY)
        return await self._line.ask(make, size)

    def tell(self, message: FromAcceptor) -> None:
        """Send a message that has no answer, from this event loop's thread; nobody gets it while the writer is away."""
        if self._line is not None:
            self._line.send(message)

    def note(self, source: str, found: Iterable[Violation], message_id: object, *, refused: bool) -> None:
        """Count violations of a plan, from any thread."""
        told = Violated(source, [*found], message_id if isinstance(message_id, str) else None, refused)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.tell, told)

    async def _stay_connected(self, connected: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        while True:
            with contextlib.suppress(OSError):
                _, line = await loop.create_unix_connection(lambda: _Line(self._metrics), str(self._socket))
                self._line = line
                connected.set()
                await line.lost.wait()
                self._line = None
            await asyncio.sleep(AGAIN_SECONDS)

    async def _tell_counts(self) -> None:
        while True:
            await asyncio.sleep(COUNTS_SECONDS)
            if self._line is not None:
                self._line.tell_counts()


class _Line(Line):
    def __init__(self, metrics: Metrics) -> None:
        super().__init__(msgspec.msgpack.Decoder(list[FromWriter]))
        self._metrics = metrics
        self._asked: dict[int, asyncio.Future[int]] = {}
        self._number = 0
        self.lost = asyncio.Event()

    def ask(self, make: Make, size: int) -> asyncio.Future[int]:
        if self.lost.is_set():
            # The link hears of it a moment later, and nobody would answer any more.
            raise UnavailableError(LOST)
        self._number += 1
        answer = self._asked[self._number] = self._loop.create_future()
        self.send(make(self._number), size)
        return answer

    def handle(self, message: FromAcceptor | FromWriter) -> None:
        if isinstance(message, Answer):
            answer = self._asked.pop(message.id, None)
            if answer is None or answer.done():
                return  # Its request was given up.
            if message.failure is None:
                answer.set_result(message.value)
            else:
                answer.set_exception(message.failure.exception())
        elif isinstance(message, Tell):
            self.tell_counts(message.id)

    def tell_counts(self, id: int = 0) -> None:
        self.send(Counted(id, self._metrics.take()))

    def close(self) -> None:
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        asked, self._asked = self._asked, {}
        for answer in asked.values():
            if not answer.done():
                answer.set_exception(UnavailableError(LOST))
        self.lost.set()


class LinkedLimits:
    """The limits of senders, which the writer counts for all acceptors."""

    def __init__(self, link: WriterLink, settings: Settings) -> None:
        self._link = link
        self._of_sources = settings.limits.source
        self.has_addresses = settings.limits.address is not None

    async def check_address(self, address: str | None) -> None:
        """Count one event of an address. Raises `CollectorError` where it has sent too many."""
        if self.has_addresses and address is not None:
            await self._link.ask(lambda id: OfAddress(id, address))

    def count_more(self, address: str | None, events: int) -> None:
        """Count the other events of a request whose first one `check_address` has counted."""
        if self.has_addresses and address is not None and events > 0:
            self._link.tell(MoreOfAddress(address, events))

    async def check_source(self, source: Source, events: int) -> None:
        """Count events of a source. Raises `CollectorError` where it has sent too many."""
        if source.limit or self._of_sources:
            await self._link.ask(lambda id: OfSource(id, source.write_key, events))


class LinkedGuesses:
    """The limit of wrong tokens, which the writer counts for all acceptors."""

    def __init__(self, link: WriterLink, settings: Settings) -> None:
        self._link = link
        self._settings = settings

    async def check(self, scope: Scope) -> None:
        """Count a request's token, if it has one. Raises `CollectorError` where there were too many."""
        if token := token_of(scope):
            address = address_of(scope, self._settings) or ""
            await self._link.ask(lambda id: Guess(id, address, token))


class NobodySuppressed:
    """In place of the suppression list: the writer takes suppressed people out, since it alone knows the list as it is
    when events are stored."""

    def __len__(self) -> int:
        return 0

    def filter(self, arrivals: Arrivals) -> None:
        """Leave everything as it is."""
