"""Events go on from the log to other services: the interface of a destination, and what is known of each.

Each destination follows the log with a cursor of its own. `lanes` keeps the order per person, `lane` decides about
retries, `runner` carries out, and `kinds` has the services. See docs/destinations.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

import msgspec

LONGEST_ANSWER = 2_000
"""The most characters that are kept of a destination's answer."""


DELETION = "deletion"
"""The channel of payloads that ask a service to delete a person."""


@dataclass(frozen=True, slots=True)
class DeletedPerson:
    """A person who was deleted here, and whom destinations have to delete as well.

    Attributes:
        key: by which a destination can tell that it has the request already.
        user_ids, anonymous_ids: all identifiers that were deleted.
        at: when the person was deleted, in milliseconds since 1970.
    """

    key: str
    user_ids: tuple[str, ...]
    anonymous_ids: tuple[str, ...]
    at: int

    @property
    def ids(self) -> tuple[str, ...]:
        """All of them, users first."""
        return (*self.user_ids, *self.anonymous_ids)


@dataclass(frozen=True, slots=True)
class Payload:
    """What a destination gets of one event.

    Attributes:
        body: what is sent, as JSON has it.
        channel: where to, for destinations with several addresses. Only payloads of the same one share a request.
        part: tells several payloads of one event apart; it is part of their keys.
    """

    body: Any
    channel: str = ""
    part: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One payload on its way.

    Attributes:
        seq: of its event in the log.
        key: the key by which the destination can tell that it has the payload already: always the same for an event.
        payload: what is sent.
        size: bytes of the body as JSON.
        names: the ids of people that the event has.
    """

    seq: int
    key: str
    payload: Payload
    size: int
    names: tuple[str, ...] = ()


class Fate(Enum):
    """What became of a request.

    Attributes:
        DELIVERED: the destination has acknowledged it.
        LATER: it may succeed later, because the destination is down, busy or not set up correctly.
        REFUSED: the destination will never take it like this.
    """

    DELIVERED = "delivered"
    LATER = "later"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to a request.

    Attributes:
        fate: of all its messages.
        reason: for people, where it was not delivered.
        status: of an HTTP answer; None where there was none.
        answer: the beginning of the answer's body.
        retry_after: how many seconds the destination wants to be left alone; None where it doesn't say.
        refused: reasons of messages that were refused, by place in the request. Where the fate is `DELIVERED`, the
            others were delivered; where it is `REFUSED`, they may be sent again without these.
    """

    fate: Fate
    reason: str = ""
    status: int | None = None
    answer: str = ""
    retry_after: float | None = None
    refused: Mapping[int, str] = field(default_factory=dict)


class Links(Protocol):
    """Remembers which identifiers a destination was told to be the same person, also after a restart."""

    def is_new(self, *ids: str) -> bool:
        """Tell whether these ids together come for the first time, and remember them. They are remembered for good
        only once the event that was asked about is done."""
        ...


class DestinationClient(Protocol):
    """One service that events go to.

    Attributes:
        most_messages, most_bytes: bounds of one request.
        takes_claims: whether it is told what an event's userId is worth (`satsuma_server.verification`). Others get no
            userId that is only claimed.
    """

    most_messages: int
    most_bytes: int
    takes_claims: bool

    def translate(self, event: dict[str, Any], links: Links) -> Sequence[Payload]:
        """Return what is sent for an event, in this order; nothing where the service has no use for it.

        Raises:
            Exception: the event can't be sent. It is set aside as failed.
        """
        ...

    def forget(self, person: DeletedPerson) -> Sequence[Payload]:
        """Return what asks the service to delete a person, each for a request of its own, on the channel `DELETION`;
        nothing where the service has no way to do it, or was given no key for that."""
        ...

    async def send(self, messages: Sequence[Message]) -> Outcome:
        """Send messages of one channel in one request.

        Raises:
            Exception: something is wrong that has no answer. The messages are tried again.
        """
        ...

    def preview(self, messages: Sequence[Message]) -> str:
        """Return the request that `send` would send, for people, without secrets."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


class Counts(msgspec.Struct):
    """What became of a destination's events since it was made.

    Attributes:
        delivered: messages that were acknowledged.
        retried: requests that were sent again.
        failed: messages that were set aside.
        skipped: events that don't go there, by its rules.
    """

    delivered: int = 0
    retried: int = 0
    failed: int = 0
    skipped: int = 0


class DeletionCounts(msgspec.Struct, frozen=True):
    """How many people a destination was to delete.

    Attributes:
        waiting: requests that are still to be acknowledged.
        done: requests that were acknowledged, of those that are kept.
        failed: requests that were set aside. They can be sent again.
    """

    waiting: int = 0
    done: int = 0
    failed: int = 0


class DestinationStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a destination is doing.

    Attributes:
        type: its kind, as ``webhook``.
        address: where events go, without secrets.
        state: ``starting``, ``running``, ``waiting`` while it doesn't take what is sent, ``paused``, or ``broken``
            where its settings are not valid.
        cursor: seq up to which all events are done.
        lag: how many events the log has after that.
        failed_kept: how many failed messages are kept, and can be sent again.
        problem: why it waits or is broken.
        delivered_at: when something was last delivered, in milliseconds since 1970.
        deletions: of people; None where it can't be asked to delete anybody.
    """

    name: str
    type: str
    address: str
    state: str
    cursor: int
    lag: int
    counts: Counts
    failed_kept: int
    problem: str | None = None
    delivered_at: int | None = None
    deletions: DeletionCounts | None = None


class DeletionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request to delete a person, without the person.

    Attributes:
        id: counts up.
        key: what the destination was given as the key.
        state: ``waiting``, ``done`` where the destination has acknowledged it, or ``failed``.
        asked_at: when the person was deleted here, in milliseconds since 1970.
        ended_at: when it was acknowledged or set aside.
        tries: how often it was sent.
        status, reason, answer: of the last try. Identifiers of the person are left out of the answer.
    """

    id: int
    key: str
    state: str
    asked_at: int
    ended_at: int | None
    tries: int
    status: int | None
    reason: str
    answer: str


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """A message that was set aside, with the answer that was got.

    Attributes:
        id: counts up.
        seq: of its event. The event itself stays in the log.
        key: what the destination was given as the key.
        at: when it was set aside, in milliseconds since 1970.
        tries: how often it was sent.
        resending: whether it is about to be sent again.
    """

    id: int
    seq: int
    key: str
    reason: str
    status: int | None
    answer: str
    tries: int
    at: int
    resending: bool


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """One of a destination's newest requests, for people.

    Attributes:
        at: milliseconds since 1970.
        first, last: seq of the first and the last event.
        messages: how many it had.
        fate: as `Fate`.
        milliseconds: until the answer.
    """

    at: int
    first: int
    last: int
    messages: int
    fate: str
    status: int | None
    reason: str
    answer: str
    milliseconds: int


class DestinationReader(Protocol):
    """What the console asks."""

    async def statuses(self) -> list[DestinationStatus]:
        """Return how all destinations are doing."""
        ...

    async def failed(self, name: str, limit: int = 100, before: int | None = None) -> list[Failed]:
        """Return failed messages of a destination, the newest first. Raises `NotFoundError`."""
        ...

    async def deletions(self, name: str, limit: int = 100) -> list[DeletionRequest]:
        """Return its requests to delete people, the newest first. Raises `NotFoundError`."""
        ...

    def sent(self, name: str) -> list[Sent]:
        """Return its newest requests, the newest first. Raises `NotFoundError`."""
        ...
