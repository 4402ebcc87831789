"""Figures of destinations for Prometheus, read from their file by the collector's process.

The destinations are in the second process. What they have stored can be read without asking them, also while that
process starts again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from .store import FILE

PATIENCE = 0.2
"""Seconds to wait for the file. A monitor asks again."""

COUNTERS = (
    ("delivered", "Messages that a destination has acknowledged"),
    ("retried", "Requests that went out again"),
    ("failed", "Messages that were set aside"),
    ("skipped", "Events that do not go to a destination, by its rules"),
)

QUERY = "SELECT name, cursor, paused, delivered, retried, failed, skipped FROM destinations"


class DestinationFigures(Collector):
    """The figures of the destinations in the settings, as they were stored after each destination's last round."""

    def __init__(self, data: Path, names: Sequence[str], last: Callable[[], int]) -> None:
        """Take the data folder, the destinations' names, and what returns the seq of the newest event."""
        self._path = data / FILE
        self._names = frozenset(names)
        self._last = last

    def collect(self) -> Iterator[Metric]:
        """Yield the figures; none where the file can't be read."""
        rows = self.rows()
        lag = GaugeMetricFamily(
            "satsuma_destination_lag_events", "Events that a destination has not done yet", labels=["destination"]
        )
        paused = GaugeMetricFamily("satsuma_destination_paused", "1 where it is paused", labels=["destination"])
        counters = [
            CounterMetricFamily(f"satsuma_destination_{name}", text, labels=["destination"]) for name, text in COUNTERS
        ]
        for name, cursor, is_paused, *counts in rows:
            lag.add_metric([name], max(0, self._last() - cursor))
            paused.add_metric([name], is_paused)
            for counter, count in zip(counters, counts, strict=True):
                counter.add_metric([name], count)
        yield from (lag, paused, *counters)

    def rows(self) -> list[tuple[str, int, int, int, int, int, int]]:
        """Return name, cursor, whether it is paused, and the `COUNTERS` of each destination; none where the file can't
        be read."""
        if not self._path.exists():
            return []
        try:
            with closing(sqlite3.connect(f"{self._path.as_uri()}?mode=ro", uri=True, timeout=PATIENCE)) as connection:
                return [row for row in connection.execute(QUERY) if row[0] in self._names]
        except sqlite3.Error:
            return []
