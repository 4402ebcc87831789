"""The writer's end of the connections to acceptors: stores their events, and counts for all of them."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Awaitable
from pathlib import Path

import msgspec

from satsuma_server.app import Shared
from satsuma_server.errors import CollectorError
from satsuma_server.http.serving import bind_private
from satsuma_server.log import Arrivals
from satsuma_server.settings import Settings

from .messages import (
    Answer,
    Append,
    Counted,
    Failure,
    FromAcceptor,
    FromWriter,
    Guess,
    Line,
    MoreOfAddress,
    OfAddress,
    OfSource,
    Tell,
    Violated,
)

TELL_SECONDS = 2
"""How long metrics wait for what acceptors have counted."""

logger = logging.getLogger("satsuma.acceptors")


class Hub:
    """The connections of all acceptors."""

    def __init__(self, settings: Settings, shared: Shared) -> None:
        self._settings = settings
        self._shared = shared
        self._lines = set[_Line]()
        self._numbers = itertools.count(1)
        self._told: dict[int, asyncio.Future[None]] = {}
        shared.metrics.watch("satsuma_acceptors", "Processes that take requests", lambda: len(self._lines))
        shared.metrics.before_each(self._gather_counts)

    async def listen(self, socket: Path) -> asyncio.Server:
        """Take connections on a Unix socket."""
        loop = asyncio.get_running_loop()
        return await loop.create_unix_server(lambda: _Line(self), sock=bind_private(socket))

    def joined(self, line: _Line) -> None:
        """An acceptor has connected."""
        self._lines.add(line)

    def left(self, line: _Line) -> None:
        """An acceptor has gone."""
        self._lines.discard(line)

    async def append(self, arrivals: Arrivals) -> int:
        """Store the events of a request; see `EventLog.append`."""
        # Nothing may come between these two: somebody who was deleted meanwhile would be stored afterwards.
        if self._shared.suppressed:
            self._shared.suppressed.filter(arrivals)
        return await self._shared.log.append(arrivals)

    async def count(self, message: OfAddress | OfSource | Guess) -> int:
        """Count for all acceptors. Raises `CollectorError` where there were too many."""
        match message:
            case OfAddress(_, address):
                await self._shared.limits.check_address(address)
            case OfSource(_, write_key, events):
                if source := self._settings.source(write_key):
                    await self._shared.limits.check_source(source, events)
            case Guess(_, address, token):
                await self._shared.guesses.check_token(address, token)
        return 0

    def note(self, message: FromAcceptor | FromWriter) -> None:
        """Note what needs no answer."""
        match message:
            case MoreOfAddress(address, events):
                self._shared.limits.count_more(address, events)
            case Violated(source, found, message_id, refused):
                self._shared.violations.note(source, found, message_id, refused=refused)
            case Counted(id, counts):
                self._shared.metrics.add(counts)
                if (told := self._told.get(id)) is not None and not told.done():
                    told.set_result(None)

    async def _gather_counts(self) -> None:
        """Ask all acceptors what they have counted since they last told."""
        loop = asyncio.get_running_loop()
        waiting = {next(self._numbers): line for line in self._lines}
        self._told |= {id: loop.create_future() for id in waiting}
        for id, line in waiting.items():
            line.send(Tell(id))
        if waiting:
            # One that hangs tells later.
            await asyncio.wait([self._told[id] for id in waiting], timeout=TELL_SECONDS)
        for id in waiting:
            del self._told[id]


class _Line(Line):
    def __init__(self, hub: Hub) -> None:
        super().__init__(msgspec.msgpack.Decoder(list[FromAcceptor]))
        self._hub = hub
        self._tasks = set[asyncio.Task[None]]()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._hub.joined(self)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._hub.left(self)

    def handle(self, message: FromAcceptor | FromWriter) -> None:
        if isinstance(message, Append):
            self._answer(message.id, self._hub.append(message.arrivals))
        elif isinstance(message, OfAddress | OfSource | Guess):
            self._answer(message.id, self._hub.count(message))
        else:
            self._hub.note(message)

    def _answer(self, id: int, work: Awaitable[int]) -> None:
        # Tasks begin in the order in which they were made, and so events are stored in the order in which they came.
        task = self._loop.create_task(self._work(id, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, id: int, work: Awaitable[int]) -> None:
        try:
            answer = Answer(id, await work)
        except CollectorError as error:
            answer = Answer(id, failure=Failure.of(error))
        except Exception:
            logger.exception("an acceptor's message could not be answered")
            answer = Answer(id, failure=Failure(500, "the collector failed: its log tells more"))
        self.send(answer)
