"""The worker is killed again and again while events come in, and the destination fails, hangs and asks for pauses.

Held afterwards: what the collector has acknowledged is delivered at least once, what comes twice is the same event with
the same key, and no event of a person arrives before an earlier one of the same person.
"""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from destinations.receiver import Received, receiving, settings_of, until
from satsuma_server.destinations.store import FILE
from satsuma_server.settings import Settings, settings_to_json
from satsuma_server.testing import Collector, running
from starlette.responses import PlainTextResponse, Response

PEOPLE = 25
A_BATCH = 10
TIMEOUT = 0.25
"""Seconds that a request may take. One that hangs takes twice as long."""

ALONE = """
import asyncio, sys
from satsuma_server.destinations.projection import Destinations
from satsuma_server.log.shared import SharedLog
from satsuma_server.projections.app import create_worker
from satsuma_server.settings import settings_from_json

async def run(settings):
    app = create_worker(settings, SharedLog(settings.data), lambda settings, log: [Destinations(settings, log)])
    async with app.router.lifespan_context(app):
        await asyncio.Event().wait()

asyncio.run(run(settings_from_json(sys.stdin.readline())))
"""
"""A worker that has nothing but destinations, which starts sooner."""


@dataclass
class Unreliable:
    """A service that fails three of ten requests: it answers 500 or 429, or hangs, and sometimes has taken the events
    nevertheless."""

    random: random.Random
    is_well: bool = False
    taken: list[dict[str, object]] = field(default_factory=list)
    faults: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: Received) -> Response:
        with self._lock:
            draw = 1.0 if self.is_well else self.random.random()
        if draw < 0.08:
            return self.fail("500", PlainTextResponse("it broke", 500))
        if draw < 0.14:
            return self.fail("429", PlainTextResponse("slow down", 429, {"Retry-After": "1"}))
        if draw < 0.18:
            time.sleep(2 * TIMEOUT)
            return self.fail("hung", PlainTextResponse("too late", 500))
        with self._lock:
            self.taken += [{**event, "request": request.headers["webhook-id"]} for event in request.batch]
        if draw < 0.24:
            return self.fail("taken, and 500", PlainTextResponse("it broke", 500))
        if draw < 0.30:
            time.sleep(2 * TIMEOUT)
            return self.fail("taken, and hung", PlainTextResponse("too late"))
        return PlainTextResponse("ok")

    def fail(self, name: str, answer: Response) -> Response:
        with self._lock:
            self.faults[name] = self.faults.get(name, 0) + 1
        return answer


@dataclass
class Senders:
    """Posts events of many people, each numbered, and keeps what was acknowledged."""

    collector: Collector
    acknowledged: dict[str, list[int]] = field(default_factory=dict)
    count: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        with httpx.Client(base_url=self.collector.url, trust_env=False, timeout=60) as client:
            while not self.ended.is_set():
                batch = [self.event(number) for number in range(self.count, self.count + A_BATCH)]
                client.post("/v1/batch", json={"batch": batch, "writeKey": "shop"}).raise_for_status()
                for event in batch:
                    person = str(event["userId"])
                    self.acknowledged.setdefault(person, []).append(int(str(event["messageId"])[1:]))
                self.count += A_BATCH
                self.ended.wait(0.1)

    def event(self, number: int) -> dict[str, object]:
        person = number * 7 % PEOPLE
        known = {"userId": f"user {person}", "anonymousId": f"device {person}-{number % 3}"}
        return {"type": "track", "event": "Bought", "messageId": f"m{number}", **known, "properties": {"n": number}}


@contextmanager
def worker(command: list[str], settings: Settings, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker that is killed at the end."""
    folder.mkdir(exist_ok=True)
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=(folder / "stderr.txt").open("ab"))
    assert process.stdin is not None
    try:
        process.stdin.write(settings_to_json(settings) + b"\nthe-secret\n")
        process.stdin.flush()
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdin.close()


def cursor(data: Path) -> int:
    with closing(sqlite3.connect(f"file:{data / FILE}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT cursor FROM destinations").fetchone()[0])


def play(tmp_path: Path, seed: int, kills: int, *, whole: bool) -> Unreliable:
    """Kill the worker so many times, then let everything come to its end, and hold the promises against it."""
    data = tmp_path / "data"
    service = Unreliable(random.Random(seed))
    with running(data) as collector, receiving(service) as receiver:
        table = {"name": "crm", "type": "webhook", "url": receiver.url, "batch": 10, "timeout_seconds": TIMEOUT}
        settings = Settings(data, accept_any_key=True, destinations=settings_of(table))
        senders = Senders(collector)
        thread = threading.Thread(target=senders.run)
        thread.start()
        try:
            until(lambda: senders.count > 0)
            for number in range(kills):
                folder = Path(f"/tmp/satsuma-crash-{seed}-{number}") if whole else tmp_path / "worker"
                with worker(command_of(folder, whole=whole), settings, folder):
                    before = len(service.taken)
                    # A different place of its work each time.
                    until(lambda before=before: len(service.taken) > before + service.random.randint(0, 40))  # type: ignore[misc]
        finally:
            senders.ended.set()
            thread.join()
        service.is_well = True
        with worker(command_of(tmp_path / "last", whole=whole), settings, tmp_path / "last"):
            until(lambda: cursor(data) == senders.count, 120)
    check(senders, service)
    return service


def command_of(folder: Path, *, whole: bool) -> list[str]:
    if whole:
        return [sys.executable, "-m", "satsuma_server.projections", str(folder)]
    return [sys.executable, "-c", ALONE]


def check(senders: Senders, service: Unreliable) -> None:
    assert sum(map(len, senders.acknowledged.values())) == senders.count > 0
    first: dict[str, list[int]] = {}
    contents: dict[str, object] = {}
    for event in service.taken:
        key, number = str(event["messageId"]), event["properties"]["n"]  # type: ignore[index]
        assert contents.setdefault(key, event["properties"]) == event["properties"]
        seen = first.setdefault(str(event["userId"]), [])
        if number not in seen:
            seen.append(number)
    assert first == senders.acknowledged


def test_a_killed_worker_delivers_all_in_order_to_a_service_that_fails(tmp_path: Path) -> None:
    service = play(tmp_path, seed=1, kills=2, whole=False)
    assert len(service.taken) > len({event["messageId"] for event in service.taken})


@pytest.mark.soak
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", [11])
def test_twenty_kills_of_the_whole_worker(tmp_path: Path, seed: int) -> None:
    service = play(tmp_path, seed, kills=20, whole=True)
    keys = {event["messageId"] for event in service.taken}
    print(f"{len(keys)} events, {len(service.taken)} deliveries, faults: {service.faults}")
    assert len(service.faults) == 5
