"""Many visits, each with a way of its own through weather of its own, and what became of their calls."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from logging import getLogger
from random import Random
from typing import Any

from loss.line import Kind
from loss.scene import Scene, Tally, tally
from loss.walk import Walk
from loss.ways import WAYS, Way
from rich.table import Table

LOG = getLogger(__name__)
"""Tells how a long walk goes: ``-o log_cli=true --log-cli-level=INFO``."""

SHARE = 0.4
"""Of the posts that meet with a fault, in any weather but calm."""
COME_BACK = 0.9
"""Of the visitors who are new here; one who was here before does."""


@dataclass(frozen=True, slots=True)
class Outing:
    """One visit.

    Attributes:
        name: of its walk.
        warm: the visitor was here before, and has the library in the browser's cache.
    """

    name: str
    way: Way
    weather: Kind
    warm: bool
    returns: bool


def outings(seed: int, count: int) -> list[Outing]:
    """Return visits: all ways equally often, everything else by chance."""
    chance = Random(seed)
    weathers = list(Kind)
    planned = []
    for number in range(count):
        warm = chance.random() < 0.5
        returns = warm or chance.random() < COME_BACK
        way = WAYS[number % len(WAYS)]
        planned.append(Outing(f"v{seed}-{number}", way, chance.choice(weathers), warm, returns))
    return planned


def walk_all(browser: Any, scene: Scene, planned: Iterable[Outing]) -> dict[Outing, Tally]:
    """Make the visits, one after the other, and tell what became of the calls of each."""
    regular = browser.new_context()
    Walk(scene, regular, "vfirst").come_back()
    made: dict[Outing, list[str]] = {}
    for outing in planned:
        with _device(browser, regular if outing.warm else None) as context:
            walk = Walk(scene, context, outing.name)
            scene.front.weather, scene.front.share = outing.weather, SHARE
            outing.way(walk, Random(outing.name))
            if outing.returns:
                walk.kept(walk.come_back())
            else:
                walk.go_away()
            made[outing] = walk.made()
            LOG.info("%s calls in visit %s", len(made[outing]), outing)
    last = Walk(scene, regular, "vlast")
    last.kept(last.come_back())
    regular.close()
    stored, arrived = by_visit(scene.stored()), by_visit(scene.arrived())
    for outing, calls in made.items():
        if lost := sorted(set(calls) - set(stored[outing.name])):
            LOG.info("lost of %s: %s", outing, lost)
    return {outing: tally(calls, stored[outing.name], arrived[outing.name]) for outing, calls in made.items()}


def by_visit(names: Iterable[str]) -> defaultdict[str, list[str]]:
    """Group calls' names by their first part."""
    groups = defaultdict(list)
    for name in names:
        groups[name.partition(".")[0]].append(name)
    return groups


@contextmanager
def _device(browser: Any, regular: Any) -> Iterator[Any]:
    """Give the regular visitor's browser, or that of somebody new; afterwards no tab is open."""
    context = regular or browser.new_context()
    yield context
    if regular is None:
        context.close()
        return
    for tab in [*context.pages]:
        tab.close()


def total(seen: Mapping[Outing, Tally]) -> Tally:
    """Return the sum of all visits."""
    return sum(seen.values(), Tally())


def report(library: str, seen: Mapping[Outing, Tally]) -> Table:
    """Return what became of the calls, by what visitors and what the network did."""
    counts = [field.name for field in fields(Tally)]
    table = Table("", *counts, title=f"The calls of {library}")
    for title, group_of in GROUPS.items():
        for group in sorted({group_of(outing) for outing in seen}):
            found = total({outing: tally for outing, tally in seen.items() if group_of(outing) == group})
            table.add_row(f"{title} {group}", *(str(getattr(found, count)) for count in counts))
        table.add_section()
    return table


GROUPS: dict[str, Callable[[Outing], str]] = {
    "visitor:": lambda outing: outing.way.__name__.replace("_", " "),
    "network:": lambda outing: str(outing.weather),
    "browser:": lambda outing: "warm" if outing.warm else "cold",
    "in the end:": lambda outing: "comes back" if outing.returns else "never comes back",
    "total": lambda outing: "",
}
