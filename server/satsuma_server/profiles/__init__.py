"""Profiles: one person from many ids.

An *identifier* is a type with a value, such as ``user_id:97980cfea0067``. Identifiers in the same event are *linked*,
and identifiers that are linked, directly or through others, are one *profile*, unless a rule keeps them apart.

This module has the interface for other packages: the answers, as frozen values, and the protocol `ProfileReader`.
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
        events: how many events belong to this identifier, because it has the highest priority in them.
        link: the link by which it joined the profile; None for the first identifier of the profile.
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
        number: counts up; it identifies the link, for example to undo it.
        left, right: the identifiers; the event belongs to `left`.
        rule: why they were linked.
        outcome: what the link did.
        warnings: what is unusual about it.
        seq, message_id, source, at: the first event that linked them, with its source, and its ``timestamp`` in
            milliseconds since 1970.
        kept, gone: numbers of the two profiles that became one; None unless `outcome` is MERGED or ADDED.
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
        """Return an explanation of what happened and why, in a few sentences for people."""
        from .api.explanations import explain

        return explain(self)


@dataclass(frozen=True, slots=True)
class Profile:
    """One person.

    Attributes:
        number: number of the profile. It may change when profiles merge or are rebuilt: keep an identifier instead.
        identifiers: the identifiers in the order in which they were first seen.
        traits: the newest value of each trait; a trait that was set to null is not in it.
        counts: numbers of events by type.
        first_seen, last_seen: milliseconds since 1970.
        last_seq: seq of its newest event.
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
        key: the identifier that the event belongs to.
        at: ``timestamp`` in milliseconds since 1970.
        event: the event as the log has it; None where the log doesn't have it any more.
    """

    seq: int
    source: str
    key: Key
    at: int
    event: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Page[T]:
    """One page of a longer answer.

    Attributes:
        next: the cursor for the next page; empty at the end.
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
        anonymous: unique anonymousIds that had no event with a userId in the month.
        identified: unique anonymousIds that had one, and therefore don't count.
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
    """Totals of all profiles.

    Attributes:
        seq: seq of the newest event of the log that is in the profiles.
        blocked: how often each value that names nobody, such as ``user_id:null``, was ignored.
    """

    seq: int
    profiles: int
    identifiers: int
    merges: int
    refused: int
    blocked: Mapping[str, int]


class ProfileReader(Protocol):
    """Answers questions about profiles. Use it from one event loop only.

    Where only some identifiers of a profile are asked for, the answer has nothing of its other identifiers.

    All methods raise:
        UnavailableError: the database can't be read.
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
        """Return all links between a profile's identifiers, and the refused ones from them to others, oldest first."""
        ...

    async def warnings(self, limit: int = 50, cursor: str = "") -> Page[Link]:
        """Return all links that have warnings, the newest first."""
        ...

    async def usage(self) -> Sequence[Usage]:
        """Return tracked users, the newest month first. In each month, all sources together come before the single
        ones."""
        ...

    async def totals(self) -> Totals:
        """Return the totals of all profiles."""
        ...

    async def undo(self, number: int) -> Link:
        """Undo the link with this number: its identifiers are two people from now on, also when profiles are rebuilt.

        Raises:
            NotFoundError: there is no such link.
            ConflictError: the link joined nothing, or is undone already.
        """
        ...
