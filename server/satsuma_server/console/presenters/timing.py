"""Computes from an event's four times how long it waited and how wrong the sender's clock is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from satsuma_server.times import parse_time

LATE_MS = 60_000
"""An event that waited longer was kept in the browser, because the network or the visitor was gone."""

SKEW_MS = 5_000
"""A smaller difference of clocks may be just the time on the network."""


@dataclass(frozen=True, slots=True)
class Journey:
    """The times of an event on its way to the collector, in milliseconds since 1970.

    Attributes:
        made: when the call was made, by the sender's clock.
        sent: when it was sent, by the sender's clock.
        received: when it was received, by the collector's clock.
        happened: when the call was made, by the collector's clock, as far as it can be computed.
        waited: milliseconds between the call and the sending.
        skew: by how many milliseconds the sender's clock is ahead. It includes the time on the network.
    """

    made: float
    sent: float
    received: float
    happened: float

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Journey:
        """Read an event's times."""
        names = ("originalTimestamp", "sentAt", "receivedAt", "timestamp")
        made, sent, received, happened = (parse_time(event.get(name)) for name in names)
        received = received or 0.0
        sent = sent if sent is not None else received
        made = made if made is not None else sent
        return cls(made, sent, received, happened if happened is not None else received)

    @property
    def waited(self) -> float:
        return max(0.0, self.sent - self.made)

    @property
    def skew(self) -> float:
        return self.made - self.happened

    @property
    def is_late(self) -> bool:
        """Whether it waited for more than `LATE_MS`."""
        return self.waited > LATE_MS

    @property
    def is_skewed(self) -> bool:
        """Whether the sender's clock is wrong by more than `SKEW_MS`."""
        return abs(self.skew) > SKEW_MS
