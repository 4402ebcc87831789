"""Waits between the tries of work that is repeated until it succeeds: twice as long each time, up to a bound."""

from __future__ import annotations

import asyncio

from satsuma.backoff import backoff

FIRST_SECONDS, LONGEST_SECONDS = 0.5, 30.0
"""The first and the longest wait: short enough for a brief disturbance, and long enough for an outage of hours."""


class Backoff:
    """Counts the consecutive failures of one piece of work, and waits after each."""

    def __init__(self) -> None:
        self._failures = 0

    def reset(self) -> None:
        """Record a success: the wait after the next failure is the shortest again."""
        self._failures = 0

    async def wait(self) -> None:
        """Record a failure, and wait until it is time for the next try."""
        self._failures += 1
        await asyncio.sleep(backoff(self._failures, FIRST_SECONDS, LONGEST_SECONDS))
