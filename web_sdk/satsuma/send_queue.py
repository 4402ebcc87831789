"""The queue of events that wait to be sent, in order. Each operation takes constant time, however many events wait."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Event = dict[str, Any]


@dataclass(slots=True)
class QueuedEvent:
    """An event in the queue. Its JSON text is created once, so that every try sends the same.

    Attributes:
        size: bytes of `text`.
        attempts: how many tries failed. All those after which the collector asked to wait count as one.
        tries: how often it was sent.
        asked_to_wait: how often the collector asked to wait.
        backed_off: milliseconds that it has waited, or waits, for its next tries altogether.
        waited: the same for the waits that the collector has asked for.
        failed: called with the reason of each try that has failed, and whether it was the last one.
        due: the time in milliseconds before which the event is not sent.
        serial: a number that increases from event to event. Events that an earlier page has left have negative ones.
        most_together: the most events in a request with this one. It is smaller after such a request was refused.
    """

    event: Event
    text: str
    size: int
    attempts: int = 0
    tries: int = 0
    asked_to_wait: int = 0
    backed_off: float = 0
    waited: float = 0
    due: float = 0
    settle: Callable[[bool | None], None] | None = None
    failed: Callable[[str, str | None], None] | None = None
    serial: int = 0
    most_together: int = sys.maxsize


class SendQueue:
    """The queue, in the order of serial numbers. No event overtakes one that failed or waits for its batch to fill.

    Attributes:
        size: bytes of all events that wait.
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
        """The next event; None where the queue is empty."""
        return self._waiting[0] if self._waiting else None

    def company(self, now: float) -> tuple[int, int]:
        """Return how many events wait for their batch to fill, and their bytes."""
        while self._company and self._company[0].due <= now:
            self._company_size -= self._company.popleft().size
        return len(self._company), self._company_size

    def append(self, parcel: QueuedEvent, now: float) -> None:
        """Add an event at the end."""
        self._waiting.append(parcel)
        self.size += parcel.size
        if parcel.due > now:
            self._company.append(parcel)
            self._company_size += parcel.size

    def put_back(self, parcels: Iterable[QueuedEvent]) -> None:
        """Insert events where their serial numbers belong, which is usually at the front."""
        back = list(parcels)
        self.size += sum(parcel.size for parcel in back)
        last = max((parcel.serial for parcel in back), default=0)
        while back and self._waiting and self._waiting[0].serial < last:
            back.append(self._waiting.popleft())
        self._waiting.extendleft(sorted(back, key=lambda parcel: parcel.serial, reverse=True))

    def pop(self) -> QueuedEvent:
        """Remove and return the next event."""
        parcel = self._waiting.popleft()
        self.size -= parcel.size
        if self._company and self._company[0] is parcel:
            self._company.popleft()
            self._company_size -= parcel.size
        return parcel

    def flush(self) -> None:
        """Let all events go that wait for their batch to fill."""
        for parcel in self._company:
            parcel.due = 0
        self._company.clear()
        self._company_size = 0

    def take(self, now: float, max_bytes: int, count: int) -> list[QueuedEvent]:
        """Remove and return the events that are due, in order: at most `count` events of at most `max_bytes`.

        The first event is returned even if it is larger. No event is among more than its `QueuedEvent.most_together`.
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
