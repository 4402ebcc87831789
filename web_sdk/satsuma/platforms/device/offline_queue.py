"""The collector as the core's destination: events go onto the disk, and to the thread that sends them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from satsuma.omissions import Omissions
from satsuma.platforms.cpython.error_reporter import ErrorReporter
from satsuma.platforms.cpython.event_text import to_text
from satsuma.platforms.cpython.worker import Worker
from satsuma.plugins import DELIVERY_NAME, Context, PluginKind
from satsuma.send_queue import Event

from .journal import Journal, Place


class OfflineQueue:
    """The destination ``Segment.io`` of a device.

    Attributes:
        recovered: how many events of dead processes were taken over.
    """

    name = DELIVERY_NAME
    kind = PluginKind.DESTINATION

    def __init__(
        self, journal: Journal, worker: Worker, complaints: ErrorReporter, keep_ids: Callable[[], None]
    ) -> None:
        """Take the journal on disk, and the thread that sends.

        Args:
            keep_ids: writes the ids, which must be on disk before an event that has them: whoever goes on after a crash
                has to be the same.
        """
        self._keep_ids = keep_ids
        self._journal = journal
        self._worker = worker
        self._complaints = complaints
        self.recovered = 0
        self._left: list[Event] = []

    def _send(self, context: Context) -> Context:
        event = context.complete()
        omissions = Omissions()
        text = to_text(event, omissions)
        if omissions:
            self._complaints.shortened(str(event.get("type")), omissions)
        self._keep_ids()
        settle = partial(self._settle, self._journal.append(text), event)
        if not self._worker.put(event, text, settle):
            settle(None)  # The client was closed meanwhile: the next process sends it.
        return context

    track = identify = page = screen = group = alias = _send

    def _settle(self, place: Place | None, event: Event, delivered: bool | None) -> None:
        if place is not None and delivered is not None:
            self._journal.settle(place)
        elif place is None and delivered is None:
            # The queue's lock is held, so that nobody can be told of it here.
            self._left.append(event)

    def take_over(self) -> None:
        """Queue what dead processes have left."""
        found, dropped = self._journal.take_over()
        self.recovered += len(found)
        for event, text, place in found:
            self._worker.put(event, text, partial(self._settle, place, event))
        if dropped:
            self._complaints.dropped("not recovered", f"{dropped} events on disk were broken or too many", [])

    def hurry(self) -> None:
        """Send what waits for its batch to fill."""
        self._worker.flush(0)

    def report_left(self) -> None:
        """Report events that end with this process, since the disk has not taken them."""
        left, self._left = self._left, []
        if left:
            self._complaints.dropped("closed", "the disk has not taken them", left)

    def abandon(self, reason: str) -> None:
        """Drop everything that isn't acknowledged."""
        self._worker.abandon(reason)
        self._journal.clear()
