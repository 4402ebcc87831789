"""One library on one site, the network before its collector, and the collector."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.places import LOAD_OPTIONS, PAGE, with_service_worker
from flows.reference_library import reference_cdn, stock_snippet
from loss.diary import Diary, walked_site
from loss.front import Front, standing_before
from satsuma_server import snippet
from satsuma_server.testing import Collector, running, serving

NAME = re.compile(rb'\bn\\*" *: *\\*"(v[\w.-]+)')
"""A call's name in a body, however often that was quoted."""

OURS, REFERENCE = "satsuma", "analytics-next"


@dataclass(frozen=True, slots=True)
class Scene:
    """Where visitors walk.

    Attributes:
        url: the site's.
    """

    library: str
    collector: Collector
    front: Front
    diary: Diary
    url: str

    def stored(self, after: int = 0) -> list[str]:
        """Return the names of the calls that the collector has stored, in its order."""
        events = self._events(after)
        return [event["properties"]["n"] for event in events if event.get("event") == "Called"]

    def arrived(self) -> list[str]:
        """Return the names of the calls that reached the collector, as often as they did."""
        return [name.decode() for body in list(self.front.arrived) for name in NAME.findall(body)]

    def last(self) -> int:
        """Return the number of the newest event."""
        return max((event["seq"] for event in self._events()), default=0)

    def _events(self, after: int = 0) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = []
        while page := self.collector.events(after):
            events += page
            after = page[-1]["seq"]
        return events


@contextmanager
def set_up(
    library: str, data: Path, seed: object = 0, python: str = PAGE, options: Mapping[str, Any] | None = None
) -> Iterator[Scene]:
    """Set the scene for a library; `python` is where Python lives in our pages, and `options` are more of theirs."""
    with ExitStack() as stack:
        collector = stack.enter_context(running(data))
        front = stack.enter_context(standing_before(collector.url, seed))
        if library == OURS:
            diary = Diary(snippet("loss", front.url, options={**LOAD_OPTIONS[python], **(options or {})}))
        else:
            diary = Diary(stock_snippet(stack.enter_context(reference_cdn(front.url))))
        site = with_service_worker(walked_site(diary), front.url, "loss", lambda: diary.service_version)
        yield Scene(library, collector, front, diary, stack.enter_context(serving(site)))


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of calls.

    Attributes:
        resent: copies that reached the collector and were not needed; it keeps none whose messageId it knows.
        duplicate: copies that it kept.
        unordered: calls that were stored before one that their page had made earlier.
    """

    visits: int = 0
    made: int = 0
    stored: int = 0
    lost: int = 0
    resent: int = 0
    duplicate: int = 0
    unordered: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


def tally(made: list[str], stored: list[str], arrived: list[str]) -> Tally:
    """Compare the calls of one visit with what reached the collector, and what it stored.

    Raises:
        AssertionError: something was stored that nobody made.
    """
    counts = Counter(stored)
    assert set(counts) <= set(made), f"stored, and never made: {sorted(set(counts) - set(made))}"
    return Tally(
        visits=1,
        made=len(made),
        stored=len(counts),
        lost=len(made) - len(counts),
        resent=len(arrived) - len(set(arrived)),
        duplicate=counts.total() - len(counts),
        unordered=_unordered(list(counts)),
    )


def _unordered(stored: list[str]) -> int:
    """Count the calls stored after a later one of their page, by their names: visit, page, number."""
    latest: dict[str, int] = {}
    found = 0
    for name in stored:
        page, _, number = name.rpartition(".")
        found += int(number) < latest.get(page, -1)
        latest[page] = max(latest.get(page, -1), int(number))
    return found
