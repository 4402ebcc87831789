"""Carries out the decisions of `Delivery` through a `Platform`. In the pipeline it is the destination
``Segment.io``."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from .clock import iso_time
from .completion import Waiters
from .delivery import Delivery, Request
from .outbox import RENEWAL, Outbox
from .platform import Platform
from .plugins import DELIVERY_NAME, Context, PluginFailure, PluginKind
from .send_queue import Event

CLAIM = "satsuma-claim"
"""Name of the lock under which a page takes over the events that others have left."""

FAILED_TRY = "Error sending event"
"""What an event's log says of each of its tries that has failed."""

MOST_LINES = 100
"""Lines of an event's log after which its tries are noted no longer."""

LATER_LOOK = 8_000
"""Milliseconds after which a page looks again for events that a killed page has left."""

STILL_HERE = 500
"""Milliseconds after which a page that was left, or hidden, has either ended or goes on."""

LATE = 60_000
"""Milliseconds after which an event that an earlier page has left counts as late. A shorter time is usual when a page
ends and the next one begins."""

WITHDRAWN = "consent withdrawn"
"""The reason for which events are dropped after consent was withdrawn."""


class Sender:
    """The destination that posts to the collector."""

    name = DELIVERY_NAME
    kind = PluginKind.DESTINATION

    def __init__(
        self,
        delivery: Delivery,
        platform: Platform,
        outbox: Outbox | None = None,
        metadata: Mapping[str, Any] | None = None,
        failed: Callable[[], Sequence[str]] = tuple,
        holds: Callable[[], bool] = lambda: False,
        dropped: Callable[[Context, str], object] = lambda context, why: None,
    ) -> None:
        """Take the delivery, and the platform that carries out its requests.

        Args:
            outbox: keeps unacknowledged events; None where nothing may be kept.
            metadata: ``_metadata`` of every event; None for none.
            failed: returns the names of the plugins that have failed to load so far.
            dropped: called with the context of each event that is dropped, and why.
            holds: tells whether events that aren't here yet must not go with the page either.
        """
        self._metadata = metadata
        self._failed_plugins = failed
        self._delivery = delivery
        self._platform = platform
        self.outbox = outbox
        self._holds = holds
        self._dropped = dropped
        self._waiters = Waiters(platform)
        self._cancel_timer: Callable[[], None] | None = None
        self._renewing = False
        self._failures = 0
        self._late = 0

    @property
    def troubles(self) -> dict[str, int]:
        """Problems so far: how many requests had to be repeated, and how many events of earlier pages were late."""
        return {"failed": self._failures, "late": self._late}

    @property
    def lost(self) -> dict[str, int]:
        """How many events were dropped so far, by reason, except for those dropped after consent was withdrawn."""
        return {reason: count for reason, count in self._delivery.dropped.items() if reason != WITHDRAWN}

    async def _send(self, context: Context) -> Context:
        if context.delivered:
            return context
        described = self._described(context)
        context.attempts += self._delivery.is_online
        waiter = self._waiters.for_one()
        settle = partial(self._settle, context, waiter)
        self._delivery.add(described, self._platform.now(), settle, failed=partial(self._note_failure, context))
        self.pump()
        await waiter
        return context

    track = identify = page = screen = group = alias = _send

    def _settle(self, context: Context, waiter: asyncio.Future[None], delivered: bool | None) -> None:
        context.delivered = delivered
        self._waiters.release(waiter)

    def _note_failure(self, context: Context, why: str, lost: str | None) -> None:
        if context.delivered is None and len(context.log) < MOST_LINES:
            if any(line.message == FAILED_TRY for line in context.log):
                context.attempts += 1
                context.note("debug", "plugin", plugin=DELIVERY_NAME)
            context.note_failure(PluginFailure(why), FAILED_TRY)
            if lost not in (None, why):
                context.note("debug", "plugin", plugin=DELIVERY_NAME)
        if lost is not None:
            context.failure = PluginFailure(lost)
            context.delivered = False
            self._dropped(context, lost)

    def _described(self, context: Context) -> Event:
        """Return the event with the ``_metadata`` of analytics.js, about its tries and about other destinations."""
        event = context.complete()
        metadata = dict(self._metadata or {})
        if context.attempts > 1:
            metadata["retryCount"] = context.attempts
        if failed := self._failed_plugins():
            metadata["failedInitializations"] = list(failed)
        return {**event, "_metadata": metadata} if metadata else event

    def pump(self) -> None:
        """Start the requests that are due, and set a timer for the next ones."""
        for request in self._delivery.requests(self._platform.now()):
            self._platform.send(request, partial(self._answered, request), partial(self._failed, request))
        if not self._delivery.under_way:
            self._waiters.release_all()
        self._waiters.reached(self._delivery.oldest())
        self._keep()
        self._schedule()

    async def flush(self) -> None:
        """Send everything that waits for its batch to fill, and wait until all events so far are acknowledged or
        dropped.

        Events that the browser was handed when the page was left have no answer. Where the page goes on all the same,
        and wants to know, they are sent again.
        """
        self._delivery.flush()
        self.pump()
        if self._delivery.has_handed:
            # Not at once: a page that flushes at its very end has no room for them a second time.
            self._platform.call_later(STILL_HERE, self._send_handed_again)
        await self._waiters.for_all(self._delivery.newest, self._delivery.oldest())

    def _send_handed_again(self) -> None:
        self._delivery.recall_handed()
        self.pump()

    def online(self, value: bool) -> None:
        """Record whether the network is available."""
        self._delivery.online(value)
        self.pump()
        if value:
            self.take_over()

    # The page's life

    def take_over(self, *, look_again: bool = False) -> None:
        """Send events that pages have left which are gone."""
        if self.outbox is None:
            return
        self._platform.exclusively(CLAIM, self._take_over)
        if look_again:
            self._platform.call_later(LATER_LOOK, self.take_over)

    def _take_over(self) -> None:
        if self.outbox is None:
            return
        now = self._platform.now()
        events = self.outbox.take_orphans(now)
        if events:
            self._late += sum(_is_late(event, now) for event in events)
            self._delivery.recover(events)
            self.pump()

    def leave(self) -> None:
        """Send everything by requests that outlive the page, as far as possible, and leave the rest to the next
        page."""
        now = self._platform.now()
        requests = deque(self._delivery.leave(now))
        room = True
        while requests:
            request = requests.popleft()
            if room and self._platform.send_last(request):
                self._delivery.handed(request.id)
            elif room and (halves := self._delivery.halve(request.id, now)):
                requests.extendleft(reversed(halves))
            else:
                # A browser that refuses a single event has no room for others either.
                room = False
                self._delivery.failed(request.id, now)
        self._waiters.release_all()
        self._waiters.reached(self._delivery.oldest())
        self._keep(leaving=True)

    def come_back(self) -> None:
        """Continue after `leave`: the page was only hidden, or it was restored from the browser's cache."""
        if self.outbox is not None and self.outbox.was_taken():
            self.outbox.disown()
            self._delivery.surrender()
        self._delivery.recall()
        self.pump()

    def forget(self) -> None:
        """From now on, keep nothing for the time after the page."""
        self._waiters.reached(self._delivery.oldest())
        if self.outbox is not None:
            self.outbox.write((), self._platform.now())
            self.outbox = None

    def look_at_held(self) -> None:
        """Tell the platform whether the page's end matters: what `holds` tells has changed."""
        self._platform.waits(bool(self._delivery.unconfirmed()) or self._holds())

    def _keep(self, *, leaving: bool = False) -> None:
        texts = self._delivery.unconfirmed()
        self._platform.waits(bool(texts) or self._holds())
        if self.outbox is None:
            return
        self.outbox.write(texts, self._platform.now(), leaving=leaving)
        if texts and not self._renewing and not leaving:
            self._renewing = True
            self._platform.call_later(RENEWAL, self._renew)

    def _renew(self) -> None:
        self._renewing = False
        self._keep()

    def _answered(self, request: Request, status: int, retry_after: float | None) -> None:
        self._failures += self._delivery.retries(status)
        self._delivery.answered(request.id, status, self._platform.now(), retry_after)
        self.pump()

    def _failed(self, request: Request) -> None:
        self._failures += 1
        self._delivery.failed(request.id, self._platform.now())
        self.pump()

    def _schedule(self) -> None:
        if self._cancel_timer is not None:
            self._cancel_timer()
            self._cancel_timer = None
        due = self._delivery.next_due()
        if due is not None:
            # At least 20 ms, so that a clock that doesn't advance can't cause a busy loop.
            self._cancel_timer = self._platform.call_later(max(due - self._platform.now(), 20), self.pump)


def _is_late(event: Event, now: float) -> bool:
    """Tell whether an event is older than `LATE`, by its timestamp in our format."""
    made = event.get("timestamp")
    return isinstance(made, str) and made < iso_time(now - LATE)
