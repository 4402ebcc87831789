"""Counters for Prometheus."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response


class Metrics:
    """The counters of one collector."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.accepted = self._counter("satsuma_events_accepted", "Events made durable")
        self.duplicates = self._counter("satsuma_events_duplicate", "Events that had been sent before")
        self.refused = self._counter("satsuma_events_refused", "Events that were not acceptable")
        self.client_metrics = self._counter("satsuma_client_metrics", "Reports of clients' own statistics")
        self._seconds = Histogram(
            "satsuma_request_seconds", "From a request's start to its durable answer", ["kind"], registry=self._registry
        )
        self._kinds: dict[str, Histogram] = {}
        self.answers = Counter("satsuma_error_answers", "Answers other than 200", ["status"], registry=self._registry)

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(name, text, registry=self._registry)

    def count(self, *, accepted: int, duplicates: int, refused: int) -> None:
        """Count one request's events."""
        for counter, count in ((self.accepted, accepted), (self.duplicates, duplicates), (self.refused, refused)):
            if count:
                counter.inc(count)

    def took(self, kind: str, seconds: float) -> None:
        """Count one request's time."""
        histogram = self._kinds.get(kind)
        if histogram is None:
            histogram = self._kinds[kind] = self._seconds.labels(kind=kind)
        histogram.observe(seconds)

    def watch(self, name: str, text: str, value: Callable[[], float]) -> None:
        """Show a value as it is at the moment of asking."""
        Gauge(name, text, registry=self._registry).set_function(value)

    async def endpoint(self, request: Request) -> Response:
        """Answer ``GET /metrics``."""
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)
