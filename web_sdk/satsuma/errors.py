"""The exceptions of Satsuma. Each message says what is wrong and what to do."""

from __future__ import annotations


class SatsumaError(Exception):
    """Root of every exception that Satsuma raises on purpose."""


class ArgumentError(SatsumaError, ValueError):
    """A call has arguments that no form of the method takes.

    Attributes:
        reason: what is wrong, in a few words that are always the same.
    """

    def __init__(self, reason: str, advice: str = "") -> None:
        super().__init__(f"{reason}: {advice}" if advice else reason)
        self.reason = reason


class EventError(SatsumaError, ValueError):
    """An event cannot be accepted.

    Attributes:
        path: where in the event, in JavaScript's dotted form (``.userId``, ``.properties``); empty for the whole.
        reason: what is wrong there, one sentence without a full stop.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path} {reason}" if path else reason)
        self.path = path
        self.reason = reason


class StorageError(SatsumaError):
    """A store is missing, disabled, full or refuses a value."""


class BootError(SatsumaError):
    """The SDK could not start in this page."""


class DroppedError(SatsumaError):
    """Events were given up by a client on a server.

    Attributes:
        reason: a few words that are always the same (``queue full``, ``refused 401``), as in a delivery's report.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
