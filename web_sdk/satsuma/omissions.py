"""What an event had to do without, so that whoever made the call hears of it in one line."""

from __future__ import annotations

MOST_NAMED = 5
"""Places that are named; a hostile value could have thousands."""

LONGEST_PATH = 100
"""Characters of a place that are told; a member's name can be as long as a text."""


class Omissions:
    """The places of values that were left out, each with the reason."""

    def __init__(self) -> None:
        self._named: list[str] = []
        self.count = 0

    def add(self, path: str, reason: str) -> None:
        """Take note of one.

        Args:
            path: where it was, in JavaScript's dotted form (``.properties.orders[2]``).
            reason: what is wrong with it, as ``holds itself``.
        """
        self.count += 1
        if len(self._named) < MOST_NAMED:
            place = path if len(path) <= LONGEST_PATH else f"{path[:LONGEST_PATH]}…"
            self._named.append(f"{place or 'the value'} ({reason})")

    def __bool__(self) -> bool:
        return self.count > 0

    def __str__(self) -> str:
        more = self.count - len(self._named)
        return ", ".join(self._named) + (f" and {more} more" if more else "")
