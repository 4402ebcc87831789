"""The worker is killed again and again while events come in, and the destination fails, hangs and asks for pauses.

Held afterwards: what the collector has acknowledged is delivered at least once, what comes twice is the same event with
the same key, and no event of a person arrives before an earlier one of the same person. Services that merge people have
one person for all ids of each.
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
from tempfile import mkdtemp
from typing import Any, ClassVar

import httpx
import pytest
from destinations.models import TOKEN, Mixpanel, PostHog
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


@dataclass(frozen=True)
class Taken:
    """One event that a service has got: by which key, of whom, and its number."""

    key: str
    person: str
    number: int


class Webhook:
    """Takes everything."""

    table: ClassVar[dict[str, Any]] = {"type": "webhook"}

    def __call__(self, request: Received) -> Response:
        return PlainTextResponse("ok")

    def read(self, request: Received) -> list[Taken]:
        return [Taken(one["messageId"], one["userId"], one["properties"]["n"]) for one in request.batch]

    def people(self) -> dict[str, set[str]]:
        return {}


class MixpanelService(Mixpanel):
    """The model of Mixpanel with its original ID merge, which wants to be told of each link."""

    table: ClassVar[dict[str, Any]] = {"type": "mixpanel", "token": TOKEN, "id_merge": "original"}

    def __init__(self) -> None:
        super().__init__("original")

    def read(self, request: Received) -> list[Taken]:
        found = [one["properties"] for one in request.json if one["event"] == "Bought"]
        return [Taken(one["$insert_id"], one["distinct_id"], one["n"]) for one in found]

    def people(self) -> dict[str, set[str]]:
        """Return the ids of each person, by one of them."""
        found: dict[str, set[str]] = {}
        for name in self.parents:
            found.setdefault(self.resolve(name), set()).update({name, self.resolve(name)})
        return found


class PostHogService(PostHog):
    """The model of PostHog."""

    table: ClassVar[dict[str, Any]] = {"type": "posthog", "key": TOKEN}

    def read(self, request: Received) -> list[Taken]:
        found = [one for one in request.json["batch"] if one["event"] == "Bought"]
        return [Taken(one["uuid"], one["distinct_id"], one["properties"]["n"]) for one in found]

    def people(self) -> dict[str, set[str]]:
        """Return the ids of each person, by the userId."""
        found: dict[str, set[str]] = {}
        for device, user in self.links:
            found.setdefault(user, set()).update({device, user})
        return found


Service = Webhook | MixpanelService | PostHogService


@dataclass
class Unreliable:
    """A service that fails three of ten requests: it answers 500 or 429, or hangs, and sometimes has taken the events
    nevertheless."""

    random: random.Random
    service: Service
    is_well: bool = False
    taken: list[Taken] = field(default_factory=list)
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
            answer = self.service(request)
            assert answer.status_code == 200, answer.body
            self.taken += self.service.read(request)
        # At least once in each run, however few requests it has.
        if draw < 0.24 or "taken, and 500" not in self.faults:
            return self.fail("taken, and 500", PlainTextResponse("it broke", 500))
        if draw < 0.30:
            time.sleep(2 * TIMEOUT)
            return self.fail("taken, and hung", PlainTextResponse("too late"))
        return answer

    def fail(self, name: str, answer: Response) -> Response:
        with self._lock:
            self.faults[name] = self.faults.get(name, 0) + 1
        return answer


@dataclass
class Senders:
    """Posts events of many people, each numbered, and keeps what was acknowledged."""

    collector: Collector
    acknowledged: dict[str, list[int]] = field(default_factory=dict)
    people: dict[str, set[str]] = field(default_factory=dict)
    count: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        with httpx.Client(base_url=self.collector.url, trust_env=False, timeout=60) as client:
            while not self.ended.is_set():
                batch = [self.event(number) for number in range(self.count, self.count + A_BATCH)]
                client.post("/v1/batch", json={"batch": batch, "writeKey": "shop"}).raise_for_status()
                for event in batch:
                    person = str(event["userId"])
                    self.people.setdefault(person, {person}).add(str(event["anonymousId"]))
                    self.acknowledged.setdefault(person, []).append(int(str(event["messageId"])[1:]))
                self.count += A_BATCH
                self.ended.wait(0.3)

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


def play(tmp_path: Path, seed: int, kills: int, made: Service, *, whole: bool) -> Unreliable:
    """Kill the worker so many times, then let everything come to its end, and hold the promises against it."""
    data = tmp_path / "data"
    service = Unreliable(random.Random(seed), made)
    with running(data) as collector, receiving(service) as receiver:
        table = {"name": "crm", "url": receiver.url, "batch": 10, "timeout_seconds": TIMEOUT, **made.table}
        settings = Settings(data, accept_any_key=True, destinations=settings_of(table))
        senders = Senders(collector)
        thread = threading.Thread(target=senders.run)
        thread.start()
        try:
            until(lambda: senders.count > 0)
            for _ in range(kills):
                # A short path, since the whole worker has sockets there; a new one, since a kill leaves them behind.
                folder = Path(mkdtemp(prefix="satsuma-", dir="/tmp")) if whole else tmp_path / "worker"
                with worker(command_of(folder, whole=whole), settings, folder):
                    before = len(service.taken)
                    # A different place of its work each time.
                    until(lambda before=before: len(service.taken) > before + service.random.randint(0, 40))  # type: ignore[misc]
        finally:
            senders.ended.set()
            thread.join()
        service.is_well = True
        with worker(command_of(tmp_path / "last", whole=whole), settings, tmp_path / "last"):
            until(lambda: cursor(data) == senders.count, 600)
    check(senders, service)
    return service


def command_of(folder: Path, *, whole: bool) -> list[str]:
    if whole:
        return [sys.executable, "-m", "satsuma_server.projections", str(folder)]
    return [sys.executable, "-c", ALONE]


def check(senders: Senders, service: Unreliable) -> None:
    assert sum(map(len, senders.acknowledged.values())) == senders.count > 0
    first: dict[str, list[int]] = {}
    keys: dict[int, str] = {}
    for event in service.taken:
        assert keys.setdefault(event.number, event.key) == event.key
        seen = first.setdefault(event.person, [])
        if event.number not in seen:
            seen.append(event.number)
    assert first == senders.acknowledged
    assert len(set(keys.values())) == len(keys)
    people = service.service.people()
    if people:
        assert sorted(map(sorted, people.values())) == sorted(map(sorted, senders.people.values()))


@pytest.mark.parametrize("made", [Webhook, MixpanelService])
def test_a_killed_worker_delivers_all_in_order_to_a_service_that_fails(tmp_path: Path, made: type[Service]) -> None:
    service = play(tmp_path, 1, 2, made(), whole=False)
    assert len(service.taken) > len({event.key for event in service.taken})


@pytest.mark.soak
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("made", [Webhook, MixpanelService, PostHogService])
@pytest.mark.parametrize("seed", [11])
def test_twenty_kills_of_the_whole_worker(tmp_path: Path, seed: int, made: type[Service]) -> None:
    service = play(tmp_path, seed, 20, made(), whole=True)
    keys = {event.key for event in service.taken}
    print(f"{made.__name__}: {len(keys)} events, {len(service.taken)} deliveries, faults: {service.faults}")
    assert len(service.faults) == 5
