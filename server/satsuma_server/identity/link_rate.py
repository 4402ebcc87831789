"""How fast identifiers may join a person: a limit by time and address, so that no stranger uses up a person's own."""

from __future__ import annotations

from collections import Counter

MOST_COUNTED = 100_000
"""Pairs of a person and an address that are counted in an hour; beyond, counting begins anew."""

Place = tuple[int, str]


class LinkRate:
    """Counts new links by the hour. It is kept in memory: after a restart an hour begins anew."""

    def __init__(self, most: int | None) -> None:
        """Take how many new links a userId may get from one address within an hour; None for any number."""
        self._most = most
        self._hour = ""
        self._counts: Counter[Place] = Counter()

    def allows(self, user: int, address: str | None, hour: str) -> bool:
        """Count a link of a user's node from an address, and tell whether it may be made.

        Args:
            hour: of ``receivedAt``, as ``2026-11-24T12``.
        """
        if self._most is None or address is None:
            return True
        if hour != self._hour or len(self._counts) >= MOST_COUNTED:
            self._hour = hour
            self._counts.clear()
        self._counts[user, address] += 1
        return self._counts[user, address] <= self._most

    def is_first_refused(self, user: int, address: str | None) -> bool:
        """Tell whether the link just counted is the first of its hour that may not be made: one warning is enough."""
        return self._most is not None and self._counts[user, address or ""] == self._most + 1
