"""Profiles: one person from many ids.

An *identifier* is a type with a value, as ``user_id:97980cfea0067``. Identifiers that one event carries are *linked*,
and identifiers that are linked, directly or through others, are one *profile*, unless a rule keeps them apart.

What others need is here: the answers, as plain frozen values, and `ProfileReader`, which gives them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from satsuma_server.identity.identifiers import USER_ID, Key
from satsuma_server.identity.links import LinkWarning, Outcome, Rule


@dataclass(frozen=True, slots=True)
class Identifier:
    """One of a profile's identifiers.

    Attributes:
        first_seen, last_seen: milliseconds since 1970, by the events' ``timestamp``.
        events: how many events are this identifier's own: those that it is the first of by priority.
        link: what joined it to the profile; None for the one that the profile began with.
    """

    key: Key
    first_seen: int
    last_seen: int
    events: int
    link: Link | None


@dataclass(frozen=True, slots=True)
class Link:
    """Two identifiers that an event linked: an edge of the identity graph.

    Attributes:
        number: counts up; names the merge that is to be undone.
        left, right: the identifiers; `left` is the event's own.
        rule: why.
        outcome: what came of it.
        warnings: what is wrong with it.
        seq, message_id, source, at: the first event that linked them, where it came from, and its ``timestamp`` in
            milliseconds since 1970.
        kept, gone: numbers of the profiles that became one; None unless `outcome` is MERGED or ADDED.
        undone: whether somebody has undone it.
    """

    number: int
    left: Key
    right: Key
    rule: Rule
    outcome: Outcome
    warnings: tuple[LinkWarning, ...]
    seq: int
    message_id: str
    source: str
    at: int
    kept: int | None = None
    gone: int | None = None
    undone: bool = False

    def explain(self) -> str:
        """Return what happened and why, in a sentence or two for people."""
        from .api.explanations import explain

        return explain(self)


@dataclass(frozen=True, slots=True)
class Profile:
    """One person.

    Attributes:
        number: of the profile. It may change when profiles merge or are built anew: keep an identifier instead.
        identifiers: in the order in which they were seen.
        traits: the newest value of each; a trait that was set to null is gone.
        counts: events by type.
        first_seen, last_seen: milliseconds since 1970.
        last_seq: of its newest event.
    """

    number: int
    space: str
    identifiers: tuple[Identifier, ...]
    traits: Mapping[str, Any]
    counts: Mapping[str, int]
    first_seen: int
    last_seen: int
    last_seq: int

    @property
    def user_id(self) -> str | None:
        """The userId; None for a person who was never identified."""
        return next((one.key.value for one in self.identifiers if one.key.type == USER_ID), None)


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """One event of a person's timeline.

    Attributes:
        key: the identifier whose own the event is.
        at: ``timestamp``, milliseconds since 1970.
        event: as the log has it; None where the log keeps it no more.
    """

    seq: int
    source: str
    key: Key
    at: int
    event: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Page[T]:
    """A part of an answer.

    Attributes:
        next: gives the next part; empty at the end.
    """

    items: tuple[T, ...]
    next: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Monthly tracked users (MTU): unique userIds, and unique anonymousIds that were not identified that month.

    Attributes:
        month: ``2026-11``, by ``receivedAt`` in UTC.
        source: write key; None for all sources together, where one id of several sources counts once.
        users: unique userIds.
        anonymous: unique anonymousIds that no event of the month ties to a userId.
        identified: unique anonymousIds that one does: what identify spares you.
    """

    month: str
    source: str | None
    users: int
    anonymous: int
    identified: int

    @property
    def tracked(self) -> int:
        """Monthly tracked users."""
        return self.users + self.anonymous


@dataclass(frozen=True, slots=True)
class Totals:
    """How much there is.

    Attributes:
        seq: how far in the log the profiles have come.
        blocked: how often a value that names nobody, as ``user_id:null``, was passed over.
    """

    seq: int
    profiles: int
    identifiers: int
    merges: int
    refused: int
    blocked: Mapping[str, int]


class ProfileReader(Protocol):
    """Answers about profiles. Use from one event loop.

    Where only some identifiers of a profile are asked for, the answer tells nothing of its others.

    Raises, each of its methods:
        UnavailableError: the store can't be asked.
    """

    async def find(self, key: Key, only: Collection[Key] | None = None) -> Profile | None:
        """Return the profile that an identifier (or ``Key(PROFILE, "17")``) belongs to."""
        ...

    async def recent(self, limit: int = 50, cursor: str = "") -> Page[Profile]:
        """Return profiles, the one with the newest event first."""
        ...

    async def timeline(
        self, number: int, limit: int = 50, cursor: str = "", only: Collection[Key] | None = None
    ) -> Page[TimelineEvent]:
        """Return a profile's events, the newest first."""
        ...

    async def links(self, number: int, only: Collection[Key] | None = None) -> Sequence[Link]:
        """Return all links between a profile's identifiers, and those that rules kept from it, oldest first."""
        ...

    async def warnings(self, limit: int = 50, cursor: str = "") -> Page[Link]:
        """Return the collector's links that have warnings, the newest first."""
        ...

    async def usage(self) -> Sequence[Usage]:
        """Return tracked users, the newest month first; in it all sources together, then each."""
        ...

    async def totals(self) -> Totals:
        """Return how much there is."""
        ...

    async def undo(self, number: int) -> Link:
        """Undo the link of a number: its identifiers are two people again, and stay so.

        Raises:
            NotFoundError: there is no such link.
            ConflictError: it joined nothing, or is undone already.
        """
        ...
