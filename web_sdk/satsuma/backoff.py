"""How long to wait before a failed try is repeated: twice as long each time, up to a bound."""

from __future__ import annotations

MOST_DOUBLINGS = 64
"""With so many, every bound is reached. 2.0 ** 1024 would be an OverflowError."""


def backoff(failures: int, first: float, longest: float) -> float:
    """Return how long to wait after so many failures in a row.

    Args:
        failures: 1 after the first one.
        first: the wait after it, in any unit.
        longest: the longest wait, in the same unit.
    """
    return min(first * 2.0 ** min(failures - 1, MOST_DOUBLINGS), longest)
