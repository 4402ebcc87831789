"""Consent: nothing is kept or sent before the visitor agrees, and everything is removed once they withdraw.

analytics.js doesn't have this; its users load a wrapper. A site requires consent by the load option
``consent: "required"``. With ``respectGlobalPrivacyControl`` and ``respectDoNotTrack`` the browser's signal means no.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import StrEnum

MOST_HELD = 1000
"""The most calls that wait for the visitor's answer. Beyond that the oldest is dropped, with a warning."""

Resume = Callable[[bool], None]
"""Continues a call that waits, with the visitor's answer."""


class ConsentState(StrEnum):
    """The visitor's answer. While it is `PENDING`, calls wait in memory; when it is `DENIED`, they are dropped."""

    GRANTED = "granted"
    PENDING = "pending"
    DENIED = "denied"


class Consent:
    """The visitor's answer, and the calls that wait for it."""

    def __init__(self, state: ConsentState, warn: Callable[[str], None]) -> None:
        self.state = state
        self._warn = warn
        self._held: deque[Resume] = deque()
        self._overflowed = False

    @property
    def granted(self) -> bool:
        """Whether stores may be used and events sent."""
        return self.state is ConsentState.GRANTED

    def hold(self, resume: Resume) -> None:
        """Keep a call until the visitor has answered. Where the answer was no already, the call is dropped at once."""
        if self.state is ConsentState.DENIED:
            resume(False)
            return
        self._held.append(resume)
        if len(self._held) > MOST_HELD:
            self._held.popleft()(False)
            if not self._overflowed:
                self._overflowed = True
                self._warn(f"More than {MOST_HELD} calls wait for the visitor's consent: the oldest are dropped.")

    def grant(self) -> list[Resume]:
        """Record a yes; return the calls that waited, in order, which the caller has to resume."""
        self.state = ConsentState.GRANTED
        held = list(self._held)
        self._held.clear()
        return held

    def withdraw(self) -> None:
        """Record a no, and drop the calls that waited."""
        self.state = ConsentState.DENIED
        while self._held:
            self._held.popleft()(False)
