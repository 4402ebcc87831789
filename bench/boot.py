"""A page's way from navigation to its first event, and what it costs the page, beside what else there is.

Each round visits in turn Satsuma's page, one that boots a plain Pyodide with the same SDK, and one with analytics-next,
each on a fresh device: cold is the first visit, warm the third.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from matrix import figures
from playwright.sync_api import Page, Playwright, sync_playwright
from pytest_satsuma.chromium import launch_args
from pytest_satsuma.engines import CHROMIUM
from rich.console import Console
from rich.progress import track
from satsuma_server import snippet
from satsuma_server.testing import Collector, running, serving
from satsuma_shop.app import create_app

from .contenders import BARE, EARLY, IN_SERVICE, NAIVE, OURS, REFERENCE, address, site
from .phone import phone
from .report import spread, table
from .unwatched import HEAD, Log, chromium
from .visits import Line, Visit, device

RACE = (OURS, EARLY, IN_SERVICE, NAIVE, REFERENCE)
HOME = Line(megabits=10, latency=40)
CALLS = 150
PAINTED = """() => new Promise((go) => { const look = () => (bench.lcp ? go() : setTimeout(look, 5)); look(); })"""
"""A first input ends what browsers count as LCP."""


def main(arguments: list[str]) -> None:
    """Measure what is asked for and print it."""
    parser = argparse.ArgumentParser(prog="./dev bench boot", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parts: dict[str, Callable[[Playwright, Collector, int], object]]
    parts = {"visits": visits, "line": line, "phone": phone, "page": page, "shop": shop}
    parser.add_argument("what", nargs="*", default=[*parts], help="(default: %(default)s)")
    parser.add_argument("--write", action="store_true", help="note the figures of phones for docs/browsers.md")
    given = parser.parse_args(arguments)
    with TemporaryDirectory() as folder, running(Path(folder)) as collector, sync_playwright() as playwright:
        for what in given.what:
            told = parts[what](playwright, collector, given.rounds)
            if given.write and what == "phone":
                figures.note(CHROMIUM, {"phone": told})


def visits(playwright: Playwright, collector: Collector, rounds: int) -> None:
    """Cold and warm visits: time and long tasks as visitors have them; bytes and requests of one more."""
    found: dict[str, list[list[Visit]]] = {name: [] for name in RACE}
    log = Log(wanted=3)
    with serving(log.add_to(site(collector.url, HEAD))) as url:
        for _ in track(range(rounds), "visits"):
            for name in RACE:
                found[name].append(log.visits(chromium(_executable(playwright)), address(url, name)))
    for title, which in (("Cold", 0), ("Warm", 2)):
        made = {name: [one[which] for one in devices] for name, devices in found.items()}
        sent = {name: [visit.sent for visit in of_name] for name, of_name in made.items()}
        for baseline in (NAIVE, REFERENCE):
            table(f"{title}: navigation to the first event, {rounds} rounds", "ms", baseline, sent)
        for name, of_name in made.items():
            long = sorted(round(visit.longest) for visit in of_name if visit.longest)
            _say(f"{title} {name}: tasks over 50 ms in {len(long)} of {rounds} visits: {long}")
    weight(playwright, collector)


def weight(playwright: Playwright, collector: Collector) -> None:
    """What comes over the line at a first visit."""
    with serving(site(collector.url)) as url:
        for name in RACE:
            with device(playwright) as visitor:
                first = visitor.visit(address(url, name))
            _say(f"Cold {name}: {first.bytes:,} bytes in {first.requests} requests")


def line(playwright: Playwright, collector: Collector, rounds: int) -> None:
    """A first visit over the line of a house."""
    sent: dict[str, list[float]] = {name: [] for name in RACE}
    with serving(site(collector.url)) as url:
        for _ in track(range(rounds), "line"):
            for name in RACE:
                with device(playwright) as visitor:
                    visitor.slow_down(HOME)
                    sent[name].append(visitor.visit(address(url, name)).sent)
    title = f"Cold at {HOME.megabits:.0f} Mbit/s and {HOME.latency:.0f} ms: navigation to the first event"
    table(f"{title}, {rounds} rounds", "ms", NAIVE, sent)


def page(playwright: Playwright, collector: Collector, rounds: int) -> None:
    """What a page pays once it is up: CPU a call, and memory."""
    cpu: dict[str, list[float]] = {OURS: [], REFERENCE: []}
    memory: dict[str, list[float]] = {OURS: [], REFERENCE: []}
    with serving(site(collector.url)) as url:
        for _ in track(range(rounds), "page"):
            with device(playwright) as visitor:
                visitor.page.goto(address(url, BARE))
                visitor.page.wait_for_timeout(500)
                bare = visitor.memory()
            for name in cpu:
                with device(playwright) as visitor:
                    visitor.visit(address(url, name))
                    visitor.visit(address(url, name), idle=1)
                    memory[name].append(visitor.memory() - bare)
                    cpu[name].append(visitor.cpu(CALLS))
    table(f"CPU of one track(), {rounds} rounds", "ms", REFERENCE, cpu, 2)
    for name, values in memory.items():
        _say(f"Memory over the same page without analytics, {name}: {spread(values, 1)} MB")


def shop(playwright: Playwright, collector: Collector, rounds: int) -> None:
    """LCP and INP of the demo shop, with the snippet and without."""
    lcp: dict[str, list[float]] = {OURS: [], BARE: []}
    inp: dict[str, list[float]] = {OURS: [], BARE: []}
    with TemporaryDirectory() as data:
        app = create_app(collector.url, collector.token, data=Path(data))
        with serving(app) as url:
            for _ in track(range(rounds), "shop"):
                for name in lcp:
                    with device(playwright) as visitor:
                        if name == BARE:
                            _without_snippet(visitor.page, url, collector)
                        for _ in range(2):
                            visitor.page.goto(url)
                            visitor.page.evaluate(PAINTED)
                            _strike(visitor.page)
                            visitor.page.wait_for_timeout(300)
                            lcp[name].append(visitor.page.evaluate("() => bench.lcp"))
                            inp[name].append(visitor.page.evaluate("() => bench.inp"))
    table(f"Largest Contentful Paint of the shop, {rounds} cold and warm visits", "ms", BARE, lcp)
    table(f"Slowest of eight interactions while Python boots, {rounds} cold and warm visits", "ms", BARE, inp)


def _without_snippet(shop: Page, url: str, collector: Collector) -> None:
    text = snippet("demo", collector.url)

    def serve(route: object) -> None:
        answer = route.fetch()  # type: ignore[attr-defined]
        route.fulfill(response=answer, body=answer.text().replace(text, ""))  # type: ignore[attr-defined]

    shop.route(f"{url}/", serve)


def _strike(shop: Page) -> None:
    for n in range(8):
        shop.mouse.click(200 + n, 300)
        shop.wait_for_timeout(40)


def _executable(playwright: Playwright) -> str:
    return str(launch_args({}).get("executable_path", playwright.chromium.executable_path))


def _say(line: Sequence[object] | str) -> None:
    Console().print(line, highlight=False)
