"""Reports errors to the app, and logs them with a limit, so that the log stays readable."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable

from satsuma.errors import DroppedError, EventError
from satsuma.omissions import Omissions
from satsuma.send_queue import Event

logger = logging.getLogger("satsuma")

EVERY = 60
"""Seconds between two log lines about the same kind of error."""

OnError = Callable[[Exception, list[Event]], None]
"""Called with an error and the events that are lost by it."""


class ErrorReporter:
    """Reports errors by kind."""

    def __init__(self, on_error: OnError | None = None) -> None:
        self._on_error = on_error
        self._next: dict[str, float] = {}
        self._unsaid: Counter[str] = Counter()

    def dropped(self, reason: str, detail: str, events: list[Event]) -> None:
        """Report that events were dropped."""
        self._unsaid[reason] += len(events)
        self._say(reason, "events dropped", detail or reason)
        self._hand_over(DroppedError(reason, detail), events)

    def refused(self, call: str, error: Exception) -> None:
        """Report that a call resulted in no event."""
        self._unsaid[call] += 1
        self._say(call, f"calls of {call}() without an event", f"{type(error).__name__}: {error}")
        self._hand_over(error, [])

    def shortened(self, call: str, omissions: Omissions) -> None:
        """Report that some values of a call's event were left out."""
        error = EventError("", f"{call}() is sent without {omissions}")
        self._unsaid["shortened"] += 1
        self._say("shortened", "events sent without some of their values", str(error))
        self._hand_over(error, [])

    def waiting(self, detail: str) -> None:
        """Report that a request failed and will be tried again."""
        self._unsaid["waiting"] += 1
        self._say("waiting", "requests failed, and to be tried again", detail)

    def warn(self, line: str) -> None:
        """Log what is wrong, but costs no event."""
        self._unsaid["warnings"] += 1
        self._say("warnings", "warnings", line)

    def _say(self, matter: str, what: str, detail: str) -> None:
        now = time.monotonic()
        if now >= self._next.get(matter, 0):
            self._next[matter] = now + EVERY
            logger.warning("%s: %d; the last: %s", what, self._unsaid.pop(matter, 1), detail)

    def _hand_over(self, error: Exception, events: list[Event]) -> None:
        if self._on_error is None:
            return
        try:
            self._on_error(error, events)
        except Exception:
            logger.exception("on_error raised")
