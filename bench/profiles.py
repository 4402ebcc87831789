"""What an event costs the profiles, as they grow; and whether they agree with what scipy finds in a random history.

At each size the same number of events comes in: half of them from visitors who have never been there, half from people
picked at random among all. What an event costs must not grow with how many people there are.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np
from rich.console import Console
from rich.progress import track
from satsuma_server.identity.extraction import IdentifierExtractor
from satsuma_server.identity.rules import ProfileSettings, Rules
from satsuma_server.log import Stored
from satsuma_server.profiles.store.database import Sqlite
from satsuma_server.profiles.store.store import Store
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .report import spread, table

BATCH = 2_000
"""As many events as the worker reads from the log at once."""

WARMING = 5
"""Batches before the measured ones: a store that has only been filled is in memory as no store in use is."""

START = "2026-11-24T12:00:00.000Z"
CONTEXT = {
    "ip": "203.0.113.7",
    "locale": "en-US",
    "userAgent": "Mozilla/5.0 (X11; Linux x86_64)",
    "page": {"path": "/"},
}


class History:
    """Events of people, drawn at random."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._seq = 0
        self.people = 0

    def batch(self, newcomers: float, count: int = BATCH) -> list[Stored]:
        """Return a batch of events, of which a share is of people who are new."""
        return [self._event(self._chance.random() < newcomers) for _ in range(count)]

    def _event(self, new: bool) -> Stored:
        self._seq += 1
        if new or not self.people:
            self.people += 1
            person, known = self.people, False
        else:
            person, known = self._chance.randint(1, self.people), self._chance.random() < 0.5
        event = {
            "type": "identify" if known and self._seq % 5 == 0 else "track",
            "event": "Product Viewed",
            "messageId": f"ajs-{self._seq:032x}",
            # Ids as they are: spread over the whole alphabet, not in the order in which people come.
            "anonymousId": f"{person * 0x9E3779B97F4A7C15 % 2**64:016x}-4aaa-8bbb-{person:012x}",
            "userId": f"{person * 0xC2B2AE3D27D4EB4F % 2**64:016x}" if known else None,
            "timestamp": START,
            "receivedAt": START,
            "context": CONTEXT,
            "traits": {"plan": "premium", "n": self._seq},
        }
        return Stored(self._seq, "bench", msgspec.json.encode(event))


class Profiles:
    """A store in a folder."""

    def __init__(self, folder: Path, **settings: object) -> None:
        rules = Rules(msgspec.convert(settings, ProfileSettings))
        self.database = Sqlite(folder)
        self.store = Store(self.database, rules)
        self._read = IdentifierExtractor(rules).read

    def take(self, events: list[Stored]) -> float:
        """Take a batch in; return microseconds an event."""
        began = time.perf_counter()
        self.store.take([seen for one in events if (seen := self._read(one))], events[-1].seq)
        return (time.perf_counter() - began) / len(events) * 1e6


def costs(sizes: list[int], batches: int) -> dict[str, list[float]]:
    """Return microseconds an event, batch by batch, of stores of so many profiles, which take turns."""
    with TemporaryDirectory() as folder:
        grown = {size: grow(Path(folder) / str(size), size) for size in track(sizes, "profiles grow")}
        found: dict[str, list[float]] = {f"{size:,} profiles": [] for size in sizes}
        for _ in track(range(batches), "batches"):
            for (history, profiles), told in zip(grown.values(), found.values(), strict=True):
                told.append(profiles.take(history.batch(0.5)))
    return found


def grow(folder: Path, size: int) -> tuple[History, Profiles]:
    """Return a store of so many profiles, with its history, which has begun to go on as it will be measured."""
    history, profiles = History(21), Profiles(folder)
    while history.people < size:
        profiles.take(history.batch(0.9, min(BATCH, size)))
    for _ in range(WARMING):
        profiles.take(history.batch(0.5))
    return history, profiles


def edges(count: int, seed: int) -> Iterator[tuple[int, int]]:
    """Yield pairs of a user and a device."""
    chance = random.Random(seed)
    return ((chance.randrange(count // 2), chance.randrange(count)) for _ in range(count))


def agree(count: int, folder: Path) -> tuple[int, float]:
    """Hold profiles of a random history to scipy's connected components.

    Returns:
        How many people there are, and microseconds an event.

    Raises:
        SystemExit: they differ.
    """
    pairs = list(edges(count, 22))
    profiles = Profiles(folder, protect=False)
    began = time.perf_counter()
    for start in range(0, count, BATCH):
        part = enumerate(pairs[start : start + BATCH], start=start + 1)
        profiles.take([_pair(seq, user, device) for seq, (user, device) in part])
    took = (time.perf_counter() - began) / count * 1e6
    rows = profiles.database.run("SELECT type, value, profile FROM nodes")
    users, devices = np.array(pairs).T
    total = count // 2 + count
    links = coo_array((np.ones(count), (users, devices + count // 2)), shape=(total, total))
    _, label = connected_components(links, directed=False)
    ours = np.full(total, -1)
    for type, value, profile in rows:
        ours[int(value[1:]) + (0 if type == "user_id" else count // 2)] = profile
    seen = ours >= 0
    both = np.unique(np.stack((ours[seen], label[seen])), axis=1).shape[1]
    if not both == len(np.unique(ours[seen])) == len(np.unique(label[seen])):
        raise SystemExit("profiles and scipy disagree about who is one person")
    return both, took


def _pair(seq: int, user: int, device: int) -> Stored:
    text = f'{{"type":"track","messageId":"m{seq}","userId":"u{user}","anonymousId":"a{device}"'
    return Stored(seq, "bench", f'{text},"timestamp":"{START}","receivedAt":"{START}"}}'.encode())


def main(arguments: list[str]) -> None:
    """Print what an event costs at each size, and whether a random history comes out right."""
    parser = argparse.ArgumentParser(prog="./dev bench profiles")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--batches", type=int, default=40, help="of 2,000 events, measured at each size")
    parser.add_argument("--edges", type=int, default=1_000_000, help="of the random history; 0 leaves it out")
    options = parser.parse_args(arguments)
    sizes = sorted(options.sizes)
    found = costs(sizes, options.batches)
    table("An event's cost, in batches of 2,000", "µs", f"{sizes[0]:,} profiles", found)
    # A mean has what a median hides: that now and then a batch writes back what many before it have changed.
    means = {name: statistics.fmean(told) for name, told in found.items()}
    Console().print("means:", ", ".join(f"{name} {one:.1f} µs" for name, one in means.items()))
    if options.edges:
        with TemporaryDirectory() as folder:
            people, took = agree(options.edges, Path(folder))
        told = f"{options.edges:,} random links make {people:,} people, as scipy says too; {spread([took])} µs a link"
        Console().print(told)
