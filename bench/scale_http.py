"""What a collector does through HTTP, with the log in a file and on NATS, and what each part of it costs.

One collector, two beside each other, and one with several processes take single events and batches from wrk. All run on
this machine, as do the NATS servers and wrk itself: so the rates tell what this machine does with all of them at once,
and the processor's microseconds of each part tell what more machines would do.
"""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.progress import track
from rich.table import Table
from satsuma_server.testing import started

from .acceptors import processor_seconds
from .collector import BATCH_SIZE, EVENT, requests_a_second, wrk_script
from .report import spread

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

LOADS = (
    ("single events", "track", EVENT, 1),
    (f"batches of {BATCH_SIZE}", "batch", {"batch": [EVENT] * BATCH_SIZE}, BATCH_SIZE),
)
"""Of each kind of load: its name, path and body, and how many events a request has."""


@dataclass
class Contender:
    """Collectors that take events together.

    Attributes:
        parts: process ids of each part whose cost is told apart.
        rates: events a second, by kind of load.
        costs: microseconds of processors for an event, by kind of load and part.
    """

    name: str
    urls: list[str]
    parts: dict[str, list[int]]
    rates: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    costs: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))

    def measure(self, load: str, path: str, events: int, script: Path, seconds: int) -> None:
        """Load all collectors at once, and note what they did."""
        before = {part: sum(map(processor_seconds, pids)) for part, pids in self.parts.items()}
        with ThreadPoolExecutor(len(self.urls)) as loads:
            each = loads.map(lambda url: requests_a_second(f"{url}/v1/{path}", seconds, script), self.urls)
            rate = sum(each) * events
        self.rates[load].append(rate)
        for part, pids in self.parts.items():
            spent = sum(map(processor_seconds, pids)) - before[part]
            self.costs[load, part].append(spent / (rate * seconds) * 1e6)


def collector(stack: ExitStack, folder: Path, *options: str) -> tuple[str, int]:
    """Start a collector without a second process; return its URL and process id."""
    folder.mkdir()
    told = stack.enter_context(started(folder, "serve", "--accept-any-key", "--token", "bench", *options))
    return told["url"], told["process"].pid


def contenders(stack: ExitStack, folder: Path, nodes: int, workers: int) -> list[Contender]:
    """Start all that take part."""
    from nats_servers import nats_servers

    servers = stack.enter_context(nats_servers(folder, nodes, most="20GB"))
    asyncio.run(servers.ready())
    nats = [node.process.pid for node in servers.nodes if node.process]
    # Each in a stream of its own, with bounds: a stream reserves what it may take.
    found = []
    several = ("--workers", f"{workers}")
    for name, count, options in (
        ("1 collector", 1, ()),
        ("2 collectors", 2, ()),
        (f"1 of {workers} processes", 1, several),
    ):
        settings = folder / f"{len(found)}.toml"
        settings.write_text(
            f'[nats]\nreplicas = {nodes}\nstream = "bench-{len(found)}"\nmax_bytes = 4_000_000_000\n', "utf-8"
        )
        given = ("--log", servers.url, "--config", str(settings), *options)
        each = [collector(stack, folder / f"{len(found)}-{number}", *given) for number in range(count)]
        parts = {"collectors": [pid for _, pid in each], f"{nodes} NATS servers": nats}
        found.append(Contender(f"NATS, {name}", [url for url, _ in each], parts))
    for name, options in (("1 process", ()), (f"{workers} processes", several)):
        url, pid = collector(stack, folder / f"file-{name[0]}", *options)
        found.append(Contender(f"file, {name}", [url], {"collectors": [pid]}))
    return found


def run(nodes: int, rounds: int, seconds: int, workers: int) -> None:
    """Measure all contenders in turn, and print."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        scripts = {load: wrk_script(folder, path, body) for load, path, body, _ in LOADS}
        every = contenders(stack, folder, nodes, workers)
        for _ in track(range(rounds), "scale"):
            for load, path, _, events in LOADS:
                for one in every:
                    one.measure(load, path, events, scripts[load], seconds)
    shown = Table(title=f"Events through HTTP, {nodes} NATS servers, {rounds} rounds", title_justify="left")
    for name in ("", "load", "events/s", "µs of processors for an event"):
        shown.add_column(name)
    for load, *_ in LOADS:
        for one in every:
            costs = "; ".join(f"{part} {spread(one.costs[load, part], 1)}" for part in one.parts)
            shown.add_row(one.name, load, spread(one.rates[load]), costs)
    Console(width=160).print(shown)
