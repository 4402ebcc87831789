"""The log's interface: accepted events in order, each safe on disk before it is acknowledged.

What every implementation promises, whatever it keeps events in (`tests/log/test_contract.py` holds them to it):

- What `append` returned for is stored, through the death of the process, and of a minority of machines where the log is
  kept on several. Nothing is acknowledged before that.
- An event is stored once within the window of deduplication, whoever sends it again and to whichever collector.
- Events of one source are stored in the order in which they were appended, and so are those of one person there.
- Followers read in the order of `seq`, miss nothing, and go on at their cursor.
- What was erased is in none of the log's files. What a follower has not read is not removed because it is old.
- A log that can't keep these promises at the moment raises an error.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol


class Refused(NamedTuple):
    """One event that was refused. It is kept, so that a sender's mistake loses nothing.

    Attributes:
        reason: what is wrong, and where; empty for one that may not be kept.
        raw: the event as it was received.
    """

    reason: str
    raw: bytes


@dataclass(slots=True)
class Arrivals:
    """The events of one request.

    Attributes:
        source: the write key.
        received_at: milliseconds since 1970.
        message_ids: the messageId of each accepted event; an event that is sent twice has the same one.
        bodies: the accepted events as JSON in UTF-8, each without line breaks. An empty one may not be kept and gets
            no seq. For whoever sent it, it is like any other: it counts as new once, and takes as long.
        refused: the events that were not accepted.
        hashes: the content hash of each accepted event; an event that is sent twice has the same one. Empty where
            none is known.
        redacted: the positions of accepted events from which something was removed. Their hashes are not written down:
            they would tell who guesses what was removed that the guess is right.
    """

    source: str
    received_at: float
    message_ids: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)
    redacted: set[int] = field(default_factory=set)

    def count(self) -> int:
        """Return how many events there are to write: refused ones are written too."""
        return len(self.bodies) + len(self.refused)

    def size(self) -> int:
        """Return how many bytes there are to write."""
        return sum(map(len, self.bodies)) + sum(len(refused.raw) for refused in self.refused)


class Stored(NamedTuple):
    """One event in the log; `seq` counts up from 1, and no number is ever used twice."""

    seq: int
    source: str
    body: bytes


WITHHELD = Refused("", b"")
"""A refused event that may not be kept. For whoever sent it, it is like any other."""


class DeadLetter(NamedTuple):
    """One refused event; `id` counts up."""

    id: int
    source: str
    reason: str
    received_at: float
    raw: bytes


@dataclass(slots=True)
class Erased:
    """The result of an erasure.

    Attributes:
        events: how many events were removed.
        redacted: how many events of others also named the person, and were changed so that they don't.
        dead_letters: how many refused events were removed.
        last: seq of the newest event that was examined.
    """

    events: int = 0
    redacted: int = 0
    dead_letters: int = 0
    last: int = 0


class EventMatcher(Protocol):
    """Decides what an erasure removes."""

    def may_concern(self, block: bytes) -> bool:
        """Tell quickly whether a block of events may have something to erase. False positives are allowed."""
        ...

    def redact(self, source: str, body: bytes) -> bytes:
        """Return the event as it should be kept: unchanged, changed, or empty to remove it."""
        ...

    def names(self, text: bytes) -> bool:
        """Tell whether a text, which need not be a valid event, names any of the people to erase."""
        ...


POSITION = "destination "
"""What the names of cursors begin with that only tell how far a destination is. They keep no event from going."""


class Lease(Protocol):
    """The right to be the one worker that follows a log which machines share.

    Attributes:
        is_waiting: whether another worker has it.
        from_another: whether the worker before this one had another data folder.
    """

    is_waiting: bool
    from_another: bool

    async def take(self) -> None:
        """Wait until it is this worker's, and keep it. The process ends where it can't be kept."""
        ...

    async def release(self) -> None:
        """Give it to whoever waits."""
        ...


class ReadableLog(Protocol):
    """The part of a log that followers use. Use it from one event loop only.

    Attributes:
        last: seq of the newest event; 0 while there is none.
        lease: of the worker that follows it; None where only one machine can.
    """

    lease: Lease | None

    @property
    def last(self) -> int: ...

    async def ready(self) -> None:
        """Open what is needed, so that `last` is right. Other calls do so themselves.

        Raises:
            UnavailableError: the log can't be read now.
        """
        ...

    async def read(self, after: int = 0, limit: int = 1000, most_bytes: int | None = None) -> list[Stored]:
        """Return at most `limit` events with a seq above `after`, in order.

        Args:
            most_bytes: the most bytes of all bodies together; None for no bound. The first event is always returned.
        """
        ...

    async def pick(self, seqs: Sequence[int]) -> list[Stored]:
        """Return the events with these seqs, in order, as far as they exist. At most 1,000 are looked up."""
        ...

    def follow(self, after: int = 0) -> AsyncIterator[list[Stored]]:
        """Yield lists of the events above `after` for ever, as they arrive. No list is empty."""
        ...

    async def dead_letters(self, after: int = 0, limit: int = 1000) -> list[DeadLetter]:
        """Return refused events with an id above `after`, in order. Only the newest are kept."""
        ...

    async def cursor(self, name: str) -> int:
        """Return the seq up to which the follower `name` has read; 0 for a new one."""
        ...

    async def cursors(self) -> dict[str, int]:
        """Return the cursors of all followers, by their names."""
        ...

    async def save_cursor(self, name: str, seq: int) -> None:
        """Save how far a follower has read. Retention removes no event that a follower hasn't read."""
        ...

    async def set_aside(self, event: Stored, reason: str) -> None:
        """Keep a dead letter for an event that a follower can't process. The event itself stays in the log."""
        ...

    async def close(self) -> None:
        """Write what is still waiting, and close the files."""
        ...


class Appends(Protocol):
    """The part of a log that takes events."""

    async def append(self, arrivals: Arrivals) -> int:
        """Append events; return how many were new, once they are safe on disk.

        An event is not kept again where the source has sent it before, with that messageId and content, within the
        window of time. Another event under the same messageId is kept under an id of its own.

        Raises:
            BusyError: too many events wait to be written.
            UnavailableError: the log can't write, or can't tell whether it has. The same may be sent again: what was
                kept of it counts as a repetition then.
        """
        ...


class EventLog(Appends, ReadableLog, Protocol):
    """A log that also takes events. Implementations differ in where they keep them, and all keep the promises made
    here.

    Attributes:
        pending: how many events wait to be written.
        filled: the part of its room that is taken, from 0 to 1; 0 where nothing bounds it.
    """

    @property
    def pending(self) -> int: ...

    @property
    def filled(self) -> float: ...

    async def erase(self, matcher: EventMatcher) -> Erased:
        """Remove for good what `matcher` selects. Events that it leaves unchanged keep their seq.

        Raises:
            UnavailableError: the log can't write; part of it may have been erased.
        """
        ...

    async def compact(self) -> None:
        """Rewrite the files so that no erased data is left in them. It takes a while, and appends wait for it.

        Raises:
            UnavailableError: the disk has no room for it.
        """
        ...

    async def check(self) -> None:
        """Write something that has no meaning, to see whether writing works.

        Raises:
            UnavailableError: the log can't write.
        """
        ...
