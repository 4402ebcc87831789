"""Times as events carry them."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache

EPOCH = datetime(1970, 1, 1)
"""In UTC, without saying so: a time without a zone is written in half the time."""


def iso_time(milliseconds: float) -> str:
    """Return milliseconds since 1970 as JavaScript's ``Date.toISOString`` does, ``2020-04-23T22:38:48.550Z``."""
    # Rounded, not cut: a time that went through seconds as a float may come back as 737.9999.
    seconds, rest = divmod(round(milliseconds), 1000)
    return f"{_second(seconds)}.{rest:03d}Z"


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    # Most times of a collector's day lie in the same few seconds.
    return (EPOCH + timedelta(seconds=seconds)).isoformat()
