"""What was acknowledged is there after kill -9, once; what was not is there at most once."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from satsuma_server.testing import Collector, started

CLIENTS = 8
LONGEST_BATCH = 100
PAD = "x" * 1000
"""Makes commits long, so that a kill often comes in the middle of one."""

MOST_ANSWERS = 200
"""Most answers that a round waits for before it kills."""

LONGEST_PAUSE = 0.05

Ids = list[str]


class Load:
    """Clients that post singles and batches side by side, and remember what was acknowledged and what was not."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.acknowledged: set[str] = set()
        self.unanswered: list[Ids] = []
        self.odd: list[str] = []
        self._made = 0
        self._answers = 0
        self._change = threading.Condition()

    @contextmanager
    def on(self, url: str) -> Iterator[None]:
        """Post until the collector is gone, which it has to be at the end."""
        self._answers = 0
        threads = [threading.Thread(target=self._post_on, args=(url,)) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        yield
        for thread in threads:
            thread.join()

    def wait_for(self, answers: int) -> None:
        """Wait until so many requests were answered."""
        with self._change:
            assert self._change.wait_for(lambda: self._answers >= answers, timeout=30)

    def _post_on(self, url: str) -> None:
        with httpx.Client(base_url=url, trust_env=False, timeout=20) as client:
            while True:
                ids = self._next()
                try:
                    self._post(client, ids)
                except httpx.TransportError:
                    with self._change:
                        self.unanswered.append(ids)
                    return

    def _post(self, client: httpx.Client, ids: Ids) -> None:
        events = [{"type": "track", "event": "E", "anonymousId": PAD, "messageId": one} for one in ids]
        if len(ids) == 1:
            answer = client.post("/v1/track", json=events[0])
        else:
            answer = client.post("/v1/batch", json={"batch": events})
        with self._change:
            if answer.text == '{"success":true}':
                self.acknowledged.update(ids)
            else:
                self.odd.append(answer.text)
            self._answers += 1
            self._change.notify_all()

    def _next(self) -> Ids:
        """Return what to send: often new events, sometimes again what was not acknowledged before a crash."""
        with self._change:
            if self.unanswered and self.chance.random() < 0.3:
                return self.unanswered.pop(self.chance.randrange(len(self.unanswered)))
            count = self.chance.choice([1, 1, self.chance.randint(2, LONGEST_BATCH)])
            self._made += count
            return [f"m{number}" for number in range(self._made - count, self._made)]


def read_all(collector: Collector) -> Iterator[dict[str, Any]]:
    after = 0
    while page := collector.events(after):
        yield from page
        after = page[-1]["seq"]


def check(load: Load, collector: Collector, kill: int) -> str:
    """Compare the log with what was acknowledged; return a line of the table."""
    events = list(read_all(collector))
    counts = Counter(event["messageId"] for event in events)
    lost = load.acknowledged - counts.keys()
    twice = [one for one, count in counts.items() if count > 1]
    assert not lost, f"kill {kill}: {len(lost)} lost, as {sorted(lost)[:5]}"
    assert not twice, f"kill {kill}: {len(twice)} there twice, as {twice[:5]}"
    seqs = [event["seq"] for event in events]
    assert all(one < next_one for one, next_one in pairwise(seqs))
    return f"{kill:>5} {len(load.acknowledged):>13} {len(counts):>9} {len(lost):>5} {len(twice):>10}"


def crash(folder: Path, kills: int, seed: int) -> list[str]:
    load = Load(seed)
    table = [f"{'kill':>5} {'acknowledged':>13} {'stored':>9} {'lost':>5} {'duplicate':>10}"]
    for kill in range(kills + 1):
        with started(folder, "serve", "--accept-any-key", "--token", "t") as told:
            if kill:
                table.append(check(load, Collector(told["url"], "t"), kill))
            if kill < kills:
                with load.on(told["url"]):
                    load.wait_for(load.chance.randrange(MOST_ANSWERS))
                    # An answer comes just after a commit; what matters is to kill at any moment of one.
                    time.sleep(load.chance.uniform(0, LONGEST_PAUSE))
                    told["process"].kill()
                    told["process"].wait()
    assert load.acknowledged
    assert not load.odd
    return table


def test_a_collector_killed_under_load_keeps_every_event_that_it_acknowledged_once(tmp_path: Path) -> None:
    crash(tmp_path, kills=3, seed=1)


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_a_collector_killed_again_and_again_loses_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = crash(tmp_path, kills=40, seed=2)
    with capsys.disabled():
        print("", *table, sep="\n")
