"""Somebody who opens the live feed and does not read it: the collector goes on, and nothing is heaped up for them."""

from __future__ import annotations

import asyncio
import gc
import re
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from console.conftest import PAGE, Desk
from satsuma_server.console import projection
from satsuma_server.console.presenters.feed_entry import Entry
from satsuma_server.console.recent_events import SLACK, RecentEvents
from satsuma_server.console.views import live
from satsuma_server.projections.proxy import Proxy
from satsuma_server.settings import Settings

HELD = 2_000
BATCHES, A_BATCH = 60, 100
FIRST = 2
"""Messages of an answer until its reader stalls: the head, and the feed's hello."""


class Reader:
    """A browser at the feed that takes what is `FIRST`, and then nothing until it is `released`."""

    def __init__(self, desk: Desk) -> None:
        self.messages: list[dict[str, Any]] = []
        self.stalled = threading.Event()
        self.released = asyncio.Event()
        cookie = f"satsuma_console={desk.web.cookies['satsuma_console']}".encode()
        self._scope = {
            "type": "http",
            "method": "GET",
            "path": "/console/live/stream",
            "query_string": b"",
            "headers": [(b"cookie", cookie), (b"accept", b"text/event-stream")],
            "scheme": "http",
            "server": ("testserver", 80),
            "client": ("testclient", 1),
        }

    async def open(self, app: Any) -> None:
        await app(self._scope, self._receive, self._send)

    async def _receive(self) -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    async def _send(self, message: dict[str, Any]) -> None:
        if message.get("body", b"").startswith(b": ping"):
            return  # They come by time, whatever a reader does.
        self.messages.append(message)
        if len(self.messages) >= FIRST:
            self.stalled.set()
            await self.released.wait()

    @property
    def read(self) -> str:
        """What it was given to read."""
        return b"".join(message.get("body", b"") for message in self.messages).decode()


@contextmanager
def reading(desk: Desk, *readers: Reader) -> Iterator[list[Future[None]]]:
    """Open the feed for readers, and wait until each has stalled."""
    assert desk.web.portal is not None
    tasks = [desk.web.portal.start_task_soon(reader.open, desk.web.app) for reader in readers]
    try:
        assert all(reader.stalled.wait(20) for reader in readers)
        yield tasks
    finally:
        for task in tasks:
            task.cancel()


@pytest.fixture
def small_desk(monkeypatch: pytest.MonkeyPatch, make_desk: Callable[[], Desk]) -> Desk:
    """A console that holds few events, with somebody logged in."""
    monkeypatch.setattr(projection, "RecentEvents", partial(RecentEvents, most=HELD))
    desk = make_desk()
    assert desk.log_in().status_code == 303
    return desk


def flood(desk: Desk) -> None:
    """Post more than a feed looks at; each batch is acknowledged before the next one goes."""
    for batch in range(BATCHES):
        desk.send(*({"type": "track", "event": f"E{batch}-{one}", "userId": "u"} for one in range(A_BATCH)))
    desk.see("live", f"E{BATCHES - 1}-{A_BATCH - 1}")


def test_who_does_not_read_holds_nobody_up_and_nothing_is_kept_for_them(small_desk: Desk) -> None:
    reader = Reader(small_desk)
    with reading(small_desk, reader):
        flood(small_desk)
        assert len(small_desk.collector.events()) == BATCHES * A_BATCH
        assert len(reader.messages) == FIRST
        gc.collect()
        alive = sum(isinstance(one, Entry) for one in gc.get_objects())
        assert HELD <= alive <= HELD * SLACK + A_BATCH

        assert small_desk.web.portal is not None
        small_desk.web.portal.call(reader.released.set)
        small_desk.send({"type": "track", "event": "The last one", "userId": "u"})
        give_up = threading.Event()
        while "The last one" not in reader.read:
            assert not give_up.wait(0.02) and len(reader.messages) < 9, reader.read[-500:]
        # One message has the newest that a screen can show, and another says how many were passed over.
        shown = re.findall(r'class="what">(E\d+-\d+)', reader.read)
        skipped = sum(map(int, re.findall(r"event: skipped\r?\ndata: (\d+)", reader.read)))
        assert len(shown) <= live.A_TICK and shown[0] == f"E{BATCHES - 1}-{A_BATCH - 1}"
        assert len(shown) + skipped == BATCHES * A_BATCH


def test_a_feed_that_is_not_read_is_closed_after_a_while(
    monkeypatch: pytest.MonkeyPatch, make_desk: Callable[[], Desk]
) -> None:
    monkeypatch.setattr(live, "SEND_SECONDS", 0.05)
    desk = make_desk()
    desk.log_in()
    with reading(desk, Reader(desk)) as [feed]:
        assert feed.exception(20) is not None


def test_so_many_feeds_are_open_and_no_more(monkeypatch: pytest.MonkeyPatch, desk: Desk) -> None:
    monkeypatch.setattr(live, "MOST_FEEDS", 3)
    with reading(desk, *(Reader(desk) for _ in range(3))):
        assert desk.web.get("/console/live/stream").status_code == 503
        assert desk.web.get("/console/live", headers=PAGE).status_code == 200


class Endless(httpx.AsyncByteStream):
    """A worker's feed that always has more."""

    def __init__(self) -> None:
        self.taken = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            self.taken += 1
            yield b"data: x\n\n"


def test_the_collector_takes_no_more_of_a_feed_than_its_reader_does(tmp_path: Path) -> None:
    async def run() -> None:
        feed, sent, stalled = Endless(), [], asyncio.Event()
        proxy = Proxy(tmp_path / "none", Settings(tmp_path))
        answer = httpx.MockTransport(lambda request: httpx.Response(200, stream=feed))
        proxy._upstream._client = httpx.AsyncClient(transport=answer)

        asked = iter([{"type": "http.request", "body": b"", "more_body": False}])

        async def receive() -> dict[str, Any]:
            for message in asked:
                return message
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)
            if len(sent) == 4:
                stalled.set()
                await asyncio.Event().wait()

        scope = {"type": "http", "method": "GET", "path": "/console/live/stream", "query_string": b"", "headers": []}
        scope |= {"scheme": "http", "server": ("collector", 80), "client": ("198.51.100.4", 1)}
        reading = asyncio.create_task(proxy(scope, receive, send))  # type: ignore[arg-type]
        await asyncio.wait_for(stalled.wait(), 20)
        for _ in range(100):  # Whoever could go on without being waited for has had the time to.
            await asyncio.sleep(0)
        assert feed.taken == len(sent) - 1
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await proxy.close()

    asyncio.run(run())
