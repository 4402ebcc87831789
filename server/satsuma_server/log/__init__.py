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


@dataclass(slots=True)
class Erased:
    """What an erasure took out.

    Attributes:
        events: whole events.
        redacted: events of others that named the person too, and don't any more.
        dead_letters: refused events.
        last: seq of the newest event that was looked at.
    """

    events: int = 0
    redacted: int = 0
    dead_letters: int = 0
    last: int = 0


class EventMatcher(Protocol):
    """Says what is to be erased."""

    def may_concern(self, block: bytes) -> bool:
        """Tell quickly whether events as they lie in the log may hold something to erase. May say yes too often."""
        ...

    def redact(self, source: str, body: bytes) -> bytes:
        """Return an event as it is to be kept: itself, changed, or empty where it is to go."""
        ...

    def names(self, text: bytes) -> bool:
        """Tell whether a text that need not be an event names anybody concerned."""
        ...


class ReadableLog(Protocol):
    """What followers see of a log. Use from one event loop.

    Attributes:
        last: seq of the newest event; 0 while there is none.
    """

    @property
    def last(self) -> int: ...

    async def read(self, after: int = 0, limit: int = 1000, most_bytes: int | None = None) -> list[Stored]:
        """Return at most `limit` events with a seq above `after`, in order.

        Args:
            most_bytes: of all bodies; the first event is returned whatever its size. None for no such bound.
        """
        ...

    async def pick(self, seqs: Sequence[int]) -> list[Stored]:
        """Return the events of some numbers, in order, as far as they are there; at most 1,000 are looked for."""
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

    async def set_aside(self, event: Stored, reason: str) -> None:
        """Keep a dead letter of an event that a follower can't take; the event itself stays where it is."""
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

    async def erase(self, matcher: EventMatcher) -> Erased:
        """Take out of the log, for good, what `matcher` says. Numbers of other events stay as they are.

        Raises:
            UnavailableError: the log can't write; part of it may have been erased.
        """
        ...

    async def compact(self) -> None:
        """Leave nothing of what was erased in the gaps of the files. Takes a while, and appends wait for it.

        Raises:
            UnavailableError: there is no room for it.
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
