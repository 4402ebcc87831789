"""Sends what waits before SIGTERM ends the process, as containers and systemd end theirs.

Python's default for SIGTERM is to die at once. Neither ``atexit`` nor ``finally`` runs, and what waits in a queue is
lost.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

from satsuma.errors import ArgumentError


class Termination:
    """The handler of SIGTERM that is put before the one that was there.

    - Where there was none, the process ends by the signal as before, once what waits was sent.
    - A handler of the app or its server is called at once, as before: it decides how the process ends.
    - Where the signal was ignored, it still is.
    """

    def __init__(self, flush: Callable[[], Any]) -> None:
        """Take what sends everything that waits, within a bounded time."""
        self._flush = flush
        self._previous: Any = None
        self._flushing = False

    def install(self) -> None:
        """Handle SIGTERM from now on.

        Raises:
            ArgumentError: this is not the main thread, where alone Python lets signals be handled.
        """
        if threading.current_thread() is not threading.main_thread():
            raise ArgumentError("flush_on_sigterm needs a client that is made in the main thread")
        if signal.getsignal(signal.SIGTERM) != self._handle:
            self._previous = signal.signal(signal.SIGTERM, self._handle)

    def _handle(self, number: int, frame: Any) -> None:
        # The main thread may hold a lock of the queue at this very moment, so it must not wait for anything here.
        if not self._flushing:
            self._flushing = True
            threading.Thread(target=self._send, args=(os.getpid(),), name="satsuma-sigterm", daemon=True).start()
        elif self._previous is signal.SIG_DFL:
            # Sent what waits, or asked a second time.
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTERM)
        if callable(self._previous):
            self._previous(number, frame)

    def _send(self, process: int) -> None:
        self._flush()
        if self._previous is signal.SIG_DFL:
            os.kill(process, signal.SIGTERM)
        else:
            self._flushing = False
