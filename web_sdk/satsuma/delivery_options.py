"""Options of delivery: limits, timing, and which answers are tried again; also read from analytics.js's settings.

Source: analytics-next's segmentio plugin, ``shared-dispatcher`` (``httpConfig`` with its bounds, ``deliveryStrategy``).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .validation import MAX_BATCH_BYTES, as_mapping

RETRYABLE_STATUS = frozenset({408, 410, 429, 460})
"""Statuses below 500 after which an event is tried again. Those from 500 on are all tried again, except for
`FINAL_STATUS`."""
FINAL_STATUS = frozenset({501, 505, 511})

REDIRECTS = range(300, 400)
"""Statuses of redirects. The client was left with one, which has no Location or is not followed: nothing was stored.
Analytics-next takes these for an acknowledgement, and its event is lost."""

TOO_MANY_REQUESTS = 429

FULL_BATCH_BYTES = MAX_BATCH_BYTES - 50 * 1024
"""A batch of so many bytes counts as full, as in analytics.js."""

FULL_KEEPALIVE_BYTES = 54 * 1024
"""The same where requests outlive the page: browsers refuse more than 64 KB."""


@dataclass(frozen=True, slots=True)
class DeliveryOptions:
    """The options of one `Delivery`.

    Attributes:
        batch_size: events in one request; 1 sends each alone.
        batches: whether even a single event is sent as a batch.
        full_batch: bytes of a batch that is sent, however many events it has.
        batch_wait: milliseconds that an event waits for its batch to fill, where batch_size > 1.
        max_queue, max_queue_bytes: the most events in the queue, and the most bytes of their texts. Beyond that the
            oldest are dropped, and counted.
        max_attempts: tries of one event before it is dropped, not counting those that Retry-After asked for. The
            default takes about a day at `max_backoff`, which is as long as the collector remembers a messageId.
        max_waits: how often the collector may ask one event to wait by Retry-After.
        longest_pause: the most milliseconds that Retry-After may ask for.
        pauses_for: statuses whose Retry-After is respected; None for all.
        base_backoff, max_backoff: milliseconds between tries: the first, doubled each time, up to the maximum.
        longest_backoff: milliseconds that one event may wait for its tries altogether; it is dropped before a longer
            wait.
        longest_waits: the same for the waits that Retry-After asked for.
        jitter: the share of the backoff, from 0 to 1, that is added or subtracted at random.
        drain_from, drain_size: where more events than the first number are due, they are sent in batches of at most the
            second.
        max_inflight: the most concurrent requests; 1 keeps the events of a page in order.
        overrides: for single statuses, whether an event is tried again.
        retries_4xx, retries_5xx: the same for all other statuses from 400 and from 500 on.
        first_retry_count: ``_metadata.retryCount`` of an event's second try; None to leave it out.
    """

    batch_size: int = 1
    batches: bool = False
    full_batch: int = FULL_BATCH_BYTES
    batch_wait: float = 5000
    max_queue: int = 1000
    max_queue_bytes: int = 32 * 1024 * 1024
    max_attempts: int = 1_440
    max_waits: int = sys.maxsize
    longest_pause: float = 300_000
    pauses_for: frozenset[int] | None = None
    base_backoff: float = 500
    max_backoff: float = 60_000
    longest_backoff: float = math.inf
    longest_waits: float = math.inf
    jitter: float = 0.1
    drain_from: int = 10
    drain_size: int = 100
    max_inflight: int = 1
    overrides: Mapping[int, bool] = field(default_factory=dict)
    retries_4xx: bool = False
    retries_5xx: bool = True
    first_retry_count: int | None = None

    def retries(self, status: int) -> bool:
        """Tell whether events are tried again after an answer with this status."""
        if status in self.overrides:
            return self.overrides[status]
        if status in RETRYABLE_STATUS or status in REDIRECTS:
            return True
        if status in FINAL_STATUS:
            return False
        return self.retries_5xx if status >= 500 else status >= 400 and self.retries_4xx

    def pause(self, status: int, retry_after: float | None) -> float | None:
        """Return the milliseconds to wait after an answer; None where it has no Retry-After that counts."""
        if retry_after is None or (self.pauses_for is not None and status not in self.pauses_for):
            return None
        return min(max(retry_after, 0.0), self.longest_pause)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], *, retry_queue: bool = True) -> DeliveryOptions:
        """Read the settings of analytics.js's destination.

        Args:
            settings: the settings of ``Segment.io``.
            retry_queue: whether events may be tried more than once.
        """
        strategy = as_mapping(settings.get("deliveryStrategy"))
        http = as_mapping(settings.get("httpConfig"))
        options = _retrying(as_mapping(http.get("backoffConfig")), as_mapping(http.get("rateLimitConfig")))
        retries = _number(as_mapping(http.get("backoffConfig")).get("maxRetryCount"), None, 0, 100)
        if strategy.get("strategy") == "batching":
            config = as_mapping(strategy.get("config"))
            retries = _number(config.get("maxRetries"), retries, 0, sys.maxsize)
            options |= {
                "batches": True,
                "batch_size": int(_number(config.get("size"), 10, 1, 10_000) or 10),
                "batch_wait": _number(config.get("timeout"), 5000, 0, sys.maxsize),
                "first_retry_count": 1,
                "full_batch": FULL_KEEPALIVE_BYTES if config.get("keepalive") is True else FULL_BATCH_BYTES,
                **_longest(as_mapping(http.get("backoffConfig")), as_mapping(http.get("rateLimitConfig"))),
            }
            if retries is not None:
                options["max_attempts"] = int(retries) + 1
        elif not retry_queue or retries is not None:
            options["max_attempts"] = max(int(retries or 0), 1) if retry_queue else 1
        return cls(**options)


def merged_http_config(given: object, remote: object) -> dict[str, Any]:
    """Merge the page's ``httpConfig`` and the source's, by field and by status. The source's values take precedence."""
    both = {}
    for name in ("rateLimitConfig", "backoffConfig"):
        own, other = as_mapping(as_mapping(given).get(name)), as_mapping(as_mapping(remote).get(name))
        overrides = {**as_mapping(own.get("statusCodeOverrides")), **as_mapping(other.get("statusCodeOverrides"))}
        both[name] = {**own, **other, "statusCodeOverrides": overrides}
    return both


def _retrying(backoff: Mapping[str, Any], rate: Mapping[str, Any]) -> dict[str, Any]:
    overrides = as_mapping(backoff.get("statusCodeOverrides")).items()
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


def _longest(backoff: Mapping[str, Any], rate: Mapping[str, Any]) -> dict[str, Any]:
    """Return how long an event may wait altogether, where the settings say so; analytics.js counts it for batches."""
    given = {
        "longest_backoff": _number(backoff.get("maxTotalBackoffDuration"), None, 60, 604_800),
        "longest_waits": _number(rate.get("maxRateLimitDuration"), None, 10, 86_400),
    }
    return {name: 1000 * seconds for name, seconds in given.items() if seconds is not None}


def _number(value: object, otherwise: float | None, least: float, most: float) -> float | None:
    """Return a number within bounds; `otherwise` where the value isn't a number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return otherwise
    return min(max(value, least), most)
