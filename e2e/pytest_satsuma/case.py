"""The state of one test: its visitors, its collectors, and what has happened so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from satsuma_server.testing import Collector

from .tab import Tab
from .timeline import Entry, Timeline, as_text


@dataclass(slots=True)
class Case:
    """What the fixtures of one test share.

    Attributes:
        output: the test's folder for artifacts. It may not exist yet.
        tabs: the tabs of all visitors.
        collectors: the collectors whose events belong to the timeline.
    """

    name: str
    output: Path
    timeline: Timeline = field(default_factory=Timeline)
    tabs: list[Tab] = field(default_factory=list)
    collectors: list[Collector] = field(default_factory=list)

    def events(self) -> list[dict[str, Any]]:
        """Return the events that the collectors have stored, except for collectors that have stopped."""
        found: list[dict[str, Any]] = []
        for collector in self.collectors:
            try:
                found += collector.events()
            except OSError:
                continue
        return found

    def entries(self) -> list[Entry]:
        """Return the whole timeline."""
        return self.timeline.with_stored(self.events())

    def as_text(self) -> str:
        """Return the timeline for a terminal."""
        return as_text(self.entries())


class External(Collector):
    """A collector that ran before the test. Only events that arrive during the test are seen."""

    __slots__ = ("_before",)

    def __init__(self, url: str, token: str) -> None:
        super().__init__(url, token)
        object.__setattr__(self, "_before", 0)
        object.__setattr__(self, "_before", self._last())

    def _last(self) -> int:
        after = 0
        while page := Collector.events(self, after):
            after = page[-1]["seq"]
        return after

    def events(self, after: int = 0) -> list[dict[str, Any]]:
        """Return the events that it has stored since the test began, in order."""
        before: int = self._before  # type: ignore[attr-defined]
        return Collector.events(self, max(after, before))
