"""Whether a visitor may be tracked: nothing is kept or sent before that is clear, nothing stays once it is withdrawn.

Not of analytics.js, whose users load a wrapper for it. A site asks for it by the load option ``consent: "required"``;
``respectGlobalPrivacyControl`` and ``respectDoNotTrack`` take the browser's word for a no.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import StrEnum

MOST_HELD = 1000
"""Calls that wait for an answer; the oldest is dropped beyond, and told of."""

Resume = Callable[[bool], None]
"""Takes the visitor's answer to a call that waits for it."""


class ConsentState(StrEnum):
    """What the visitor has said. `PENDING` calls wait in memory; `DENIED` ones are dropped."""

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
        """Keep a call until the visitor has answered; where the answer was no, it hears so at once."""
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
        """Take a yes; return the calls that waited, in order: they are to be resumed."""
        self.state = ConsentState.GRANTED
        held = list(self._held)
        self._held.clear()
        return held

    def withdraw(self) -> None:
        """Take a no; the calls that waited are dropped."""
        self.state = ConsentState.DENIED
        while self._held:
            self._held.popleft()(False)
