"""Counts requests and events, for Prometheus.

No figure may tell a stranger whether an event was kept: somebody's events are not while they are on the suppression
list. Figures that would are for tokens with the scope `metrics` alone.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator

import msgspec
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from satsuma_server.settings import Settings

from .addresses import is_from_here
from .auth import check_token
from .responses import UNCACHED

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


class Counts(msgspec.Struct, array_like=True):
    """What another process has counted for a collector since it told of it the last time.

    Attributes:
        accepted, duplicates, refused: events.
        client_metrics: reports of clients' own statistics.
        errors: answers, by their status.
        times: requests of each kind of call: how many took how long (see `BUCKETS`), and their seconds in sum.
    """

    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    client_metrics: int = 0
    errors: dict[int, int] = {}
    times: dict[str, tuple[list[int], float]] = {}


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
        self._open, self._guarded = CollectorRegistry(), CollectorRegistry()
        self._open.register(self)
        self._refreshing: list[tuple[Callable[[], Awaitable[None]], bool]] = []

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

    def take(self) -> Counts:
        """Return what was counted since the last time."""
        times = {kind: (one.counts, one.sum) for kind, one in self._times.items()}
        taken = Counts(self._accepted, self._duplicates, self._refused, self.client_metrics, dict(self._errors), times)
        self._accepted = self._duplicates = self._refused = self.client_metrics = 0
        self._errors, self._times = Counter(), {}
        return taken

    def add(self, counts: Counts) -> None:
        """Add what another process has counted."""
        self.count(accepted=counts.accepted, duplicates=counts.duplicates, refused=counts.refused)
        self.client_metrics += counts.client_metrics
        self._errors.update(counts.errors)
        for kind, (buckets, seconds) in counts.times.items():
            times = self._times.setdefault(kind, _Times())
            times.counts = [one + other for one, other in zip(times.counts, buckets, strict=True)]
            times.sum += seconds

    def watch(self, name: str, text: str, value: Callable[[], float], *, guarded: bool = False) -> None:
        """Add a metric whose value is computed when somebody asks for the metrics.

        Args:
            guarded: whether it tells what was kept, so that only tokens may read it.
        """
        Gauge(name, text, registry=self._guarded if guarded else self._open).set_function(value)

    def before_each(self, refresh: Callable[[], Awaitable[None]], *, guarded: bool = False) -> None:
        """Have something done before the metrics are answered, for figures that are read by awaiting; `guarded` as in
        `watch`."""
        self._refreshing.append((refresh, guarded))

    async def refresh(self, *, guarded: bool) -> None:
        """Do what `before_each` was given."""
        for refresh, is_guarded in self._refreshing:
            if guarded or not is_guarded:
                await refresh()

    @property
    def counts(self) -> dict[str, int]:
        """How many events were accepted, duplicate and refused since the start."""
        return {"accepted": self._accepted, "duplicate": self._duplicates, "refused": self._refused}

    def register(self, figures: Collector, *, guarded: bool = False) -> None:
        """Add metrics that have labels; `guarded` as in `watch`."""
        (self._guarded if guarded else self._open).register(figures)

    def text(self, *, guarded: bool) -> bytes:
        """Return the metrics in Prometheus's text format; those that are guarded only where `guarded` is true."""
        return generate_latest(self._open) + (generate_latest(self._guarded) if guarded else b"")

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


class MetricsEndpoint:
    """``GET /metrics``, for those whom the settings let in."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics

    async def answer(self, request: Request) -> Response:
        """Answer a request.

        Raises:
            UnauthorizedError: it needs a token, and has no valid one.
            ForbiddenError: its token doesn't have the scope `metrics`.
        """
        # Not noted in the audit log: a monitor asks several times a minute, and nobody's data is in the answer.
        has_token = "authorization" in request.headers or not self._is_open(request)
        if has_token:
            check_token(request, self._settings)
        await self._metrics.refresh(guarded=has_token)
        text = self._metrics.text(guarded=has_token)
        return Response(text, media_type=CONTENT_TYPE_LATEST, headers=UNCACHED)

    def _is_open(self, request: Request) -> bool:
        mode = self._settings.metrics
        return mode == "public" or (mode == "local" and is_from_here(request.scope))
