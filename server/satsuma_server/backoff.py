"""Waits between the tries of work that must succeed sooner or later: twice as long each time, up to a bound."""

from __future__ import annotations

import asyncio

from satsuma.backoff import backoff

FIRST_SECONDS, LONGEST_SECONDS = 0.5, 30.0
"""The first wait and the longest one: soon enough for a hiccup, seldom enough for an outage of hours."""


class Backoff:
    """The failures in a row of one piece of work."""

    def __init__(self) -> None:
        self._failures = 0

    def reset(self) -> None:
        """Take note of a success: the next failure is the first one again."""
        self._failures = 0

    async def wait(self) -> None:
        """Take note of a failure, and wait until it is time for the next try."""
        self._failures += 1
        await asyncio.sleep(backoff(self._failures, FIRST_SECONDS, LONGEST_SECONDS))
