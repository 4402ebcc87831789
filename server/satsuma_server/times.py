"""Converts the times in events into milliseconds since 1970."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EARLIEST, LATEST = -62_135_596_800_000, 253_402_300_799_999
"""The beginning of the year 1 and the end of 9999. A time in another time zone may be outside of them in UTC, where
Python can't represent it."""


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


MILLISECOND = timedelta(milliseconds=1)


AHEAD = 60_000
"""Milliseconds that an imported timestamp may be ahead of this machine's clock. Two correct clocks differ by less."""


def parse_time(value: object) -> float | None:
    """Return an ISO 8601 text, or a number of milliseconds, as milliseconds since 1970; None for anything else."""
    if type(value) is not str:
        milliseconds = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    else:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
        milliseconds = ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH) / MILLISECOND
    return milliseconds if milliseconds is not None and EARLIEST <= milliseconds <= LATEST else None
