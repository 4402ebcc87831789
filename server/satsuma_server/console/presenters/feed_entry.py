"""One event as a row of the live feed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from satsuma.validation import EVENT_TYPES

from satsuma_server.log import Stored
from satsuma_server.times import parse_time

MOST_TRAITS = 3
"""How many traits a row names."""


class _Head(msgspec.Struct):
    """The fields that are read of every event. They can have any type, since they are what somebody sent."""

    type: Any = ""
    event: Any = None
    name: Any = None
    userId: Any = None  # noqa: N815
    anonymousId: Any = None  # noqa: N815
    previousId: Any = None  # noqa: N815
    groupId: Any = None  # noqa: N815
    messageId: Any = ""  # noqa: N815
    receivedAt: Any = None  # noqa: N815


_heads = msgspec.json.Decoder(_Head)


@dataclass(frozen=True, slots=True)
class Entry:
    """A stored event, as the feed shows it.

    Attributes:
        type: one of `EVENT_TYPES`.
        name: name of a track call, page or screen; empty for other types.
        at: when it was received, in milliseconds since 1970.
    """

    seq: int
    source: str
    body: bytes
    type: str
    name: str
    user_id: str
    anonymous_id: str
    previous_id: str
    group_id: str
    message_id: str
    at: float

    @classmethod
    def of(cls, stored: Stored) -> Entry:
        """Read an event of the log."""
        head = _heads.decode(stored.body)
        kind = head.type if head.type in EVENT_TYPES else "track"
        return cls(
            seq=stored.seq,
            source=stored.source,
            body=stored.body,
            type=kind,
            name=_text(head.event if kind == "track" else head.name),
            user_id=_text(head.userId),
            anonymous_id=_text(head.anonymousId),
            previous_id=_text(head.previousId),
            group_id=_text(head.groupId),
            message_id=_text(head.messageId),
            at=parse_time(head.receivedAt) or 0.0,
        )

    @property
    def ids(self) -> tuple[str, ...]:
        """All ids in the event."""
        return tuple(filter(None, (self.user_id, self.anonymous_id, self.previous_id, self.group_id)))

    @property
    def who(self) -> str:
        """The id that identifies the visitor best."""
        return self.user_id or self.anonymous_id

    @property
    def key(self) -> str:
        """`who` with its type, as in the address of a person's page."""
        return f"user_id:{self.user_id}" if self.user_id else f"anonymous_id:{self.anonymous_id}"

    @property
    def event(self) -> dict[str, Any]:
        """The whole event. It is decoded each time, so that thousands of entries need little memory."""
        event: dict[str, Any] = msgspec.json.decode(self.body)
        return event

    @property
    def title(self) -> str:
        """A few words that say what the event is about."""
        return title_of(self.event)


def title_of(event: Mapping[str, Any]) -> str:
    """Return a few words that say what an event is about; empty where nothing is known."""
    kind = event.get("type")
    if kind == "identify":
        return _traits(_mapping(event.get("traits")))
    if kind == "group":
        return _text(event.get("groupId"))
    if kind == "alias":
        return f"{_text(event.get('previousId'))} → {_text(event.get('userId'))}"
    properties = _mapping(event.get("properties"))
    name = _text(event.get("event") if kind == "track" else event.get("name"))
    return name or _text(properties.get("path")) or _text(properties.get("title"))


def _traits(traits: Mapping[str, Any]) -> str:
    told = [f"{name}: {_text(value)}" for name, value in list(traits.items())[:MOST_TRAITS]]
    more = len(traits) - len(told)
    return ", ".join(told) + (f" and {more} more" if more > 0 else "")


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
