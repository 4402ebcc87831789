"""Formats times for events."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache

EPOCH = datetime(1970, 1, 1)
"""In UTC, but without a time zone, which makes formatting twice as fast."""


def iso_time(milliseconds: float) -> str:
    """Return milliseconds since 1970 in the form of JavaScript's ``Date.toISOString``: ``2020-04-23T22:38:48.550Z``."""
    # Rounded and not truncated, since a time that was converted to seconds and back may be 737.9999.
    seconds, rest = divmod(round(milliseconds), 1000)
    return f"{_second(seconds)}.{rest:03d}Z"


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    # Most times that a collector formats are within the same few seconds, so results are cached.
    return (EPOCH + timedelta(seconds=seconds)).isoformat()
