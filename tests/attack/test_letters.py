"""What is refused is kept as evidence: nobody may drown it in what costs nothing to send."""

from __future__ import annotations

import asyncio
import gzip
import json
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from satsuma_server.http.responses import MOST_TOLD
from satsuma_server.ingest.decode import MAX_BATCH_EVENTS
from satsuma_server.log import Arrivals, DeadLetter, Refused
from satsuma_server.log import maintenance as keeping
from satsuma_server.log.database import FILE, INSERT_LETTER, LONGEST_RAW
from satsuma_server.log.sqlite import SqliteLog
from satsuma_server.testing import Collector

HOUR = 3_600_000
MANY = gzip.compress(b'{"batch":[%s]}' % b",".join([b"0"] * MAX_BATCH_EVENTS))


@pytest.fixture
def client(collector: Collector) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=collector.url, trust_env=False, timeout=60) as opened:
        yield opened


def refused(client: httpx.Client, collector: Collector) -> list[dict[str, Any]]:
    answer = client.get("/v1/refused?limit=10000", headers={"authorization": f"Bearer {collector.token}"})
    return [json.loads(line) for line in answer.text.splitlines()]


def test_a_hundred_bytes_make_no_thousands_of_dead_letters(collector: Collector, client: httpx.Client) -> None:
    assert len(MANY) < 200
    assert client.post("/v1/track", json={"event": "", "userId": "evidence"}).status_code == 400
    for _ in range(2):
        assert client.post("/v1/batch", content=MANY).status_code == 400
    letters = refused(client, collector)
    assert "evidence" in letters[0]["raw"]
    assert len(letters) == 1 + 2 * (MOST_TOLD + 1)
    assert (
        letters[-1]["reason"]
        == f"{MAX_BATCH_EVENTS - MOST_TOLD} more events of the same request were refused, and are not kept"
    )


def test_an_answer_lists_the_first_faults_and_counts_the_rest(collector: Collector, client: httpx.Client) -> None:
    answer = client.post("/v1/batch", json={"batch": [{"type": "page", "userId": "u"}, *[0] * 500]})
    told = answer.json()
    assert (answer.status_code, len(told["refused"]), told["refusedBesides"]) == (200, MOST_TOLD, 500 - MOST_TOLD)
    assert len(answer.content) < 30_000
    assert len(collector.events()) == 1


def trimmed(folder: Path, letters: list[tuple[str, str, float, bytes]]) -> list[DeadLetter]:
    """Return what is left of dead letters after upkeep."""

    async def make() -> None:
        await SqliteLog(folder).close()

    asyncio.run(make())
    with sqlite3.connect(folder / FILE) as connection:
        connection.executemany(INSERT_LETTER, letters)
        keeping.trim(None, 0)(connection)
        found = connection.execute("SELECT id, source, reason, received_at, raw FROM refused ORDER BY id").fetchall()
    connection.close()
    return [DeadLetter(*row) for row in found]


def test_a_flood_pushes_out_neither_what_was_there_nor_what_others_have(tmp_path: Path) -> None:
    before = [("shop", f"before {number}", 1.0, b"") for number in range(500)]
    flood = [("shop", f"flood {number}", 2.0 * HOUR, b"") for number in range(25_000)]
    others = [("blog", f"other {number}", 2.0 * HOUR, b"") for number in range(700)]
    left = Counter(one.reason.split()[0] for one in trimmed(tmp_path, [*before, *others, *flood]))
    assert left == {"before": 500, "other": 700, "flood": keeping.MOST_AN_HOUR}


def test_a_flood_that_goes_on_for_days_leaves_what_other_sources_have(tmp_path: Path) -> None:
    others = [("blog", f"other {number}", 1.0, b"") for number in range(700)]
    flood = [("shop", "flood", float(number // 900 * HOUR), b"") for number in range(20_000)]
    left = Counter(one.source for one in trimmed(tmp_path, [*others, *flood]))
    assert left == {"blog": 700, "shop": keeping.MOST_DEAD_LETTERS - 700}


def test_dead_letters_are_bounded_by_their_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MOST_DEAD_LETTER_BYTES", 1_000_000)
    letters = [("blog", "small", 1.0, b"x"), *[("shop", "large", 1.0, b"x" * 50_000) for _ in range(100)]]
    left = trimmed(tmp_path, letters)
    assert sum(len(one.raw) for one in left) <= 1_000_000
    assert left[0].source == "blog"
    assert len(left) == 20


def test_refused_events_leave_the_write_ahead_log_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is emptied after so many bytes, and not only by the clock."""
    monkeypatch.setattr(keeping, "CHECKPOINT_SECONDS", 3_600)
    checkpoint, made = keeping.Upkeep._checkpoint, threading.Semaphore(0)

    def count(self: keeping.Upkeep, *given: Any) -> None:
        checkpoint(self, *given)
        made.release()

    monkeypatch.setattr(keeping.Upkeep, "_checkpoint", count)
    letters = [Refused("is wrong", b"x" * LONGEST_RAW) for _ in range(16)]

    async def send(log: SqliteLog, sender: str) -> None:
        await log.append(Arrivals(sender, time.time() * 1000, refused=letters))

    async def run() -> None:
        log = SqliteLog(tmp_path)
        for _ in range(32):
            await asyncio.gather(*(send(log, sender) for sender in "abcd"))
            # A disk that is busy with one checkpoint makes the next one late, which is not what is asked here.
            assert await asyncio.to_thread(made.acquire, timeout=60), "no checkpoint was due"
        size = (tmp_path / f"{FILE}-wal").stat().st_size
        await log.close()
        assert size < 64 << 20

    asyncio.run(run())
