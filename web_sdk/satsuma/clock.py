"""Times as events carry them."""

from __future__ import annotations

from datetime import UTC, datetime


def iso_time(milliseconds: float) -> str:
    """Return milliseconds since 1970 as JavaScript's ``Date.toISOString`` does, ``2020-04-23T22:38:48.550Z``."""
    # Rounded, not cut: a time that went through seconds as a float may come back as 737.9999.
    seconds, rest = divmod(round(milliseconds), 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"
