"""Times as events carry them, read into milliseconds since 1970."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EARLIEST, LATEST = -62_135_596_800_000, 253_402_300_799_999
"""The years 1 and 9999: a time of a far time zone may lie beyond them in UTC, and can't be told."""


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


MILLISECOND = timedelta(milliseconds=1)


AHEAD = 60_000
"""Milliseconds that an imported timestamp may be ahead of this machine's clock: two good clocks differ by less."""


def parse_time(value: object) -> float | None:
    """Return milliseconds since 1970 of an ISO 8601 text or a number of milliseconds; None for anything else."""
    if type(value) is not str:
        milliseconds = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    else:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
        milliseconds = ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH) / MILLISECOND
    return milliseconds if milliseconds is not None and EARLIEST <= milliseconds <= LATEST else None
