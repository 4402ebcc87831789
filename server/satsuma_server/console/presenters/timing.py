"""What an event's four times tell of its way here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from satsuma_server.times import parse_time

LATE_MS = 60_000
"""An event that waited longer in the page was kept there: the network was gone, or the visitor was."""

SKEW_MS = 5_000
"""Differences of clocks below this may as well be the way."""


@dataclass(frozen=True, slots=True)
class Journey:
    """An event's way, in milliseconds; times are since 1970.

    Attributes:
        made: when the call was made, by the sender's clock.
        sent: when it was sent, by the sender's clock.
        received: by ours.
        happened: when the call was made, by our clock as well as it can be told.
        waited: from call to sending.
        skew: how far the sender's clock is ahead, as the collector has corrected it; what the network took is in it.
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
        """Tell whether it was kept for a while before it was sent."""
        return self.waited > LATE_MS

    @property
    def is_skewed(self) -> bool:
        """Tell whether the sender's clock is wrong."""
        return abs(self.skew) > SKEW_MS
