"""Limits how many events a source, and an address, may send: token buckets, which are full at first.

A sender may send while there is an event in its bucket. What it sends is taken out, and may leave a debt: so a batch
that is larger than a bucket gets through, and those after it wait until the debt is paid.

These counts go by the clock, and end with the process. The limit of new links of a person goes by the times in the log
instead (`identity.link_rate`), since profiles that are built again must come out the same. Both take a /64 network of
IPv6 for one address.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from satsuma_server.errors import RateError
from satsuma_server.identity.link_rate import network_of
from satsuma_server.settings import Limit, Settings, Source

MOST_BUCKETS = 20_000
"""How many sources, or addresses, are remembered. Beyond that, the bucket used longest ago is forgotten."""

LONGEST_DEBT = 300
"""The most seconds after which a debt is paid, however large the batch was that made it."""


class Buckets:
    """The buckets of one limit."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str, limit: Limit, events: int) -> float:
        """Take events out of a sender's bucket; return 0, or the seconds to wait where it is empty."""
        content = self._content(name, limit)
        if content < 1:
            return (1 - content) / limit.events_per_second
        self._put(name, limit, content - events)
        return 0.0

    def owe(self, name: str, limit: Limit, events: int) -> None:
        """Take events out of a sender's bucket, whatever is in it."""
        self._put(name, limit, self._content(name, limit) - events)

    def _content(self, name: str, limit: Limit) -> float:
        now = self._clock()
        content, at = self._buckets.get(name, (limit.most, now))
        return min(limit.most, content + (now - at) * limit.events_per_second)

    def _put(self, name: str, limit: Limit, content: float) -> None:
        self._buckets[name] = (max(content, -LONGEST_DEBT * limit.events_per_second), self._clock())
        self._buckets.move_to_end(name)
        if len(self._buckets) > MOST_BUCKETS:
            self._buckets.popitem(last=False)


class RateLimits:
    """The limits of a collector's settings.

    Attributes:
        has_addresses: whether addresses have a limit.
        refused: how many requests were asked to come back later.
    """

    def __init__(self, settings: Settings) -> None:
        self._of_addresses, self._of_sources = settings.limits.address, settings.limits.source
        self._by_address, self._by_source = Buckets(), Buckets()
        self.has_addresses = self._of_addresses is not None
        self.refused = 0

    async def check_address(self, address: str | None) -> None:
        """Count one event of an address. Raises `RateError` where it has sent too many."""
        if self._of_addresses is not None and address is not None:
            self._check(self._by_address.take(network_of(address), self._of_addresses, 1), "your address")

    def count_more(self, address: str | None, events: int) -> None:
        """Count the other events of a request whose first one `check_address` has counted."""
        if self._of_addresses is not None and address is not None and events > 0:
            self._by_address.owe(network_of(address), self._of_addresses, events)

    async def check_source(self, source: Source, events: int) -> None:
        """Count events of a source. Raises `RateError` where it has sent too many."""
        limit = source.limit or self._of_sources
        if limit is not None:
            self._check(self._by_source.take(source.write_key, limit, events), "this source")

    def _check(self, wait: float, whose: str) -> None:
        if wait:
            self.refused += 1
            raise RateError(f"too many events came from {whose}: try again after Retry-After seconds", math.ceil(wait))
