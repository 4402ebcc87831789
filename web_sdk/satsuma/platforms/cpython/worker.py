"""Carries out the decisions of `Delivery` in a thread of its own."""

from __future__ import annotations

import gzip
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from satsuma.delivery import Delivery, DeliveryReport, Request
from satsuma.delivery_options import DeliveryOptions
from satsuma.send_queue import Event

from .error_reporter import ErrorReporter
from .transport import Answer, Transport

WORTH_PACKING = 1024
"""The fewest bytes of a body that are compressed. For smaller ones gzip saves nothing."""


class Worker:
    """The queue and its thread. The thread starts with the first event, and again in a forked process."""

    def __init__(
        self,
        write_key: str,
        options: DeliveryOptions,
        transport: Transport,
        complaints: ErrorReporter,
        *,
        packed: bool = False,
    ) -> None:
        """Start empty.

        Args:
            complaints: reports errors. It is called without a lock, by the thread that noticed the error.
            packed: whether bodies are compressed.
        """
        self._write_key = write_key
        self._options = options
        self._transport = transport
        self._complaints = complaints
        self._packed = packed
        self.restart()

    def restart(self) -> None:
        """Start again with an empty queue. In a forked process, the queued events belong to the parent."""
        self._changed = threading.Condition(threading.Lock())
        self._given_up: list[tuple[Event, str, str]] = []
        self._tellers: set[int] = set()
        self._delivery = Delivery(
            self._write_key,
            self._options,
            random=random.SystemRandom().random,
            warn=lambda line: None,  # Its warnings are about dropped events, which are reported in another way.
            lost=lambda *lost: self._given_up.append(lost),
        )
        self._thread: threading.Thread | None = None
        self._wakes_at: float | None = None
        self._closed = self._ended = self._keeps = False

    def put(self, event: Event, text: str, settle: Callable[[bool | None], None] | None = None) -> bool:
        """Queue an event; return False where the queue is closed. It waits for nothing except other calls of it.

        Args:
            settle: called once when the event's fate is known, as in `Delivery.add`, with the queue's lock held.
        """
        with self._changed:
            if self._closed:
                return False
            now = _now()
            self._delivery.add(event, now, settle, text=text)
            if self._thread is None:
                self._start()
            due = self._delivery.next_due()
            if due is not None and (self._wakes_at is None or due < self._wakes_at):
                self._wakes_at = due
                self._changed.notify_all()
        self._tell()
        return True

    def flush(self, timeout: float, *, patient: bool = True) -> bool:
        """Wait until everything queued so far is acknowledged or dropped; return False where it took too long.

        Args:
            timeout: seconds to wait.
            patient: whether to wait also where nothing more can be tried within that time.
        """
        if threading.current_thread() is self._thread:
            return False  # Called while an error is reported: it would wait for itself.
        limit = time.monotonic() + timeout
        with self._changed:
            self._delivery.flush()
            self._changed.notify_all()
            newest = self._delivery.newest

            def done() -> bool:
                # Dropped events count as done only after they were reported.
                told = not self._tellers - {threading.get_ident()}
                return told and (self._delivery.oldest() or newest + 1) > newest

            if self._thread is None and not done():
                # The interpreter is shutting down, so no thread can be started any more.
                self._run(until=lambda: done() or time.monotonic() >= limit, limit=limit)
            self._changed.wait_for(
                lambda: done() or not (patient or self._tries_before(limit)), max(0.0, limit - time.monotonic())
            )
            flushed = done()
        self._tell()
        return flushed

    def close(self, timeout: float, *, keeps: bool = False) -> bool:
        """Flush and end the thread; return False where anything was left.

        Args:
            timeout: seconds to wait.
            keeps: whether what is left is kept elsewhere, and is settled with None. Otherwise it is dropped.
        """
        with self._changed:
            self._closed, self._keeps = True, keeps
        flushed = self.flush(timeout, patient=not keeps)
        with self._changed:
            self._ended = True
            self._leave()
            self._changed.notify_all()
        self._tell()
        return flushed

    def abandon(self, reason: str) -> None:
        """Drop everything that isn't acknowledged, on purpose: it is counted, but is no error."""
        with self._changed:
            self._delivery.abandon(reason)
            self._given_up.clear()
            self._changed.notify_all()

    def report(self) -> DeliveryReport:
        """Return the report on all events so far."""
        with self._changed:
            return self._delivery.report()

    def _leave(self) -> None:
        if self._keeps:
            self._delivery.surrender()
        else:
            self._delivery.clear("closed")

    def _tries_before(self, limit: float) -> bool:
        """Tell whether a request is under way, or one is due before `limit`, in seconds of the monotonic clock."""
        due = self._delivery.next_due()
        return self._delivery.under_way or (due is not None and due <= limit * 1000)

    # In the thread

    def _start(self) -> None:
        thread = threading.Thread(target=self._work, name="satsuma", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return
        self._thread = thread

    def _work(self) -> None:
        with self._changed:
            self._run(until=lambda: self._ended)
            self._leave()
        self._transport.close()
        self._tell()

    def _run(self, until: Callable[[], bool], limit: float | None = None) -> None:
        """Send what is due until `until` returns true. The lock is held, except while waiting for the network."""
        while not until():
            requests = self._delivery.requests(_now(), time.time() * 1000)
            for request in requests:
                self._carry_out(request)
            if not requests:
                self._wakes_at = self._delivery.next_due()
                self._changed.wait(self._pause(limit))
                self._wakes_at = 0

    def _pause(self, limit: float | None) -> float | None:
        pauses = [] if self._wakes_at is None else [max(0.0, self._wakes_at - _now()) / 1000]
        pauses += [] if limit is None else [max(0.0, limit - time.monotonic())]
        return min(pauses, default=None)

    def _carry_out(self, request: Request) -> None:
        with self._unlocked():
            answer, failure = self._post(request)
        if answer is None:
            self._delivery.failed(request.id, _now())
        else:
            self._delivery.answered(request.id, answer.status, _now(), answer.retry_after)
        with self._unlocked():
            self._tell()
            if failure:
                self._complaints.waiting(failure)
        self._changed.notify_all()

    @contextmanager
    def _unlocked(self) -> Iterator[None]:
        self._changed.release()
        try:
            yield
        finally:
            self._changed.acquire()

    def _post(self, request: Request) -> tuple[Answer | None, str]:
        """Return the answer, if there was one, and the error to report, if any."""
        try:
            body = request.body.encode()
            packed = self._packed and len(body) >= WORTH_PACKING
            headers = {"Content-Encoding": "gzip"} if packed else {}
            answer = self._transport.post(request.path, gzip.compress(body, 6) if packed else body, headers)
        except Exception as error:
            return None, f"{type(error).__name__}: {error}"
        return answer, f"the collector answered {answer.status}" if self._options.retries(answer.status) else ""

    def _tell(self) -> None:
        """Report events that were dropped since the last report. The lock must not be held, since callbacks may make
        calls."""
        if not self._given_up:
            return
        with self._changed:
            given_up, self._given_up = self._given_up, []
            self._tellers.add(threading.get_ident())
        details = {reason: detail for _, reason, detail in given_up}
        for reason, detail in details.items():
            self._complaints.dropped(reason, detail, [event for event, why, _ in given_up if why == reason])
        with self._changed:
            self._tellers.discard(threading.get_ident())
            self._changed.notify_all()


def _now() -> float:
    # A monotonic clock, since a pause must not become longer when the system's clock is set back.
    return time.monotonic() * 1000
