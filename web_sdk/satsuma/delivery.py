"""Delivery of events to the collector, as a state machine without I/O and without a clock.

A platform reports what happens (an event, an answer, a failure, the passing of time) and carries out the requests that
are returned. So every order of these can be tested without a browser.

Source: analytics-next's segmentio plugin (single sends by default, batching as an option, which answers are tried
again) with this project's bounds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .backoff import backoff
from .clock import iso_time
from .codec import to_json
from .delivery_options import DeliveryOptions
from .errors import EventError
from .fitting import fitted
from .omissions import Omissions
from .payloads import batch_body, single_body
from .send_queue import Event, QueuedEvent, SendQueue
from .validation import MAX_EVENT_BYTES, check_event

MAX_KEEPALIVE_BYTES = 60 * 1024
"""Browsers refuse keepalive requests and beacons whose bodies exceed 64 KB together. The rest is left for headers."""

MAX_COPIED_BYTES = MAX_KEEPALIVE_BYTES // 4
"""The most bytes of events in running requests that are sent again when the page ends, out of the same limit."""

RETRY_NOTE_BYTES = 64
"""The most bytes that ``retryCount`` adds to an event."""

DIVISIBLE_STATUS = frozenset({400, 413, 422})
"""Statuses with which a collector or a proxy refuses a request because of one event. The others may be acceptable."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request to carry out.

    Attributes:
        id: identifies the request when its answer is reported.
        path: the path below the collector's ``/v1``.
        body: the body as JSON text.
        attempt: how often an event of it was sent before; 0 for the first try.
        keepalive: whether the body is small enough for the request to outlive the page.
    """

    id: int
    path: str
    body: str
    attempt: int
    keepalive: bool


@dataclass(slots=True)
class DeliveryReport:
    """The numbers of events by what has happened to them.

    Attributes:
        queued: events that wait.
        inflight: events in requests that have no answer yet.
        handed: events that were sent by a beacon when the page was hidden or left, whose answer nobody hears.
        sent: events that the collector has acknowledged.
        retried: how often an event was sent again.
        recovered: events that an earlier page had left.
        dropped: events that were dropped, by reason.
    """

    queued: int = 0
    inflight: int = 0
    handed: int = 0
    sent: int = 0
    retried: int = 0
    recovered: int = 0
    dropped: dict[str, int] = field(default_factory=dict)


class Delivery:
    """The queue of one page, or of one client on a server."""

    def __init__(
        self,
        write_key: str,
        options: DeliveryOptions,
        random: Callable[[], float],
        warn: Callable[[str], None],
        lost: Callable[[Event, str, str], None] | None = None,
    ) -> None:
        """Start empty.

        Args:
            write_key: the write key of the events' source.
            random: returns a random number in [0, 1), for the jitter.
            warn: called with a line for the console.
            lost: called with each event that is dropped, the reason in a few words, and the details.
        """
        self._write_key = write_key
        self._options = options
        self._random = random
        self._warn = warn
        self._lost = lost
        self._waiting = SendQueue()
        self._inflight: dict[int, list[QueuedEvent]] = {}
        self._handed: list[QueuedEvent] = []
        self._copied: dict[int, list[QueuedEvent]] = {}
        self._next_request = 1
        self.newest = 0
        """Serial number of the event that was queued last."""
        self._earliest = 0
        self._paused_until = 0.0
        self._online = True
        self._left = False
        self._sent = 0
        self._retried = 0
        self._recovered = 0
        self._dropped: Counter[str] = Counter()

    def add(
        self,
        event: Event,
        now: float,
        settle: Callable[[bool | None], None] | None = None,
        *,
        text: str | None = None,
        failed: Callable[[str, str | None], None] | None = None,
    ) -> None:
        """Queue one event.

        Args:
            event: the event, without ``sentAt`` and ``writeKey``.
            now: milliseconds of a clock that is never set back, which must be the same in all calls.
            settle: called once: with True when the collector has acknowledged the event, with False when it was
                dropped, and with None when another page sends it from now on.
            text: the event's JSON, if the caller has it already.
            failed: called with the reason of each try that has failed, and with the reason for which the event is
                dropped; None where it is tried again.
        """
        parcel = self._packed(event, text, settle, failed)
        if parcel is None:
            return
        if self._may_wait(parcel, now):
            parcel.due = now + self._options.batch_wait
        else:
            self.flush()
        self.newest = parcel.serial = self.newest + 1
        self._waiting.append(parcel, now)
        self._recall_handed()
        self._keep_bounds()

    def _may_wait(self, parcel: QueuedEvent, now: float) -> bool:
        """Tell whether an event may wait for its batch to fill. A batch that has no room for it is sent first."""
        company, size = self._waiting.company(now)
        if size + company + parcel.size > self._options.full_batch:
            self.flush()
            company = 0
        return company + 1 < self._options.batch_size and not self._left

    def _packed(
        self,
        event: Event,
        text: str | None,
        settle: Callable[[bool | None], None] | None = None,
        failed: Callable[[str, str | None], None] | None = None,
    ) -> QueuedEvent | None:
        """Return the event as it will be sent. Where the collector would refuse it, drop it and return None."""
        try:
            check_event(event)
        except EventError as error:
            # The collector makes the same checks.
            self._drop(QueuedEvent(event, "", 0, settle=settle, failed=failed), "invalid", str(error))
            return None
        text = to_json(event) if text is None else text
        parcel = QueuedEvent(event, text, len(text.encode()), settle=settle, failed=failed)
        if parcel.size > MAX_EVENT_BYTES:
            self._shorten(parcel)
        if parcel.size > MAX_EVENT_BYTES:
            self._drop(parcel, "too large", f"{parcel.size} bytes, the limit is {MAX_EVENT_BYTES}")
            return None
        return parcel

    def _shorten(self, parcel: QueuedEvent) -> None:
        """Leave out the largest values of an event that is too large."""
        omissions = Omissions()
        parcel.event = fitted(parcel.event, omissions)
        parcel.text = to_json(parcel.event)
        parcel.size = len(parcel.text.encode())
        if parcel.size <= MAX_EVENT_BYTES:
            self._warn(f"Event {parcel.event.get('messageId')} was too large and goes without {omissions}.")

    def flush(self) -> None:
        """Send everything now that waits for its batch to fill. Events that wait after a failure keep waiting."""
        self._waiting.flush()

    def clear(self, reason: str) -> None:
        """Drop everything that waits."""
        while self._waiting:
            self._forget(self._waiting.pop(), reason)

    def abandon(self, reason: str) -> None:
        """Drop everything that isn't acknowledged. Events in running requests are not sent again if these fail."""
        for parcel in self._unacknowledged():
            self._forget(parcel, reason)
        self._handed = []
        self._inflight.clear()
        self.clear(reason)

    @property
    def is_online(self) -> bool:
        """Whether the network is available, as last reported by `online`."""
        return self._online

    def online(self, value: bool) -> None:
        """Report whether the network is available. Without it nothing is sent."""
        self._online = value

    def requests(self, now: float, sent_at: float | None = None) -> list[Request]:
        """Return the requests to carry out now.

        Args:
            sent_at: milliseconds since 1970 for the events' ``sentAt``; None means `now`.
        """
        ready: list[Request] = []
        first = self._waiting.first
        if first is not None and 0 < first.due <= now:
            # When the first event has waited long enough, all others are sent with it.
            self.flush()
        while self._may_send(now, len(self._inflight)):
            drain = self._alone and len(self._waiting) > self._options.drain_from
            # In the page, a batch that is tried again takes along whatever has come meanwhile, as in analytics.js.
            again = self._options.batches and first is not None and first.tries > 0
            count = self._options.drain_size if drain or again else self._options.batch_size
            parcels = self._waiting.take(now, self._options.full_batch, count)
            if not parcels:
                break
            ready.append(self._request(parcels, now if sent_at is None else sent_at, batch=drain))
        return ready

    def leave(self, now: float) -> list[Request]:
        """Return requests for everything that waits, small enough to outlive the page. Their answers may never arrive.

        The first one repeats the events of running requests: should these fail now, later events must not arrive before
        them. The collector keeps each event once.
        """
        self._left = True
        self.flush()
        for parcel in self._waiting:
            parcel.due = 0
        before, self._copied = self._copies(), {}
        room = MAX_KEEPALIVE_BYTES - 2 * sum(parcel.size + 1 for parcel in before)
        ready = []
        while parcels := self._waiting.take(now, room, self._options.max_queue):
            ready.append(self._last_request(parcels, now, before))
            before, room = [], MAX_KEEPALIVE_BYTES
        return ready

    def halve(self, request_id: int, now: float) -> list[Request]:
        """Split a request of `leave` that the browser refused into two; return none for a request with a single
        event."""
        parcels, before = self._inflight[request_id], self._copied[request_id]
        if len(parcels) == 1:
            return []
        del self._inflight[request_id]
        half = len(parcels) // 2
        return [self._last_request(parcels[:half], now, before), self._last_request(parcels[half:], now, [])]

    def _last_request(self, parcels: list[QueuedEvent], now: float, before: list[QueuedEvent]) -> Request:
        request = self._request(parcels, now, batch=True, before=before)
        self._copied[request.id] = before
        return request

    def _copies(self) -> list[QueuedEvent]:
        """Return the events of running requests, unless they are too large to be sent a second time."""
        parcels = self._under_way()
        return parcels if _small_enough_twice(parcels) else []

    def _under_way(self) -> list[QueuedEvent]:
        return [parcel for parcels in self._inflight.values() for parcel in parcels]

    def handed(self, request_id: int) -> None:
        """Record that the browser has accepted a request of `leave`, whose answer nobody will hear."""
        self._handed += self._inflight.pop(request_id, [])

    @property
    def has_handed(self) -> bool:
        """Whether there are events of beacons, whose answers nobody hears."""
        return bool(self._handed)

    def _unacknowledged(self) -> list[QueuedEvent]:
        """Return the events that were sent and have no answer, in order."""
        return sorted([*self._handed, *self._under_way()], key=lambda parcel: parcel.serial)

    def recall(self) -> None:
        """Send all events again that have no answer: the page is back, and answers in the meantime were not heard.

        The collector keeps each event once, however often it is sent.
        """
        self._left = False
        unheard = self._unacknowledged()
        self._inflight.clear()
        self._handed = []
        for parcel in unheard:
            parcel.due = 0
        self._waiting.put_back(unheard)
        self._retried += len(unheard)

    def _recall_handed(self) -> None:
        """Send events of beacons again, which may have been lost, before new events of the hidden page."""
        if self._handed and _small_enough_twice(self._handed):
            self.recall_handed()

    def recall_handed(self) -> None:
        """Send the events of beacons again, whose answers nobody has heard. `recall` does so for all events that were
        sent."""
        self._waiting.put_back(self._handed)
        self._retried += len(self._handed)
        self._handed = []

    def recover(self, events: Iterable[Event]) -> None:
        """Queue events that an earlier page has left, before those of this page."""
        events = list(events)
        self._recovered += len(events)
        recovered = [parcel for event in events if (parcel := self._packed(event, None)) is not None]
        self._earliest -= len(recovered)
        for serial, parcel in enumerate(recovered, self._earliest):
            parcel.serial = serial
        self._waiting.put_back(recovered)
        self._keep_bounds()

    def unconfirmed(self) -> list[str]:
        """Return the JSON text of every event that the collector hasn't acknowledged, in order."""
        return [parcel.text for parcel in (*self._unacknowledged(), *self._waiting)]

    def surrender(self) -> None:
        """Forget all unacknowledged events, because another page has taken them over."""
        for parcel in (*self._unacknowledged(), *self._waiting):
            self._settle(parcel, None)
        self._handed = []
        self._inflight.clear()
        self._waiting = SendQueue()

    def answered(self, request_id: int, status: int, now: float, retry_after: float | None = None) -> None:
        """Report the collector's answer to a request.

        Args:
            status: HTTP status.
            retry_after: milliseconds that the answer asks to wait; None where it doesn't.
        """
        parcels = self._inflight.pop(request_id, [])
        if status < 300:
            self._sent += len(parcels)
            for parcel in parcels:
                self._settle(parcel, True)
        elif self._options.retries(status):
            pause = self._options.pause(status, retry_after)
            kind = "Retryable error" if pause is None else "Rate limit exceeded"
            self._retry(parcels, now, pause, f"{kind}: {status}")
        elif status in DIVISIBLE_STATUS and len(parcels) > 1:
            self._divide(parcels)
        else:
            for parcel in parcels:
                told = f"Non-retryable error: {status}"
                self._drop(parcel, f"refused {status}", f"the collector answered {status}", told)

    def retries(self, status: int) -> bool:
        """Tell whether events are tried again after an answer with this status."""
        return self._options.retries(status)

    def failed(self, request_id: int, now: float) -> None:
        """Report that a request got no answer."""
        self._retry(self._inflight.pop(request_id, []), now, None, "the collector can't be reached")

    def next_due(self) -> float | None:
        """Return the time, in milliseconds, at which `requests` will return new requests; None for never."""
        first = self._waiting.first
        if first is None or not self._online or len(self._inflight) >= self._options.max_inflight:
            return None
        return max(first.due, self._paused_until)

    @property
    def under_way(self) -> bool:
        """Whether a request waits for its answer."""
        return bool(self._inflight)

    def oldest(self) -> int | None:
        """Return the serial number of the oldest event without an answer; None where there is none."""
        first = self._waiting.first
        serials = [parcels[0].serial for parcels in (*self._inflight.values(), self._handed) if parcels]
        return min([*serials, *([first.serial] if first else [])], default=None)

    @property
    def dropped(self) -> Mapping[str, int]:
        """How many events were dropped so far, by reason."""
        return self._dropped

    def report(self) -> DeliveryReport:
        """Return the report on all events so far."""
        inflight = sum(map(len, self._inflight.values()))
        return DeliveryReport(
            queued=len(self._waiting),
            inflight=inflight,
            handed=len(self._handed),
            sent=self._sent,
            retried=self._retried,
            recovered=self._recovered,
            dropped=dict(self._dropped),
        )

    @property
    def _alone(self) -> bool:
        """Whether each event is sent alone, unless too many of them wait."""
        return self._options.batch_size == 1 and not self._options.batches

    def _may_send(self, now: float, inflight: int) -> bool:
        if not self._online or now < self._paused_until or inflight >= self._options.max_inflight:
            return False
        # Events that failed are sent first, so that the events of a page keep their order.
        first = self._waiting.first
        return not (first and first.tries and first.due > now)

    def _keep_bounds(self) -> None:
        options, waiting = self._options, self._waiting
        while len(waiting) > options.max_queue or waiting.size > options.max_queue_bytes:
            told = f"{len(waiting) - 1} events of {waiting.size} bytes are waiting"
            self._drop(waiting.pop(), "queue full", told)

    def _request(
        self, parcels: list[QueuedEvent], sent_at: float, *, batch: bool = False, before: Sequence[QueuedEvent] = ()
    ) -> Request:
        request_id, self._next_request = self._next_request, self._next_request + 1
        self._inflight[request_id] = parcels
        attempt = max(parcel.tries for parcel in parcels)
        for parcel in parcels:
            parcel.tries += 1
        stamp = {"sentAt": iso_time(sent_at), "writeKey": self._write_key}
        if batch or not self._alone:
            path, body = "b", batch_body((*before, *parcels), stamp)
        else:
            path, body = parcels[0].event["type"][0], single_body(parcels[0], stamp)
        return Request(request_id, path, body, attempt, len(body.encode()) <= MAX_KEEPALIVE_BYTES)

    def _retry(self, parcels: Sequence[QueuedEvent], now: float, retry_after: float | None, why: str) -> None:
        for parcel in parcels:
            # Of a batch, analytics.js counts no try after which it was asked to wait; of a single event it counts one.
            parcel.attempts += retry_after is None or (self._alone and not parcel.attempts)
            parcel.asked_to_wait += retry_after is not None
        # The same pause for all of them: with random differences, some would overtake others.
        attempts = max((parcel.attempts for parcel in parcels), default=1)
        pause = self._backoff(attempts) if retry_after is None else retry_after
        kept = []
        for parcel in parcels:
            parcel.backed_off += pause if retry_after is None else 0
            parcel.waited += pause if retry_after is not None else 0
            if self._is_exhausted(parcel):
                used_up = f"Retry attempts exhausted ({parcel.attempts}/{self._options.max_attempts})"
                detail = f"{why}, {parcel.tries} times"
                self._drop(parcel, "attempts exhausted", detail, why, used_up if retry_after is None else why)
                continue
            if parcel.failed is not None:
                parcel.failed(why, None)
            self._note_retry(parcel)
            self._retried += 1
            parcel.due = now + pause
            kept.append(parcel)
        if retry_after is not None:
            self._paused_until = max(self._paused_until, now + retry_after)
        self._waiting.put_back(kept)
        self._keep_bounds()

    def _is_exhausted(self, parcel: QueuedEvent) -> bool:
        options = self._options
        return (
            parcel.attempts >= options.max_attempts
            or parcel.asked_to_wait > options.max_waits
            or parcel.backed_off > options.longest_backoff
            or parcel.waited > options.longest_waits
        )

    def _note_retry(self, parcel: QueuedEvent) -> None:
        """Write into an event how often it was sent, as analytics.js does."""
        if self._options.first_retry_count is None or parcel.size + RETRY_NOTE_BYTES > MAX_EVENT_BYTES:
            return
        tries = parcel.tries if self._alone else max(parcel.attempts, 1)
        count = self._options.first_retry_count + tries - 1
        parcel.event = {**parcel.event, "_metadata": {**(parcel.event.get("_metadata") or {}), "retryCount": count}}
        parcel.text = to_json(parcel.event)
        parcel.size = len(parcel.text.encode())

    def _divide(self, parcels: Sequence[QueuedEvent]) -> None:
        """Send events that were refused together again, in halves, so that only events are dropped that are refused
        alone."""
        for parcel in parcels:
            parcel.due = 0
            parcel.most_together = (len(parcels) + 1) // 2
        self._retried += len(parcels)
        self._waiting.put_back(parcels)

    def _backoff(self, attempts: int) -> float:
        pause = backoff(attempts, self._options.base_backoff, self._options.max_backoff)
        return pause * (1 + self._options.jitter * (2 * self._random() - 1))

    def _drop(self, parcel: QueuedEvent, reason: str, detail: str, told: str = "", lost: str = "") -> None:
        self._warn(f"Event {parcel.event.get('messageId')} was dropped ({reason}): {detail}.")
        if parcel.failed is not None:
            parcel.failed(told or detail, lost or told or detail)
        self._forget(parcel, reason, detail)

    def _forget(self, parcel: QueuedEvent, reason: str, detail: str = "") -> None:
        self._dropped[reason] += 1
        if self._lost is not None:
            self._lost(parcel.event, reason, detail)
        self._settle(parcel, False)

    def _settle(self, parcel: QueuedEvent, delivered: bool | None) -> None:
        settle, parcel.settle = parcel.settle, None
        if settle is not None:
            settle(delivered)


def _small_enough_twice(parcels: Iterable[QueuedEvent]) -> bool:
    return sum(parcel.size for parcel in parcels) <= MAX_COPIED_BYTES
