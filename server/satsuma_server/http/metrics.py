"""Counts requests and events, for Prometheus."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histograms' buckets, in seconds."""


class _Times:
    """A histogram of how long the requests of one kind took."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS) + 1)
        self.sum = 0.0

    def buckets(self) -> list[tuple[str, float]]:
        """Return each upper bound, with the number of requests that took no longer."""
        bounds = [*map(str, BUCKETS), "+Inf"]
        return [(bound, sum(self.counts[: index + 1])) for index, bound in enumerate(bounds)]


class Metrics(Collector):
    """The counters of one collector. Use them from one event loop only.

    They are plain numbers, and become Prometheus's types when somebody asks for them. Prometheus's own counters take a
    lock for each change, which is too slow for thousands of requests a second.

    Attributes:
        client_metrics: reports of clients' own statistics.
    """

    def __init__(self) -> None:
        self._accepted = self._duplicates = self._refused = 0
        self.client_metrics = 0
        self._errors: Counter[int] = Counter()
        self._times: dict[str, _Times] = {}
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def count(self, *, accepted: int, duplicates: int, refused: int) -> None:
        """Count one request's events."""
        self._accepted += accepted
        self._duplicates += duplicates
        self._refused += refused

    def failed(self, status: int) -> None:
        """Count an answer with an error status."""
        self._errors[status] += 1

    def took(self, kind: str, seconds: float) -> None:
        """Count the time that one request took."""
        times = self._times.get(kind)
        if times is None:
            times = self._times[kind] = _Times()
        times.counts[bisect_left(BUCKETS, seconds)] += 1
        times.sum += seconds

    def watch(self, name: str, text: str, value: Callable[[], float]) -> None:
        """Add a metric whose value is computed when somebody asks for the metrics."""
        Gauge(name, text, registry=self._registry).set_function(value)

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics."""
        yield CounterMetricFamily("satsuma_events_accepted", "Events made durable", self._accepted)
        yield CounterMetricFamily("satsuma_events_duplicate", "Events that had been sent before", self._duplicates)
        yield CounterMetricFamily("satsuma_events_refused", "Events that were not acceptable", self._refused)
        yield CounterMetricFamily("satsuma_client_metrics", "Reports of clients' own statistics", self.client_metrics)
        errors = CounterMetricFamily("satsuma_error_answers", "Answers other than 200", labels=["status"])
        for status, count in self._errors.items():
            errors.add_metric([str(status)], count)
        yield errors
        text = "From a request's start to its durable answer"
        seconds = HistogramMetricFamily("satsuma_request_seconds", text, labels=["kind"])
        for kind, times in self._times.items():
            seconds.add_metric([kind], times.buckets(), times.sum)
        yield seconds

    async def endpoint(self, request: Request) -> Response:
        """Answer ``GET /metrics``."""
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)
