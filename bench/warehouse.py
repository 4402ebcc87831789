"""The log into the warehouse: ours beside dlt with the very same tables, on the same events.

Each contender loads a log of its own process, which it reads as the worker does: so the time is that from the log to
committed rows, and the memory that of the whole. Track events of 20 names, pages and identify calls, as the spread of a
shop has them; each track event is a row of its event's table and one of `tracks`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
import uuid
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.progress import track
from satsuma_server.log import Arrivals
from satsuma_server.log.sqlite import SqliteLog

from .collector import EVENT
from .report import spread, table

PLAIN, BY_DLT = "satsuma", "dlt, the same tables"
NAMES = [f"Event {letter} Happened" for letter in "ABCDEFGHIJKLMNOPQRST"]
AT = "2026-04-23T22:{:02d}:{:02d}.{:03d}Z"

CHILD = """
import asyncio, json, os, resource, sys, time
from datetime import UTC, datetime
from pathlib import Path
from satsuma_server.log.shared import SharedLog
from satsuma_server.settings import Settings
from satsuma_server.warehouse.database import Database
from satsuma_server.warehouse.projection import MOST_EVENTS, WarehouseProjection
from satsuma_server.projections.__main__ import tune

tune()
how, folder, target = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
if how != "satsuma":
    os.environ.update(RUNTIME__DLTHUB_TELEMETRY="false", DLT_DATA_DIR=str(target), DLT_PROJECT_DIR=str(target),
        SCHEMA__NAMING="direct", RUNTIME__LOG_LEVEL="ERROR")
    import dlt
    from satsuma_server.warehouse.schema.catalog import Catalog
    from satsuma_server.warehouse.load.event_groups import group
    from satsuma_server.warehouse.load.arrow_batch import tables_of

async def plain(log):
    part = WarehouseProjection(Settings(target), log)
    await part.load_all()
    await part.stop()

async def portions(log):
    after = 0
    while True:
        found = []
        while len(found) < MOST_EVENTS and (more := await log.read(after, MOST_EVENTS - len(found))):
            found += more
            after = more[-1].seq
        if not found:
            return
        yield found

async def by_dlt(log):
    pipeline = dlt.pipeline("bench", destination=dlt.destinations.duckdb(str(target / "dlt.duckdb")),
        dataset_name="demo", pipelines_dir=str(target / "dlt"))
    catalog = Catalog()
    async for events in portions(log):
        groups, last = group(events, catalog, str)
        assert last == events[-1].seq
        tables = tables_of(groups, catalog, datetime.now(UTC).replace(tzinfo=None))
        pipeline.run([dlt.resource(one, name=name[1]) for name, one in tables], loader_file_format="parquet")

async def main():
    log = SharedLog(folder)
    began, cpu = time.perf_counter(), time.process_time()
    await (plain if how == "satsuma" else by_dlt)(log)
    seconds, busy = time.perf_counter() - began, time.process_time() - cpu
    await log.close()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "busy": busy, "memory": memory}))

asyncio.run(main())
"""


def fill(folder: Path, count: int) -> None:
    """Write a log of `count` events."""
    chance = random.Random(1)

    async def work() -> None:
        log = SqliteLog(folder)
        for first in range(0, count, 1000):
            made = [event(chance, number) for number in range(first, min(count, first + 1000))]
            bodies = [json.dumps(one, separators=(",", ":")).encode() for one in made]
            await log.append(Arrivals("demo", 1.0, [one["messageId"] for one in made], bodies))
        await log.close()

    asyncio.run(work())


def event(chance: random.Random, number: int) -> dict[str, object]:
    """Return one event as the log keeps it."""
    at = AT.format(number // 60_000 % 60, number // 1000 % 60, number % 1000)
    times = dict.fromkeys(("timestamp", "receivedAt", "originalTimestamp", "sentAt"), at)
    ids = {name: str(uuid.UUID(int=chance.getrandbits(128))) for name in ("messageId", "anonymousId")}
    base = {**EVENT, **ids, **times}
    drawn = chance.random()
    if drawn < 0.05:
        traits = {"email": f"u{number}@shop.example", "plan": "premium", "address": {"city": "Brno"}}
        return {**base, "type": "identify", "userId": f"u{chance.randrange(50_000)}", "traits": traits}
    if drawn < 0.35:
        return {**base, "type": "page", "properties": EVENT["context"]["page"]}
    return {**base, "event": chance.choice(NAMES)}


def run(how: str, folder: Path) -> dict[str, float]:
    """Load the log anew in a process of its own; return seconds, processor seconds and MiB."""
    with TemporaryDirectory() as target:
        command = [sys.executable, "-c", CHILD, how, str(folder), target]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr)
        told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return told


def main(arguments: list[str]) -> None:
    """Alternate the contenders and print what they did."""
    parser = argparse.ArgumentParser(prog="./dev bench warehouse")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=500_000)
    options = parser.parse_args(arguments)
    hows = {PLAIN: "satsuma", BY_DLT: "dlt"}
    told: dict[str, list[dict[str, float]]] = {name: [] for name in hows}
    with TemporaryDirectory() as name:
        fill(Path(name), options.events)
        for _ in track(range(options.rounds), "warehouse"):
            for contender, how in hows.items():
                told[contender].append(run(how, Path(name)))
    rates = {name: [options.events / one["seconds"] for one in all_told] for name, all_told in told.items()}
    table(f"From the log to rows, {options.rounds} rounds of {options.events:,} events", "events/s", BY_DLT, rates)
    console = Console()
    for contender, all_told in told.items():
        busy = spread([one["busy"] / options.events * 1e6 for one in all_told], 1)
        memory = spread([one["memory"] for one in all_told])
        console.print(f"{contender}: {busy} µs of processor an event; at most {memory} MiB of memory")
