"""Bounds and pace of delivery, and which answers are worth another try; and where analytics.js's settings say so.

Source: analytics-next's segmentio plugin, ``shared-dispatcher`` (``httpConfig`` with its bounds, ``deliveryStrategy``).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

RETRYABLE_STATUS = frozenset({408, 410, 429, 460})
"""Statuses under 500 that are worth another try; 501, 505 and 511 are those above that are not."""
FINAL_STATUS = frozenset({501, 505, 511})

TOO_MANY_REQUESTS = 429


@dataclass(frozen=True, slots=True)
class DeliveryOptions:
    """Bounds and pace.

    Attributes:
        batch_size: events a request; 1 sends each alone.
        batches: send batches even of one event.
        batch_wait: milliseconds that an event waits for company, where batch_size > 1.
        max_queue, max_queue_bytes: events kept, and bytes of their text; the oldest is dropped beyond, and counted.
        max_attempts: tries of one event before it is dropped; those that the collector asked for by Retry-After don't
            count. About a day of them at `max_backoff`, which is as long as the collector knows a messageId again.
        max_waits: times that the collector may ask one event to wait, by Retry-After.
        longest_pause: most milliseconds that Retry-After is followed.
        pauses_for: statuses whose Retry-After is followed; None for all.
        base_backoff, max_backoff: milliseconds between tries, doubled each time, up to the maximum.
        jitter: share of the backoff that chance adds or takes, 0 to 1.
        drain_from, drain_size: where more than so many events are due, they go in batches of at most so many.
        max_inflight: requests under way at once; 1 keeps the events of a page in order.
        overrides: whether a status is worth another try, for those that are meant otherwise.
        retries_4xx, retries_5xx: the same for all other statuses from 400 and from 500 on.
        first_retry_count: what ``_metadata.retryCount`` says of an event's second try; None where it isn't told.
    """

    batch_size: int = 1
    batches: bool = False
    batch_wait: float = 5000
    max_queue: int = 1000
    max_queue_bytes: int = 32 * 1024 * 1024
    max_attempts: int = 1_440
    max_waits: int = sys.maxsize
    longest_pause: float = 300_000
    pauses_for: frozenset[int] | None = None
    base_backoff: float = 500
    max_backoff: float = 60_000
    jitter: float = 0.1
    drain_from: int = 10
    drain_size: int = 100
    max_inflight: int = 1
    overrides: Mapping[int, bool] = field(default_factory=dict)
    retries_4xx: bool = False
    retries_5xx: bool = True
    first_retry_count: int | None = None

    def retries(self, status: int) -> bool:
        """Tell whether an answer's status is worth another try."""
        if status in self.overrides:
            return self.overrides[status]
        if status in RETRYABLE_STATUS or status in FINAL_STATUS:
            return status in RETRYABLE_STATUS
        return self.retries_5xx if status >= 500 else status >= 400 and self.retries_4xx

    def pause(self, status: int, retry_after: float | None) -> float | None:
        """Return the milliseconds that an answer may make us wait; None where it says nothing that counts."""
        if retry_after is None or (self.pauses_for is not None and status not in self.pauses_for):
            return None
        return min(max(retry_after, 0.0), self.longest_pause)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], *, retry_queue: bool = True) -> DeliveryOptions:
        """Read the settings of analytics.js's destination.

        Args:
            settings: of ``Segment.io``.
            retry_queue: False where each event is to be tried once, and no more.
        """
        strategy = _mapping(settings.get("deliveryStrategy"))
        http = _mapping(settings.get("httpConfig"))
        options = _retrying(_mapping(http.get("backoffConfig")), _mapping(http.get("rateLimitConfig")))
        retries = _number(_mapping(http.get("backoffConfig")).get("maxRetryCount"), None, 0, 100)
        if strategy.get("strategy") == "batching":
            config = _mapping(strategy.get("config"))
            retries = _number(config.get("maxRetries"), retries, 0, sys.maxsize)
            options |= {
                "batches": True,
                "batch_size": int(_number(config.get("size"), 10, 1, 10_000) or 10),
                "batch_wait": _number(config.get("timeout"), 5000, 0, sys.maxsize),
                "first_retry_count": 1,
            }
            if retries is not None:
                options["max_attempts"] = int(retries) + 1
        elif not retry_queue or retries is not None:
            options["max_attempts"] = max(int(retries or 0), 1) if retry_queue else 1
        return cls(**options)


def merged_http_config(given: object, remote: object) -> dict[str, Any]:
    """Return the page's ``httpConfig`` with the source's laid over it, field by field and status by status."""
    both = {}
    for name in ("rateLimitConfig", "backoffConfig"):
        own, other = _mapping(_mapping(given).get(name)), _mapping(_mapping(remote).get(name))
        overrides = {**_mapping(own.get("statusCodeOverrides")), **_mapping(other.get("statusCodeOverrides"))}
        both[name] = {**own, **other, "statusCodeOverrides": overrides}
    return both


def _retrying(backoff: Mapping[str, Any], rate: Mapping[str, Any]) -> dict[str, Any]:
    overrides = _mapping(backoff.get("statusCodeOverrides")).items()
    told: dict[str, Any] = {
        "pauses_for": frozenset({TOO_MANY_REQUESTS}),
        "first_retry_count": 2,
        "overrides": {int(status): what == "retry" for status, what in overrides if str(status).isdecimal()},
        "longest_pause": 1000 * (_number(rate.get("maxRetryInterval"), 300, 0.1, 86_400) or 0),
        "base_backoff": 1000 * (_number(backoff.get("baseBackoffInterval"), 0.5, 0.1, 300) or 0),
        "max_backoff": 1000 * (_number(backoff.get("maxBackoffInterval"), 60, 0.1, 86_400) or 0),
        "jitter": (_number(backoff.get("jitterPercent"), 10, 0, 100) or 0) / 100,
        "retries_4xx": backoff.get("default4xxBehavior") == "retry",
        "retries_5xx": backoff.get("default5xxBehavior") != "drop",
    }
    waits = _number(rate.get("maxRetryCount"), None, 0, 100)
    return told if waits is None else {**told, "max_waits": int(waits)}


def _number(value: object, otherwise: float | None, least: float, most: float) -> float | None:
    """Return a number within bounds; `otherwise` where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return otherwise
    return min(max(value, least), most)


def _mapping(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}
