"""The exceptions of Satsuma. Each message says what is wrong and what to do about it."""

from __future__ import annotations


class SatsumaError(Exception):
    """Base class of all exceptions that Satsuma raises on purpose."""


class ArgumentError(SatsumaError, ValueError):
    """A call has arguments that no form of the method takes.

    Attributes:
        reason: what is wrong, in a few words that never change.
    """

    def __init__(self, reason: str, advice: str = "") -> None:
        super().__init__(f"{reason}: {advice}" if advice else reason)
        self.reason = reason


class EventError(SatsumaError, ValueError):
    """An event cannot be accepted.

    Attributes:
        path: where in the event, in JavaScript's dotted form (``.userId``, ``.properties``); empty for the whole event.
        reason: what is wrong there, in one sentence without a full stop.
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
    """A client on a server has dropped events.

    Attributes:
        reason: a few words that never change (``queue full``, ``refused 401``), as in a `DeliveryReport`.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
