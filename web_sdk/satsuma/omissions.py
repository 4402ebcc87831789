"""Collects values that were left out of an event, so that one line can report them to the author of the call."""

from __future__ import annotations

MOST_NAMED = 5
"""The most places that are named. A hostile value could have thousands."""

LONGEST_PATH = 100
"""The most characters of a place that are shown. A name can be as long as any text."""


class Omissions:
    """The places of values that were left out, each with the reason."""

    def __init__(self) -> None:
        self._named: list[str] = []
        self.count = 0

    def add(self, path: str, reason: str) -> None:
        """Add a value that was left out.

        Args:
            path: where it was, in JavaScript's dotted form (``.properties.orders[2]``).
            reason: what is wrong with it, for example ``holds itself``.
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
