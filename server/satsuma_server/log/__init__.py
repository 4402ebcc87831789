"""The log: what was accepted, in order, durable before it is acknowledged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Entry:
    """One event to keep.

    Attributes:
        source: write key.
        message_id: the same event sent twice has the same.
        body: the event as JSON, in UTF-8.
        received_at: milliseconds since 1970.
    """

    source: str
    message_id: str
    body: bytes
    received_at: float


@dataclass(frozen=True, slots=True)
class Refused:
    """One event that was not accepted, kept so that nothing is lost by a mistake of its sender.

    Attributes:
        raw: the event as it came.
    """

    source: str
    reason: str
    raw: bytes
    received_at: float


@dataclass(frozen=True, slots=True)
class Stored:
    """One kept event; `seq` counts up, with gaps never filled later."""

    seq: int
    source: str
    body: bytes


class EventLog(Protocol):
    """Keeps events. Implementations differ in where; all promise what is said here."""

    async def append(self, entries: Sequence[Entry], refused: Sequence[Refused] = ()) -> int:
        """Keep entries, and return how many were new once they are safe on disk.

        An entry whose messageId the source has sent before is not kept again.

        Raises:
            BusyError: too much waits to be written.
            UnavailableError: the log can't write; none of the entries was kept.
        """
        ...

    async def read(self, after: int = 0, limit: int = 1000) -> list[Stored]:
        """Return at most `limit` events with a seq above `after`, in order."""
        ...

    async def check(self) -> None:
        """Write something of no meaning.

        Raises:
            UnavailableError: the log can't write.
        """
        ...

    async def close(self) -> None:
        """Write what waits, and let go of the files."""
        ...
