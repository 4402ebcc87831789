"""Stands on the network between browsers and a collector, and breaks it as networks do.

It passes on bytes and is no ASGI layer: only who owns a socket can reset it. Posts meet with faults; scripts, settings
and preflights pass, unless the collector is down for everybody.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections import deque
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from random import Random
from threading import Thread
from typing import Any

from loss.line import Fault, Kind, Line

STATUSES = (500, 503, 429)


class Front:
    """What browsers take for the collector.

    Attributes:
        url: its origin.
        weather: the kind of faults that posts meet with now; CALM for none.
        share: of the posts that meet with one, 0 to 1.
        spared: the path of posts that meet with none.
        posts: how many have come.
        heard_at: when the last one came, in seconds of a monotonic clock.
        arrived: the bodies that reached the collector.
    """

    def __init__(self, collector: str, seed: object) -> None:
        host, port = collector.partition("://")[2].split(":")
        self._collector = (host, int(port))
        self._chance = Random(str(seed))
        self._next: deque[Fault] = deque()
        self._lines: set[Line] = set()
        self._server: asyncio.Server | None = None
        self._spell: asyncio.Task[None] | None = None
        self._loop = asyncio.new_event_loop()
        # Bound and never listening: it keeps the port ours while the collector is down.
        self._placeholder = socket.socket()
        self._placeholder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._placeholder.bind(("127.0.0.1", 0))
        self._port = self._placeholder.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self.weather, self.share, self.spared = Kind.CALM, 0.0, ""
        self.posts, self.heard_at = 0, 0.0
        self.arrived: list[bytes] = []

    # For tests, in their own thread

    def fail_next(self, *faults: Fault) -> None:
        """Let the next posts meet with these, whatever the weather."""
        self._next.extend(faults)

    def clear_up(self) -> None:
        """Have good weather from now on, and the collector up."""
        self.weather, self.share, self.spared = Kind.CALM, 0.0, ""
        self._next.clear()
        self.come_up()

    def come_up(self) -> None:
        """Take connections again."""
        self._run(self._end_spell())

    def go_down(self) -> None:
        """Refuse connections for as long as it takes."""
        self._run(self._go_down())

    def start(self) -> None:
        """Begin to listen."""
        Thread(target=self._loop.run_forever, daemon=True).start()
        self._run(self._come_up())

    def stop(self) -> None:
        """End everything."""
        self._run(self._end_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._placeholder.close()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    # On the network, in the loop's thread

    async def _come_up(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._talk, "127.0.0.1", self._port, reuse_port=True)

    async def _go_down(self) -> None:
        if self._spell is not None and self._spell is not asyncio.current_task():
            self._spell.cancel()
        if self._server is not None:
            self._server.close()
            self._server = None
        for line in list(self._lines):
            line.reset()

    async def _end_spell(self) -> None:
        if self._spell is not None:
            self._spell.cancel()
        await self._come_up()

    async def _end_all(self) -> None:
        await self._go_down()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # What is closed is told so in the loop's next turns; one that never hears of it complains as it is collected.
        for _ in range(3):
            await asyncio.sleep(0)

    async def _down_for(self, seconds: float) -> None:
        await self._go_down()
        await asyncio.sleep(seconds)
        await self._come_up()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._carry(Line(reader, writer, *await asyncio.open_connection(*self._collector)))
        finally:
            writer.close()

    async def _carry(self, line: Line) -> None:
        self._lines.add(line)
        answers = asyncio.create_task(line.carry_answers())
        try:
            await self._carry_requests(line)
        finally:
            self._lines.discard(line)
            answers.cancel()
            line.close()

    async def _carry_requests(self, line: Line) -> None:
        while True:
            head = await line.read_head()
            post = head.startswith(b"POST ")
            if post:
                self.posts, self.heard_at = self.posts + 1, time.monotonic()
            spared = self.spared and head.startswith(f"POST {self.spared} ".encode())
            fault = self._fault() if post and not spared else Fault(Kind.CALM)
            if fault.kind == Kind.DOWN:
                self._spell = self._loop.create_task(self._down_for(fault.seconds))
                return
            body = await line.carry(head, fault)
            if body:
                self.arrived.append(body)

    def _fault(self) -> Fault:
        if self._next:
            return self._next.popleft()
        if self._chance.random() >= self.share:
            return Fault(Kind.CALM)
        return Fault(self.weather, self._chance.uniform(0.2, 2), self._chance.choice(STATUSES))


@contextmanager
def standing_before(collector: str, seed: object = 0) -> Iterator[Front]:
    """Stand before a collector, on a free port."""
    front = Front(collector, seed)
    front.start()
    try:
        yield front
    finally:
        front.stop()
