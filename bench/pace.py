"""Requests at an even pace, for the time that an answer takes.

Load generators that give each connection its own clock send 64 requests at once and then none; a site's visitors
don't. Here each request has its own moment, whether or not the ones before it are answered, and its time counts from
that moment, so that a server that stalls pays for all who wait.
"""

from __future__ import annotations

import asyncio
from collections import deque
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import uvloop

TICK_SECONDS = 0.001


class _Connection(asyncio.Protocol):
    """One keep-alive connection: a request at a time."""

    def __init__(self, pace: _Pace) -> None:
        self._pace = pace
        self._due = 0.0
        self._came = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def ask(self, due: float) -> None:
        self._due, self._came = due, b""
        self.transport.write(self._pace.request)

    def data_received(self, data: bytes) -> None:
        self._came += data
        head, gap, body = self._came.partition(b"\r\n\r\n")
        if gap and len(body) >= _length(head):
            self._pace.answered(self, self._due, head.startswith(b"HTTP/1.1 200"))


class _Pace:
    def __init__(self, request: bytes) -> None:
        self.request = request
        self.free: list[_Connection] = []
        self.waiting: deque[float] = deque()
        self.times: list[float] = []
        self.failed = 0
        self._loop = asyncio.get_running_loop()

    def due(self, moment: float) -> None:
        if self.free:
            self.free.pop().ask(moment)
        else:
            self.waiting.append(moment)

    def answered(self, connection: _Connection, due: float, good: bool) -> None:
        self.times.append(self._loop.time() - due)
        self.failed += not good
        if self.waiting:
            connection.ask(self.waiting.popleft())
        else:
            self.free.append(connection)


def _length(head: bytes) -> int:
    name = b"content-length:"
    at = head.lower().index(name)
    return int(head[at + len(name) :].split(b"\r\n", 1)[0])


def slowest_percent(url: str, body: Path, rate: float, seconds: float, connections: int) -> float:
    """Return the milliseconds within which 99 % of POSTs of `body` are answered, at `rate` of them a second."""
    times = sorted(answer_times(url, body, rate, seconds, connections))
    return times[round(len(times) * 0.99) - 1]


def answer_times(url: str, body: Path, rate: float, seconds: float, connections: int) -> list[float]:
    """Return how many milliseconds each of these POSTs took to be answered."""
    return uvloop.run(_run(url, body.read_bytes(), rate, seconds, connections))


async def _run(url: str, body: bytes, rate: float, seconds: float, connections: int) -> list[float]:
    parts = urlsplit(url)
    assert parts.hostname
    head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: {len(body)}\r\n\r\n"
    loop = asyncio.get_running_loop()
    pace = _Pace(head.encode() + body)
    for _ in range(connections):
        _, connection = await loop.create_connection(lambda: _Connection(pace), parts.hostname, parts.port)
        pace.free.append(connection)
    count, start = round(rate * seconds), loop.time()
    sent = 0
    while sent < count:
        now = loop.time() - start
        while sent < count and sent / rate <= now:
            pace.due(start + sent / rate)
            sent += 1
        await asyncio.sleep(TICK_SECONDS)
    async with asyncio.timeout(30):
        while len(pace.times) < count:
            await asyncio.sleep(0.01)
    if pace.failed:
        raise SystemExit(f"{url} did not answer {pace.failed} of {count} requests well")
    return [one * 1000 for one in pace.times]
