"""What acceptors acknowledge is stored, once, whichever process is killed."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from acceptors.processes import ACCEPTOR, PATIENCE, WRITER, kill, until
from satsuma_server.testing import Collector, started
from server.test_crash import PAD, read_all

SENDERS = 8
PAUSE = 0.02
"""Seconds after which something is sent again that was not acknowledged."""

Ids = list[str]


class Senders:
    """Clients that send what was not acknowledged again until it is, each event with an id of its own."""

    def __init__(self, url: str, seed: int) -> None:
        self.acknowledged: set[str] = set()
        self.odd: list[str] = []
        self._url = url
        self._chance = random.Random(seed)
        self._made = 0
        self._change = threading.Condition()
        self._stopping = threading.Event()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._send_on) for _ in range(SENDERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            for thread in threads:
                thread.join()

    def wait_for(self, more: int) -> None:
        """Wait until so many more events were acknowledged."""
        with self._change:
            wanted = len(self.acknowledged) + more
            assert self._change.wait_for(lambda: len(self.acknowledged) >= wanted, timeout=PATIENCE)

    def _send_on(self) -> None:
        while not self._stopping.is_set():
            ids = self._next()
            # What is sent last is sent until it is acknowledged, too.
            while not self._send(ids):
                self._stopping.wait(PAUSE)

    def _send(self, ids: Ids) -> bool:
        """Send events over a connection of their own, and tell whether they were acknowledged."""
        events = [{"type": "track", "event": "E", "anonymousId": PAD, "messageId": one} for one in ids]
        try:
            answer = httpx.post(f"{self._url}/v1/batch", json={"batch": events}, trust_env=False, timeout=PATIENCE)
        except httpx.TransportError:
            return False
        with self._change:
            if answer.status_code in (429, 503):
                return False
            if answer.text == '{"success":true}':
                self.acknowledged.update(ids)
            else:
                self.odd.append(answer.text)
            self._change.notify_all()
        return True

    def _next(self) -> Ids:
        with self._change:
            count = self._chance.choice([1, 1, self._chance.randint(2, 100)])
            self._made += count
            return [f"m{number}" for number in range(self._made - count, self._made)]


def check(acknowledged: set[str], collector: Collector) -> None:
    def answers() -> bool:
        return httpx.get(f"{collector.url}/v1/health", trust_env=False, timeout=PATIENCE).status_code == 200

    until(answers, "a ready log")
    counts = Counter(event["messageId"] for event in read_all(collector))
    assert not acknowledged - counts.keys()
    assert [id for id, count in counts.items() if count > 1] == []


def walk(folder: Path, rounds: int, seed: int) -> None:
    with started(folder, "serve", "--workers", "2", "--accept-any-key", "--token", "t") as told:
        senders = Senders(told["url"], seed)
        with senders.at_work():
            for module in [ACCEPTOR, WRITER] * rounds:
                senders.wait_for(300)
                kill(told["process"], module)
        assert senders.odd == []
        check(senders.acknowledged, Collector(told["url"], "t"))
    # Both are gone, killed with the one that kept them: the file tells what was stored.
    with started(folder, "serve", "--accept-any-key", "--token", "t") as told:
        check(senders.acknowledged, Collector(told["url"], "t"))


def test_acceptors_and_the_writer_are_killed_under_load_and_nothing_is_lost_or_stored_twice(tmp_path: Path) -> None:
    walk(tmp_path, rounds=2, seed=1)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_acceptors_and_the_writer_killed_again_and_again_lose_nothing(tmp_path: Path) -> None:
    walk(tmp_path, rounds=20, seed=2)
