"""Events that are accepted, and made so that whoever follows the log chokes on them."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from satsuma_server.console.presenters.refusals import kind_of
from satsuma_server.errors import UnavailableError
from satsuma_server.log import Arrivals, DeadLetter, Stored
from satsuma_server.log.poison_events import Sieve
from satsuma_server.log.shared import SharedLog
from satsuma_server.log.sqlite import SqliteLog
from satsuma_server.settings import Settings
from satsuma_server.warehouse.projection import WarehouseProjection
from satsuma_server.warehouse.schema.catalog import MOST_COLUMNS
from satsuma_server.warehouse.schema.json_shapes import Shapes
from satsuma_server.warehouse.schema.names import RESERVED_COLUMNS
from warehouse.made import stored, warehouse

AT = "2026-04-23T22:38:{:02d}.550Z"
WORKER = """
import asyncio, contextlib, os, sys, threading, time
from pathlib import Path
from satsuma_server.console import Console
from satsuma_server.errors import UnavailableError
from satsuma_server.log.shared import SharedLog
from satsuma_server.profiles import Key
from satsuma_server.profiles.projection import Profiles
from satsuma_server.settings import Settings, WarehouseSettings
from satsuma_server.warehouse.projection import WarehouseProjection

def watch(most):
    # Of what is really used: libraries set aside addresses that they never touch.
    while True:
        used = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20
        if used > most:
            print(f"the worker uses {used} MB", file=sys.stderr, flush=True)
            os._exit(9)
        time.sleep(0.01)

async def main():
    # DuckDB sets its own memory aside as it needs it; what else the worker may have is little.
    settings = Settings(Path(sys.argv[1]), warehouse=WarehouseSettings(memory="256MB"))
    log = SharedLog(settings.data)
    profiles, warehouse = Profiles(settings, log), WarehouseProjection(settings, log)
    console = Console(settings, log)
    threading.Thread(target=watch, args=(int(sys.argv[2]),), daemon=True).start()
    for part in (profiles, console):
        await part.start()
    await warehouse.load_all()
    while True:
        with contextlib.suppress(UnavailableError):  # Profiles are opened beside all others.
            if (await profiles.totals()).seq == log.last == console._window.last:
                break
        await asyncio.sleep(0.05)
    person = await profiles.find(Key("user_id", "victim"))
    status = await warehouse.status()
    rows = await warehouse.query("SELECT count(*) FROM demo.tracks WHERE event_text = 'Good'")
    wide = await warehouse.query("SELECT count(*) FROM demo.identifies")
    print(status.cursor, rows.rows[0][0], wide.rows[0][0], sum(person.counts.values()), len(person.traits))
    for part in (console, profiles, warehouse):
        await part.stop()
    await log.close()

asyncio.run(main())
"""


def event(number: int, kind: str = "track", **more: Any) -> dict[str, Any]:
    """Return an event as the collector keeps it."""
    times = dict.fromkeys(("receivedAt", "sentAt", "originalTimestamp", "timestamp"), AT.format(number % 60))
    named = {"event": "Good"} if kind == "track" else {}
    return {"type": kind, "messageId": f"m{number}", "anonymousId": "a", "userId": None, **times, **named, **more}


def fill(folder: Path, events: Sequence[dict[str, Any]]) -> None:
    """Put events into the log of a folder, as the collector would."""

    async def work() -> None:
        log = SqliteLog(folder, max_pending_bytes=1 << 30)
        for first in range(0, len(events), 200):
            some = events[first : first + 200]
            ids = [str(one["messageId"]) for one in some]
            await log.append(Arrivals("demo", 1.0, ids, [json.dumps(one).encode() for one in some]))
        await log.close()

    asyncio.run(work())


def wide(number: int, keys: int) -> dict[str, Any]:
    """Return an identify of ever new traits, with the longest messageId that there may be."""
    traits = {f"k{number:x}_{place:x}": place for place in range(keys)}
    return event(number, "identify", userId="victim", traits=traits, messageId=f"m{number}".ljust(1000, "x"))


def test_wide_events_of_ever_new_shapes_leave_the_worker_its_memory(tmp_path: Path) -> None:
    count = 300
    events = [event(0), *(wide(number, 1_800) for number in range(1, count + 1)), event(count + 1)]
    fill(tmp_path, events)
    for _ in range(2):  # And once more after a restart.
        command = [sys.executable, "-c", WORKER, str(tmp_path), "600"]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=150, check=False)
        assert ended.returncode == 0, ended.stderr[-2000:]
        cursor, good, identifies, seen, traits = map(int, ended.stdout.split())
        assert (cursor, good, identifies, seen) == (count + 2, 2, count, count + 2)
        assert 500 <= traits <= 1_000


class Consumer:
    """Takes events as a follower's consumer does, but for some."""

    def __init__(self, poison: set[int], error: type[Exception], most: int = 1_000) -> None:
        self.taken: list[int] = []
        self.skipped: list[int] = []
        self._poison, self._error, self._most = poison, error, most

    async def take(self, events: Sequence[Stored]) -> None:
        seqs = [one.seq for one in events]
        if len(seqs) > self._most or not self._poison.isdisjoint(seqs):
            raise self._error("no room")
        self.taken += seqs

    async def skip(self, event: Stored) -> None:
        self.skipped.append(event.seq)


def filter(folder: Path, consumer: Consumer) -> list[DeadLetter]:
    """Hand a log's events to a consumer by a sieve; return the dead letters."""

    async def work() -> list[DeadLetter]:
        log = SharedLog(folder)
        try:
            await Sieve(log, "test", consumer.take, consumer.skip).take(await log.read())
            return await log.dead_letters()
        finally:
            await log.close()

    return asyncio.run(work())


def test_a_portion_that_is_too_much_goes_in_by_parts(tmp_path: Path) -> None:
    fill(tmp_path, [event(number) for number in range(50)])
    consumer = Consumer(set(), MemoryError, most=7)
    assert filter(tmp_path, consumer) == []
    assert consumer.taken == list(range(1, 51))


def test_only_the_event_that_cannot_be_taken_is_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("satsuma_server.log.poison_events.FIRST_WAIT", 0)
    fill(tmp_path, [event(number) for number in range(50)])
    consumer = Consumer({7, 30}, KeyError)
    letters = filter(tmp_path, consumer)
    assert consumer.taken == [one for one in range(1, 51) if one not in (7, 30)]
    assert consumer.skipped == [7, 30]
    assert [(one.source, json.loads(one.raw)["messageId"]) for one in letters] == [("demo", "m6"), ("demo", "m29")]
    assert letters[0].reason == "test can't take event 7, which stays in the log: KeyError: 'no room'"
    assert kind_of(letters[0].reason).slug == "set-aside"


@pytest.mark.parametrize("error", [UnavailableError, OSError])
def test_no_event_is_set_aside_for_what_is_wrong_elsewhere(tmp_path: Path, error: type[Exception]) -> None:
    fill(tmp_path, [event(number) for number in range(3)])
    consumer = Consumer({2}, error)
    with pytest.raises(error):
        filter(tmp_path, consumer)
    assert consumer.taken == consumer.skipped == []


def test_a_warehouse_goes_on_behind_an_event_of_a_type_that_it_does_not_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("satsuma_server.log.poison_events.FIRST_WAIT", 0)
    fill(tmp_path, [event(0), event(1, "bogus"), event(2)])

    async def work() -> None:
        log = SharedLog(tmp_path)
        part = WarehouseProjection(Settings(tmp_path), log)
        for _ in range(2):
            async with asyncio.timeout(60):
                await part.load_all()
        status = await part.status()
        assert (status.cursor, [(one.what, one.count) for one in status.notices]) == (3, [("unreadable", 1)])
        assert (await part.query("SELECT seq FROM demo.tracks ORDER BY seq")).rows == [[1], [3]]
        [letter] = await log.dead_letters()
        assert "warehouse can't take event 2" in letter.reason
        await part.stop()
        await log.close()

    asyncio.run(work())


def test_a_wide_event_keeps_every_value_in_a_column_or_in_the_rest(tmp_path: Path) -> None:
    fields = {f"f{place}": place for place in range(1_200)}
    # Names of which two make one column; one lies beyond what there is room for.
    own = {**fields, "orderId": "a", "order_id": "b"}
    events = [event(0, properties={"f1199": 7}), event(1, properties=own, context=fields)]
    with warehouse(tmp_path) as made:
        made.load(*({**one, "seq": seq} for seq, one in enumerate(events, 1)))
        [row] = made.ask("SELECT row_to_json(good) FROM demo.good WHERE seq = 2")
    told = json.loads(row[0])
    rest = json.loads(told.pop("_rest"))
    everything = {**told, **rest}
    assert len(told) <= MOST_COLUMNS
    assert told["f1199"] == 1199  # There was a column for it.
    assert {name: everything[name] for name in fields} == fields
    assert {name: everything[f"context_{name}"] for name in fields} == fields
    assert {value for name, value in everything.items() if name.startswith("order")} == {"a", "b"}


def test_tables_of_one_source_take_no_more_columns_than_memory_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("satsuma_server.warehouse.schema.catalog.MOST_COLUMNS_OF_A_SOURCE", 200)
    with warehouse(tmp_path) as made:
        for number in range(1, 20):
            properties = {f"p{number}_{place}": place for place in range(50)}
            made.load({**event(number, properties=properties), "event": f"E{number}", "seq": number})
        made.loader.load(stored([{**event(20, properties={"own": 1}), "seq": 20}], "other"))
        columns = dict(made.ask("SELECT schema_name, count(*) FROM duckdb_columns() GROUP BY ALL"))
        assert columns["demo"] <= 200 + len(RESERVED_COLUMNS) * 3
        # Nothing is lost, and another source has room of its own.
        assert made.ask("SELECT count(*) FROM demo.tracks") == [(19,)]
        told = made.ask("SELECT _rest FROM demo.tracks WHERE seq = 19")[0][0]
        assert json.loads(told)["properties"]["p19_49"] == 49
        assert made.ask("SELECT own FROM other.good") == [(1,)]


def test_shapes_are_remembered_within_a_bound_of_bytes() -> None:
    shapes = Shapes(100_000)
    most = 0
    for number in range(500):
        given = {f"{'long' * 50}{number}_{place}": place for place in range(30)}
        shape = shapes.of(given, tuple(given.values()))
        assert shapes.of(given, tuple(given.values())) is shape
        most = max(most, shapes.bytes)
    assert 50_000 < most <= 100_000
