"""An HTTP protocol for uvicorn that closes connections whose requests arrive too slowly or have too large a head.

uvicorn limits the time between requests, but neither the time in which a request arrives nor the size of its head.
Without these limits, a few thousand connections that send nothing could keep everybody else out (a slow-loris attack).
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_SECONDS = 15
BODY_SECONDS = 45
"""Seconds that a body may take. This is longer than the collector's own body reader waits, which can answer what is
wrong. This limit is for bodies that nothing reads: those of a path that takes none, or after an early answer."""

MAX_HEAD_BYTES = 64 * 1024
"""The most bytes of a request line and its headers. A little more is accepted where they arrive at once."""


class TimeLimitedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 protocol with limits for the time of a request and the size of its head."""

    header_seconds: float = HEADER_SECONDS
    body_seconds: float = BODY_SECONDS
    _waiting: asyncio.TimerHandle | None = None
    _head_bytes: int | None = 0
    """How many bytes of a head have arrived; None while no head is being received."""
    _in_body = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait(self.header_seconds)

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

    def _wait(self, seconds: float) -> None:
        self._waiting = self.loop.call_later(seconds, self._cut)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _cut(self) -> None:
        self._waiting = None
        self.transport.close()
