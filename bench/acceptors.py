"""A collector with several processes that take requests, beside one with a single process.

Each round loads, in turn, a Starlette hello-world on the same server, and each collector with batches of 50 and
single events, by wrk; then single events come at half of the rate that was reached. wrk runs on the same machine, and
takes processors from them.
"""

from __future__ import annotations

import argparse
import threading
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from rich.console import Console
from rich.progress import track
from satsuma_server.testing import started

from .collector import BATCH, BATCH_SIZE, CONNECTIONS, EVENT, HELLO, SINGLE, check, hello, requests_a_second, wrk_script
from .pace import slowest_percent
from .report import spread, table

WRITER = "satsuma_server.acceptors.writer"


def processor_seconds(pid: int, module: str = "") -> float:
    """Return the time of processors that a process and those that it has started have used; where a module is named,
    only of those that run it."""
    root = psutil.Process(pid)
    every = [one for one in (root, *root.children(recursive=True)) if not module or module in one.cmdline()]
    return sum(one.cpu_times().user + one.cpu_times().system for one in every)


class Memory:
    """Watches how much memory a process, and those that it has started, hold."""

    def __init__(self, process: int) -> None:
        self._process = psutil.Process(process)
        self.most = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stop.wait(0.2):
            every = (self._process, *self._process.children(recursive=True))
            self.most = max(self.most, sum(one.memory_info().rss for one in every) / 2**20)

    def stop(self) -> float:
        """Return the most, in MiB."""
        self._stop.set()
        self._thread.join()
        return self.most


def main(arguments: list[str]) -> None:
    """Alternate the contenders and print what they did."""
    parser = argparse.ArgumentParser(prog="./dev bench acceptors")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2, help="processes of the second collector")
    options = parser.parse_args(arguments)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        hello_url = stack.enter_context(hello())
        collectors = [start(stack, folder / f"{count}", count) for count in (1, options.workers)]
        rates = measure(folder, hello_url, collectors, options.rounds, options.seconds)
        for one in collectors:
            one.most = one.memory.stop()
            check(one.url, rates)
    report(rates, collectors)


@dataclass
class Running:
    """A collector that takes part, and what was measured of it.

    Attributes:
        label: what its contenders' names end with.
        slow: 99th percentiles of the time to an answer at half load, in milliseconds.
        costs: microseconds of all processors for a request, by contender.
        most: MiB of memory.
    """

    label: str
    url: str
    pid: int
    memory: Memory
    slow: list[float] = field(default_factory=list)
    costs: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    most: float = 0.0


def start(stack: ExitStack, folder: Path, workers: int) -> Running:
    """Start a collector."""
    folder.mkdir()
    several = ("--workers", f"{workers}") if workers > 1 else ()
    told = stack.enter_context(started(folder, "serve", "--accept-any-key", "--token", "bench", *several))
    pid = told["process"].pid
    return Running(f", {workers} processes" if several else "", told["url"], pid, Memory(pid))


def measure(
    folder: Path, hello_url: str, collectors: list[Running], rounds: int, seconds: int
) -> dict[str, list[float]]:
    """Return requests a second of each contender, round by round."""
    single = wrk_script(folder, "single", EVENT)
    batch = wrk_script(folder, "batch", {"batch": [EVENT] * BATCH_SIZE})
    rates = defaultdict[str, list[float]](list)
    rates[HELLO] = []
    for _ in track(range(rounds), "acceptors"):
        rates[HELLO].append(requests_a_second(f"{hello_url}/", seconds))
        for one in collectors:
            # The batches first: the disk has much to do after them, which half a load of single events doesn't cause.
            for name, path, script in ((BATCH, "batch", batch), (SINGLE, "track", single)):
                before = processor_seconds(one.pid), processor_seconds(one.pid, WRITER)
                rate = requests_a_second(f"{one.url}/v1/{path}", seconds, script)
                after = processor_seconds(one.pid), processor_seconds(one.pid, WRITER)
                rates[name + one.label].append(rate)
                every, writer = ((then - now) / (rate * seconds) * 1e6 for now, then in zip(before, after, strict=True))
                one.costs[name + one.label].append(every)
                if one.label:
                    one.costs[f"{name}, the writer's part"].append(writer)
            half = rates[SINGLE + one.label][-1] / 2
            one.slow.append(slowest_percent(f"{one.url}/v1/track", folder / "single.json", half, seconds, CONNECTIONS))
    return rates


def report(rates: dict[str, list[float]], collectors: list[Running]) -> None:
    """Print the tables."""
    console = Console()
    table(f"Requests, {len(rates[HELLO])} rounds of {CONNECTIONS} connections", "1/s", HELLO, rates)
    for one in collectors:
        events = [rate * BATCH_SIZE for rate in rates[BATCH + one.label]]
        scaled = [count / base * 30_000 for count, base in zip(events, rates[HELLO], strict=True)]
        console.print(f"\none collector{one.label or ', 1 process'}")
        console.print(
            f"events a second in batches: {spread(events)}; where hello does 30,000 requests: {spread(scaled)}"
        )
        costs = {name: spread(values, 1) for name, values in one.costs.items()}
        console.print(f"µs of processors for a request: {costs}")
        console.print(f"99 % of answers at half load within {spread(one.slow, 1)} ms; {one.most:,.0f} MiB of memory")
