"""A page's way to its first event in any engine, beside analytics-next in the same engine.

Each round visits every contender on a fresh device: the first visit and the third are told. One more device of each
counts the bytes of a first visit.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

from matrix import figures
from pytest_satsuma.engines import CHROMIUM, ENGINES, missing
from rich.console import Console
from rich.progress import track
from satsuma_server.testing import running, serving

from .contenders import EARLY, IN_SERVICE, OURS, REFERENCE, address, site
from .meter import metered
from .report import quartiles, spread, table
from .unwatched import HEAD, Log, Start, chromium, firefox, webkit
from .visits import Visit

RACE = (OURS, EARLY, IN_SERVICE, REFERENCE)
FIRST, THIRD = 0, 2


def main(arguments: list[str]) -> None:
    """Measure one engine, and print it."""
    parser = argparse.ArgumentParser(prog="./dev bench engines", description=__doc__)
    parser.add_argument("--engine", choices=ENGINES, default=CHROMIUM)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--write", action="store_true", help="note the figures for docs/browsers.md")
    given = parser.parse_args(arguments)
    if reason := missing(given.engine):
        raise SystemExit(reason)
    start = starter(given.engine)
    with TemporaryDirectory() as folder, running(Path(folder)) as collector:
        found = visits(start, collector.url, given.rounds)
        load = round(os.getloadavg()[0], 1)
        came = {name: first_bytes(start, collector.url, name) for name in RACE}
    for title, which_visit in (("First", FIRST), ("Third", THIRD)):
        sent = {name: [one[which_visit].sent for one in devices] for name, devices in found.items()}
        table(f"{title} visit in {given.engine}: navigation to the first event", "ms", REFERENCE, sent)
    Console().print(f"bytes of a first visit: {came}; load {load}", highlight=False)
    if given.write:
        told = {name: {**summary(found[name], found[REFERENCE]), "bytes": came[name]} for name in RACE}
        figures.note(given.engine, {"boot": {**told, "load": load, "rounds": given.rounds}})


def starter(engine: str) -> Start:
    """Return what starts an engine at a URL."""
    others = {"firefox": firefox, "webkit": webkit}
    return others.get(engine) or chromium(os.environ.get("SATSUMA_CHROMIUM") or str(which("chromium")))


def visits(start: Start, collector: str, rounds: int) -> dict[str, list[list[Visit]]]:
    """Return each contender's visits, by device."""
    found: dict[str, list[list[Visit]]] = {name: [] for name in RACE}
    log = Log(wanted=THIRD + 1)
    with serving(log.add_to(site(collector, HEAD))) as url:
        for _ in track(range(rounds), "visits"):
            for name in RACE:
                found[name].append(log.visits(start, address(url, name)))
    return found


def first_bytes(start: Start, collector: str, name: str) -> int:
    """Return the bytes that come to a device at its first visit, the page included."""
    log = Log(wanted=1)
    with metered(collector) as theirs, serving(log.add_to(site(theirs.url, HEAD))) as url, metered(url) as ours:
        log.visits(start, address(ours.url, name))
        return ours.bytes + theirs.bytes


def summary(devices: Sequence[Sequence[Visit]], reference: Sequence[Sequence[Visit]]) -> dict[str, str | int]:
    """Return what the document shows: medians with quartiles, and ratios of the same round."""
    told: dict[str, str | int] = {}
    for title, which_visit in (("first", FIRST), ("third", THIRD)):
        sent = [one[which_visit].sent for one in devices]
        ratios = [mine / base[which_visit].sent for mine, base in zip(sent, reference, strict=True)]
        told[title] = spread(sent)
        told[f"{title} ratio"] = f"{quartiles(ratios)[1]:.2f}"
    every = [visit for one in devices for visit in one]
    told["plain"] = f"{sum(visit.plain for visit in every)} of {len(every)}"
    return told
