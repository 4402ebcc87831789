"""Carries out, in a thread of its own, what `Delivery` decides."""

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
"""Bytes of a body from which on gzip saves anything."""


class Worker:
    """The queue and its thread. The thread starts with the first event, and anew in a forked process."""

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
            complaints: called without any lock held, by whichever thread noticed.
            packed: compress bodies.
        """
        self._write_key = write_key
        self._options = options
        self._transport = transport
        self._complaints = complaints
        self._packed = packed
        self.restart()

    def restart(self) -> None:
        """Begin anew, with nothing: in a forked process all that waited is the other one's."""
        self._changed = threading.Condition(threading.Lock())
        self._given_up: list[tuple[Event, str, str]] = []
        self._tellers: set[int] = set()
        self._delivery = Delivery(
            self._write_key,
            self._options,
            random=random.SystemRandom().random,
            warn=lambda line: None,  # What it warns of, it gives up.
            lost=lambda *lost: self._given_up.append(lost),
        )
        self._thread: threading.Thread | None = None
        self._wakes_at: float | None = None
        self._closed = self._ended = False

    def put(self, event: Event, text: str) -> bool:
        """Queue an event; False where the queue is closed. Waits for nothing but other calls like it."""
        with self._changed:
            if self._closed:
                return False
            now = _now()
            self._delivery.add(event, now, text=text)
            if self._thread is None:
                self._start()
            due = self._delivery.next_due()
            if due is not None and (self._wakes_at is None or due < self._wakes_at):
                self._wakes_at = due
                self._changed.notify_all()
        self._tell()
        return True

    def flush(self, timeout: float) -> bool:
        """Wait until everything queued so far is acknowledged or given up; False where it took too long.

        Args:
            timeout: seconds.
        """
        if threading.current_thread() is self._thread:
            return False  # Called by a complaint: who waits here would wait for themselves.
        limit = time.monotonic() + timeout
        with self._changed:
            self._delivery.flush()
            self._changed.notify_all()
            newest = self._delivery.newest

            def done() -> bool:
                # What was given up counts only once it is told.
                told = not self._tellers - {threading.get_ident()}
                return told and (self._delivery.oldest() or newest + 1) > newest

            if self._thread is None and not done():
                # Threads can't be started any more: the interpreter is on its way out.
                self._run(until=lambda: done() or time.monotonic() >= limit, limit=limit)
            self._changed.wait_for(done, max(0.0, limit - time.monotonic()))
            flushed = done()
        self._tell()
        return flushed

    def close(self, timeout: float) -> bool:
        """Flush, and end the thread; what is left then is given up. False where something was."""
        with self._changed:
            self._closed = True
        flushed = self.flush(timeout)
        with self._changed:
            self._ended = True
            self._delivery.clear("closed")
            self._changed.notify_all()
        self._tell()
        return flushed

    def report(self) -> DeliveryReport:
        """Return what became of the events so far."""
        with self._changed:
            return self._delivery.report()

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
            self._delivery.clear("closed")
        self._transport.close()
        self._tell()

    def _run(self, until: Callable[[], bool], limit: float | None = None) -> None:
        """Send what is due until `until` says so. The lock is held but while the network is waited for."""
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
        """Return the answer, if there was one, and what there is to complain of."""
        try:
            body = request.body.encode()
            packed = self._packed and len(body) >= WORTH_PACKING
            headers = {"Content-Encoding": "gzip"} if packed else {}
            answer = self._transport.post(request.path, gzip.compress(body, 6) if packed else body, headers)
        except Exception as error:
            return None, f"{type(error).__name__}: {error}"
        return answer, f"the collector answered {answer.status}" if self._options.retries(answer.status) else ""

    def _tell(self) -> None:
        """Tell what was given up since it was told last. The lock must not be held: who hears it may make calls."""
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
    # Of a clock that nobody sets back: a pause must not last an hour longer because of summer time.
    return time.monotonic() * 1000
