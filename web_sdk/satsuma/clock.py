"""Formats times for events, and reads the times that callers give."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache

EPOCH = datetime(1970, 1, 1)
"""In UTC, but without a time zone, which makes formatting twice as fast."""


MILLISECONDS_FROM = 100_000_000_000
"""As seconds it is the year 5138, as milliseconds 1973."""


def read_time(moment: object) -> str:
    """Return the time of a call as events have it.

    Args:
        moment: an ISO 8601 text, which is returned as it is (the collector takes one without a zone as UTC); or a
            number of seconds since 1970. A number of `MILLISECONDS_FROM` and more is milliseconds.

    Raises:
        ValueError: it is no time, or not within the years 1 to 9999.
    """
    if isinstance(moment, str):
        datetime.fromisoformat(moment)  # As the collector reads it.
        return moment
    if not isinstance(moment, int | float) or isinstance(moment, bool):
        raise ValueError(f"{type(moment).__name__} is no time")
    try:
        return iso_time(moment if abs(moment) >= MILLISECONDS_FROM else moment * 1000)
    except OverflowError:
        raise ValueError("it is not within the years 1 to 9999") from None


def iso_time(milliseconds: float) -> str:
    """Return milliseconds since 1970 in the form of JavaScript's ``Date.toISOString``: ``2020-04-23T22:38:48.550Z``."""
    # Rounded and not truncated, since a time that was converted to seconds and back may be 737.9999.
    seconds, rest = divmod(round(milliseconds), 1000)
    return f"{_second(seconds)}.{rest:03d}Z"


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    # Most times that a collector formats are within the same few seconds, so results are cached.
    return (EPOCH + timedelta(seconds=seconds)).isoformat()
