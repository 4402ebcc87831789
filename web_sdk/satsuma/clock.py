"""Times as events carry them."""

from __future__ import annotations

from datetime import UTC, datetime


def iso_time(milliseconds: float) -> str:
    """Return milliseconds since 1970 as JavaScript's ``Date.toISOString`` does, ``2020-04-23T22:38:48.550Z``."""
    moment = datetime.fromtimestamp(int(milliseconds) // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{int(milliseconds) % 1000:03d}Z"
