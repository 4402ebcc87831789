"""Visits of phones: screen and touch of one, and a processor that DevTools slows down as it does for developers."""

from __future__ import annotations

import os
from typing import Any

from playwright.sync_api import Playwright
from rich.console import Console
from rich.progress import track
from satsuma_server.testing import Collector, serving

from .contenders import EARLY, OURS, REFERENCE, address, site
from .report import quartiles, spread, table
from .visits import Visit, device

PHONE = "Pixel 7"
"""A device of Playwright's: its screen, touch and user agent."""
PHONE_CPUS = (4, 6)
"""How many times slower a phone is than this machine, as DevTools offers them for one of the middle and a cheap one."""
ON_PHONES = (OURS, EARLY, REFERENCE)
STAY_SECONDS = 3
"""How long a visitor looks at a page after its first event."""
FIRST, THIRD = 0, 2


def phone(playwright: Playwright, collector: Collector, rounds: int) -> dict[str, Any]:
    """Print and return what first and third visits of phones take: time, the longest task, and memory."""
    told: dict[str, Any] = {"device": PHONE, "rounds": rounds, "load": round(os.getloadavg()[0], 1)}
    settings = {name: value for name, value in playwright.devices[PHONE].items() if name != "default_browser_type"}
    with serving(site(collector.url)) as url:
        for rate in PHONE_CPUS:
            found: dict[str, list[list[Visit]]] = {name: [] for name in ON_PHONES}
            memory: dict[str, list[float]] = {name: [] for name in ON_PHONES}
            for _ in track(range(rounds), f"phone, {rate} times slower"):
                for name in ON_PHONES:
                    with device(playwright, **settings) as visitor:
                        visitor.throttle(rate)
                        found[name].append([visitor.visit(address(url, name), idle=STAY_SECONDS) for _ in range(3)])
                        memory[name].append(visitor.memory())
            _show(rate, rounds, found)
            told[str(rate)] = {name: _summary(found[name], found[REFERENCE], memory[name]) for name in ON_PHONES}
            for name, values in memory.items():
                _say(f"Memory of the page, {name}: {spread(values, 1)} MB")
    return told


def _show(rate: int, rounds: int, found: dict[str, list[list[Visit]]]) -> None:
    for temperature, which in (("Cold", FIRST), ("Warm", THIRD)):
        made = {name: [visits[which] for visits in devices] for name, devices in found.items()}
        sent = {name: [visit.sent for visit in of_name] for name, of_name in made.items()}
        title = f"{temperature} on a phone {rate} times slower: navigation to the first event, {rounds} rounds"
        table(title, "ms", REFERENCE, sent)
        for name, of_name in made.items():
            _say(f"{name}: longest task {spread([visit.longest for visit in of_name])} ms")


def _summary(devices: list[list[Visit]], reference: list[list[Visit]], memory: list[float]) -> dict[str, str]:
    told = {"memory": spread(memory, 1)}
    for title, which in (("first", FIRST), ("third", THIRD)):
        made, base = ([visits[which] for visits in of_name] for of_name in (devices, reference))
        ratios = [mine.sent / theirs.sent for mine, theirs in zip(made, base, strict=True)]
        told[title] = spread([visit.sent for visit in made])
        told[f"{title} ratio"] = f"{quartiles(ratios)[1]:.2f}"
        told[f"{title} longest"] = spread([visit.longest for visit in made])
    return told


def _say(line: str) -> None:
    Console().print(line, highlight=False)
