"""When a destination may get its next request: its rate limit, and how long it has asked to be left alone.

Sans-I/O: a caller says what time it is, and is told how long to wait.
"""

from __future__ import annotations

from .lane import LONGEST_RETRY_AFTER

SMALLEST = 1e-6
"""Room that is missing and is less than this is taken to be there, since sums of fractions are not exact."""

BURST_SECONDS = 1.0
"""For how many seconds' worth of events a rest makes up."""


class Throttle:
    """A token bucket of events, which can be closed for a while."""

    def __init__(self, rate: float | None) -> None:
        """Take the most events a second; None for no limit."""
        self._rate = rate
        self._room = 0.0 if rate is None else max(1.0, rate * BURST_SECONDS)
        self._most = self._room
        self._at: float | None = None
        self._closed_until = 0.0

    def close(self, seconds: float, now: float) -> None:
        """Let nothing through for so many seconds, since the destination has asked for it."""
        self._closed_until = max(self._closed_until, now + min(seconds, LONGEST_RETRY_AFTER))

    def open(self) -> None:
        """Let requests through again, though the destination has asked to be left alone."""
        self._closed_until = 0.0

    def take(self, count: int, now: float) -> float:
        """Take room for `count` events, and return 0; or return how many seconds to wait before asking again.

        A request of more events than there ever is room for goes when the bucket is full, and the next ones wait for
        the debt.
        """
        if now < self._closed_until:
            return self._closed_until - now
        if self._rate is None:
            return 0.0
        if self._at is not None:
            self._room = min(self._most, self._room + (now - self._at) * self._rate)
        self._at = now
        if self._room < (wanted := min(count, self._most)) - SMALLEST:
            return (wanted - self._room) / self._rate
        self._room -= count
        return 0.0
