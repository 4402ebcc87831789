"""Limits how many identifiers from one address may join a person within an hour, so that strangers can't use up
places."""

from __future__ import annotations

from collections import Counter

MOST_COUNTED = 100_000
"""The most pairs of a person and an address that are counted in an hour. Beyond that, counting begins again."""

Place = tuple[int, str]


class LinkRate:
    """Counts the new links of each hour. The counts are in memory, so they begin again after a restart."""

    def __init__(self, most: int | None) -> None:
        """Take the most new links that a userId may get from one address within an hour; None for no limit."""
        self._most = most
        self._hour = ""
        self._counts: Counter[Place] = Counter()

    def allows(self, user: int, address: str | None, hour: str) -> bool:
        """Count a link to a user's node from an address, and tell whether it is allowed.

        Args:
            hour: the hour of ``receivedAt``, such as ``2026-11-24T12``.
        """
        if self._most is None or address is None:
            return True
        if hour != self._hour or len(self._counts) >= MOST_COUNTED:
            self._hour = hour
            self._counts.clear()
        self._counts[user, address] += 1
        return self._counts[user, address] <= self._most

    def is_first_refused(self, user: int, address: str | None) -> bool:
        """Tell whether the link that was just counted is the first refused one of its hour. One warning is enough."""
        return self._most is not None and self._counts[user, address or ""] == self._most + 1
