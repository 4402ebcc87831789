"""Python in a worker beside Python in the page: what is left on the page's own thread, and what it costs elsewhere.

Each round visits both three times on a fresh device: cold is the first visit, warm the third.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Playwright, sync_playwright
from rich.console import Console
from rich.progress import track
from satsuma_server.testing import Collector, running, serving

from .contenders import BARE, IN_WORKER, OURS, address, site
from .report import spread, table
from .visits import Device, device

RACE = (OURS, IN_WORKER)
CALLS = 150
ANSWERED = """async () => {
    await new Promise((go) => analytics.ready(go));
    await analytics.track("Asked");
    return performance.now();
}"""
STAY_MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class Stay:
    """One visit, in milliseconds.

    Attributes:
        answered: from navigation until a call is answered: Python has made its event.
        busy: what the page's thread has done until a second later.
        longest: its longest task over 50.
    """

    answered: float
    busy: float
    longest: float


def main(arguments: list[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="./dev bench worker", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args(arguments).rounds
    with TemporaryDirectory() as folder, running(Path(folder)) as collector, sync_playwright() as playwright:
        _tell(rounds, *measure(playwright, collector, rounds))


def measure(
    playwright: Playwright, collector: Collector, rounds: int
) -> tuple[dict[str, list[list[Stay]]], dict[str, list[float]], dict[str, list[float]]]:
    """Return visits by device, milliseconds of the page's thread that a call takes, and megabytes over a bare page."""
    stays: dict[str, list[list[Stay]]] = {name: [] for name in RACE}
    calls: dict[str, list[float]] = {name: [] for name in RACE}
    memory: dict[str, list[float]] = {name: [] for name in RACE}
    with serving(site(collector.url)) as url:
        for _ in track(range(rounds), "worker"):
            with device(playwright) as visitor:
                visitor.page.goto(address(url, BARE))
                visitor.page.wait_for_timeout(STAY_MILLISECONDS)
                bare = visitor.memory()
            for name in RACE:
                with device(playwright) as visitor:
                    stays[name].append([stay(visitor, address(url, name)) for _ in range(3)])
                    memory[name].append(visitor.memory() - bare)
                    calls[name].append(visitor.cpu(CALLS))
    return stays, calls, memory


def stay(visitor: Device, url: str) -> Stay:
    """Visit a page until a call is answered, and a second longer."""
    visitor.page.goto(url)
    answered = visitor.page.evaluate(ANSWERED)
    visitor.page.wait_for_timeout(STAY_MILLISECONDS)
    # The browser reckons this from the navigation on.
    return Stay(answered, visitor.busy() * 1000, visitor.page.evaluate("() => bench.longest"))


def _tell(
    rounds: int, stays: dict[str, list[list[Stay]]], calls: dict[str, list[float]], memory: dict[str, list[float]]
) -> None:
    for title, which in (("Cold", 0), ("Warm", 2)):
        made = {name: [one[which] for one in devices] for name, devices in stays.items()}
        busy = {name: [one.busy for one in of_name] for name, of_name in made.items()}
        answered = {name: [one.answered for one in of_name] for name, of_name in made.items()}
        table(f"{title}: work of the page's thread, {rounds} rounds", "ms", OURS, busy)
        table(f"{title}: navigation to the first call's answer", "ms", OURS, answered)
        for name, of_name in made.items():
            long = sorted(round(one.longest) for one in of_name if one.longest)
            Console().print(f"{title} {name}: tasks over 50 ms in {len(long)} of {rounds}: {long}", highlight=False)
    table("The page's thread at one track()", "ms", OURS, calls, 2)
    for name, values in memory.items():
        told = f"Memory over the same page without analytics, {name}: {spread(values, 1)} MB"
        Console().print(told, highlight=False)
