"""A server protocol that doesn't wait for ever: who opens a connection and drips a request's bytes is cut off.

uvicorn bounds the time between requests, not the time that a request takes to come, nor the size of its head. Without
this, a few thousand idle sockets are all that it takes to keep everybody else out (slow-loris).
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_SECONDS = 15
BODY_SECONDS = 45
"""Longer than the collector's own body reader waits, which can still say what was wrong. This bound is for bodies that
nobody reads: of a path that takes none, or after an answer that came early."""

MAX_HEAD_BYTES = 64 * 1024
"""Most bytes of a request line and its headers; a little more where they come at once."""


class TimeLimitedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 protocol, with bounds on a request's time and on the size of its head."""

    header_seconds: float = HEADER_SECONDS
    body_seconds: float = BODY_SECONDS
    _waiting: asyncio.TimerHandle | None = None
    _head_bytes: int | None = 0
    """How much of a head has come; None while none is under way."""
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
        """Bound what is under way after these bytes. A request that came as a whole costs no timer."""
        if self._in_body:
            self._wait(self.body_seconds)
        elif self._head_bytes or (self.timeout_keep_alive_task is None and self.cycle and self.cycle.response_complete):
            # A head, or bytes that begin no request, as empty lines: they have ended uvicorn's wait for the next one.
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
