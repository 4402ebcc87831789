"""An HTTP protocol for uvicorn that closes connections whose requests arrive too slowly or have too large a head.

uvicorn limits the time between requests, but neither the time in which a request arrives nor the size of its head.
Without these limits, a few thousand connections that send nothing could keep everybody else out (a slow-loris attack).
Nor does it bound how many connections there are: once the process has no descriptors left, nobody gets in, and no file
can be opened. Here, the ones that wait for nothing make room for new ones.
"""

from __future__ import annotations

import asyncio
import resource
from itertools import islice

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_SECONDS = 15
BODY_SECONDS = 45
"""Seconds that a body may take. This is longer than the collector's own body reader waits, which can answer what is
wrong. This limit is for bodies that nothing reads: those of a path that takes none, or after an early answer."""

MAX_HEAD_BYTES = 64 * 1024
"""The most bytes of a request line and its headers. A little more is accepted where they arrive at once."""


MOST_DESCRIPTORS = 65_536
KEPT_DESCRIPTORS = 512
"""Descriptors that connections leave to files, databases and the second process; half of all where there are few."""

A_CLEARING = 64
"""How many idle connections are closed at once, so that a crowd isn't looked through for each newcomer."""


def raise_descriptors() -> None:
    """Raise this process's limit of descriptors as far as it may be raised."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def most_connections() -> int:
    """Return how many connections this process may have."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    descriptors = MOST_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft
    return descriptors - min(KEPT_DESCRIPTORS, descriptors // 2)


class TimeLimitedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 protocol with limits for the time of a request, the size of its head, and the connections."""

    header_seconds: float = HEADER_SECONDS
    body_seconds: float = BODY_SECONDS
    _waiting: asyncio.TimerHandle | None = None
    _head_bytes: int | None = 0
    """How many bytes of a head have arrived; None while no head is being received."""
    _in_body = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait(self.header_seconds)
        if len(self.connections) > most_connections():
            self._make_room()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._head_bytes is not None:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
                self.send_400_response("The request's head is too large.")
        if self._waiting is None:
            self._wait_for_the_rest()

    def _wait_for_the_rest(self) -> None:
        """Start the timer for what is still to arrive. A request that arrived as a whole needs no timer."""
        if self._in_body:
            self._wait(self.body_seconds)
        elif self._head_bytes or (self.timeout_keep_alive_task is None and self.cycle and self.cycle.response_complete):
            # A part of a head, or bytes that begin no request, such as empty lines, which end uvicorn's own keep-alive
            # timer.
            self._wait(self.header_seconds)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        self._head_bytes = None
        self._in_body = True
        self._stop_waiting()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_body = False
        self._stop_waiting()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    @property
    def _is_idle(self) -> bool:
        return not self._in_body and not self._head_bytes and (self.cycle is None or self.cycle.response_complete)

    def _make_room(self) -> None:
        """Close connections that wait for nothing, or this one where there are none."""
        others = (one for one in self.connections if one is not self and isinstance(one, TimeLimitedProtocol))
        idle = list(islice((one for one in others if one._is_idle), A_CLEARING))
        for one in idle or [self]:
            one.transport.close()

    def _wait(self, seconds: float) -> None:
        self._waiting = self.loop.call_later(seconds, self._cut)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _cut(self) -> None:
        self._waiting = None
        self.transport.close()
