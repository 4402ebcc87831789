"""Remembers which messageIds have been seen, in little memory, so that millions fit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RECENT = 1 << 16
"""How many keys are in a plain set before they become a sorted array, a run."""

LARGEST_RUN = 1 << 20

KEYS_AN_EVENT = 2

MOST = 12 * LARGEST_RUN * KEYS_AN_EVENT
"""The most keys that are remembered, with 8 bytes each. Beyond that, the oldest run is forgotten early."""

Keys = npt.NDArray[np.int64]


def keys_of(messages: Iterable[tuple[str, ...]]) -> list[int]:
    """Return a 64-bit key for each source and messageId, or source, messageId and content hash.

    Python's string hash depends on a secret of each process, so nobody can construct two ids that collide.
    """
    return [*map(hash, messages)]


@dataclass(slots=True)
class _Run:
    """A sorted array of keys, with the time of the newest in milliseconds."""

    keys: Keys
    newest: float


class MessageIds:
    """The keys of all messages within a window of time.

    New keys go into a small set. When it is full it becomes a sorted array, and arrays of similar size are merged. So
    the keys of a whole commit are looked up by a few binary searches.
    """

    def __init__(self, window: float, most: int = MOST) -> None:
        """Take the window in milliseconds, and the most keys to remember."""
        self._window = window
        self._most = most
        self._recent: set[int] = set()
        self._recent_at = 0.0
        self._runs: list[_Run] = []

    def __len__(self) -> int:
        return len(self._recent) + sum(len(run.keys) for run in self._runs)

    def unseen(self, keys: Sequence[int]) -> list[bool]:
        """Tell for each key whether it is new. Where a key occurs twice, only the first one counts as new."""
        fresh = [True] * len(keys)
        if len(set(keys)) < len(keys) or not self._recent.isdisjoint(keys):
            before: set[int] = set()
            for index, key in enumerate(keys):
                fresh[index] = key not in self._recent and key not in before
                before.add(key)
        if self._runs and keys:
            wanted = np.array(keys, dtype=np.int64)
            for seen in np.flatnonzero(self._in_runs(wanted)):
                fresh[seen] = False
        return fresh

    def _in_runs(self, wanted: Keys) -> npt.NDArray[np.bool_]:
        found = np.zeros(len(wanted), dtype=np.bool_)
        for run in self._runs:
            places = np.searchsorted(run.keys, wanted)
            places[places == len(run.keys)] = 0
            found |= run.keys[places] == wanted
        return found

    def remember(self, keys: Iterable[int], at: float) -> None:
        """Remember keys of messages that were kept at the time `at` (milliseconds), and forget those outside the
        window."""
        self._recent.update(keys)
        self._recent_at = max(self._recent_at, at)
        if len(self._recent) >= RECENT:
            self._settle()
        while self._runs and (self._runs[0].newest < at - self._window or len(self) > self._most):
            self._runs.pop(0)

    def _settle(self) -> None:
        run = _Run(np.sort(np.fromiter(self._recent, dtype=np.int64, count=len(self._recent))), self._recent_at)
        self._recent = set()
        self._runs.append(run)
        while len(self._runs) > 1 and self._alike(self._runs[-2], self._runs[-1]):
            newer, older = self._runs.pop(), self._runs.pop()
            merged = np.sort(np.concatenate((older.keys, newer.keys)), kind="stable")
            self._runs.append(_Run(merged, newer.newest))

    @staticmethod
    def _alike(older: _Run, newer: _Run) -> bool:
        return len(older.keys) <= 2 * len(newer.keys) and len(older.keys) + len(newer.keys) <= LARGEST_RUN
