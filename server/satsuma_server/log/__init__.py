"""The log: what was accepted, in order, durable before it is acknowledged."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol


class Refused(NamedTuple):
    """One event that was not accepted, kept so that nothing is lost by a mistake of its sender.

    Attributes:
        reason: what was wrong, and where.
        raw: the event as it came.
    """

    reason: str
    raw: bytes


@dataclass(slots=True)
class Arrivals:
    """What one request brought.

    Attributes:
        source: write key.
        received_at: milliseconds since 1970.
        message_ids: of each accepted event; the same event sent twice has the same.
        bodies: the accepted events as JSON, each on one line, in UTF-8.
        refused: the others.
    """

    source: str
    received_at: float
    message_ids: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


class Stored(NamedTuple):
    """One kept event; `seq` counts up from 1, and no number is ever used twice."""

    seq: int
    source: str
    body: bytes


class DeadLetter(NamedTuple):
    """One refused event; `id` counts up."""

    id: int
    source: str
    reason: str
    received_at: float
    raw: bytes


class ReadableLog(Protocol):
    """What followers see of a log. Use from one event loop.

    Attributes:
        last: seq of the newest event; 0 while there is none.
    """

    @property
    def last(self) -> int: ...

    async def read(self, after: int = 0, limit: int = 1000) -> list[Stored]:
        """Return at most `limit` events with a seq above `after`, in order."""
        ...

    def follow(self, after: int = 0) -> AsyncIterator[list[Stored]]:
        """Yield events above `after` as they come, for ever; never an empty list."""
        ...

    async def dead_letters(self, after: int = 0, limit: int = 1000) -> list[DeadLetter]:
        """Return refused events with an id above `after`, in order. Only the newest are kept."""
        ...

    async def cursor(self, name: str) -> int:
        """Return how far the follower `name` has come; 0 for a new one."""
        ...

    async def save_cursor(self, name: str, seq: int) -> None:
        """Keep how far a follower has come. Events that a follower hasn't seen are not removed by retention."""
        ...

    async def close(self) -> None:
        """Write what waits, and let go of the files."""
        ...


class EventLog(ReadableLog, Protocol):
    """Keeps events. Implementations differ in where; all promise what is said here.

    Attributes:
        pending: how many events wait to be written.
    """

    @property
    def pending(self) -> int: ...

    async def append(self, arrivals: Arrivals) -> int:
        """Keep what came, and return how many events were new once they are safe on disk.

        An event whose messageId the source has sent before, within the window, is not kept again.

        Raises:
            BusyError: too much waits to be written.
            UnavailableError: the log can't write; nothing of `arrivals` was kept.
        """
        ...

    async def check(self) -> None:
        """Write something of no meaning.

        Raises:
            UnavailableError: the log can't write.
        """
        ...


def join_lines(stored: Sequence[Stored]) -> bytes:
    """Return stored events as NDJSON, each with its seq."""
    return b"".join(b'%s,"seq":%d}\n' % (body[:-1], seq) for seq, _, body in stored)
