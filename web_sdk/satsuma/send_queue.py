"""Events that wait to be sent, in order, within bounds; every step costs the same however many wait."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Event = dict[str, Any]


@dataclass(slots=True)
class QueuedEvent:
    """An event on its way: its JSON text is made once, so that every try sends the same.

    Attributes:
        size: bytes of `text`.
        attempts: tries that failed; those after which the collector asked to wait count once.
        tries: times that it was sent.
        asked_to_wait: times that the collector asked to wait.
        due: milliseconds; the event is not sent before.
        serial: counts up from parcel to parcel; what an earlier page has left has one below zero.
        most_together: events of one request that this may be among; fewer after a request with it was refused.
    """

    event: Event
    text: str
    size: int
    attempts: int = 0
    tries: int = 0
    asked_to_wait: int = 0
    due: float = 0
    settle: Callable[[bool | None], None] | None = None
    serial: int = 0
    most_together: int = sys.maxsize


class SendQueue:
    """The waiting line, by serial number: nobody overtakes one who failed, or who waits for company.

    Attributes:
        size: bytes of all that waits.
    """

    def __init__(self) -> None:
        self.size = 0
        self._waiting: deque[QueuedEvent] = deque()
        self._company: deque[QueuedEvent] = deque()
        self._company_size = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[QueuedEvent]:
        return iter(self._waiting)

    @property
    def first(self) -> QueuedEvent | None:
        """Who is next."""
        return self._waiting[0] if self._waiting else None

    def company(self, now: float) -> tuple[int, int]:
        """Return how many wait for company, and their bytes."""
        while self._company and self._company[0].due <= now:
            self._company_size -= self._company.popleft().size
        return len(self._company), self._company_size

    def append(self, parcel: QueuedEvent, now: float) -> None:
        """Let a parcel wait behind all others."""
        self._waiting.append(parcel)
        self.size += parcel.size
        if parcel.due > now:
            self._company.append(parcel)
            self._company_size += parcel.size

    def put_back(self, parcels: Iterable[QueuedEvent]) -> None:
        """Let parcels wait where they belong, which is mostly before all others."""
        back = list(parcels)
        self.size += sum(parcel.size for parcel in back)
        last = max((parcel.serial for parcel in back), default=0)
        while back and self._waiting and self._waiting[0].serial < last:
            back.append(self._waiting.popleft())
        self._waiting.extendleft(sorted(back, key=lambda parcel: parcel.serial, reverse=True))

    def pop(self) -> QueuedEvent:
        """Take out whoever is next."""
        parcel = self._waiting.popleft()
        self.size -= parcel.size
        if self._company and self._company[0] is parcel:
            self._company.popleft()
            self._company_size -= parcel.size
        return parcel

    def flush(self) -> None:
        """Let everything that waits for company go."""
        for parcel in self._company:
            parcel.due = 0
        self._company.clear()
        self._company_size = 0

    def take(self, now: float, max_bytes: int, count: int) -> list[QueuedEvent]:
        """Take out what is due, in order: at most `count` parcels and, unless the first alone is more, `max_bytes`.

        None of them is among more than its `QueuedEvent.most_together`.
        """
        taken: list[QueuedEvent] = []
        size = 0
        while self._waiting and len(taken) < count:
            parcel = self._waiting[0]
            if parcel.due > now or (taken and size + parcel.size > max_bytes):
                break
            count = min(count, parcel.most_together)
            if len(taken) >= count:
                break
            taken.append(self._waiting.popleft())
            size += parcel.size + 1
        self.size -= sum(parcel.size for parcel in taken)
        self.company(now)
        return taken
