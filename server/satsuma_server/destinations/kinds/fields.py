"""Reads fields of events for services: ids, times and names."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from satsuma_server.destinations import DELETION, DeletedPerson, Payload
from satsuma_server.times import parse_time

Event = dict[str, Any]

NAMESPACE = uuid.UUID("6f0f9a4e-5d0b-5b3a-9d3e-8f3f3c1f6a51")
"""Of the UUIDs that are made from messageIds."""


def in_parts(ids: Sequence[str], most: int) -> list[Payload]:
    """Return deletions of so many ids each."""
    return [
        Payload(list(ids[first : first + most]), DELETION, str(first) if first else "")
        for first in range(0, len(ids), most)
    ]


def deletion_message(person: DeletedPerson) -> Event:
    """Return the message by which receivers of our own form are told of a deletion."""
    at = datetime.fromtimestamp(person.at / 1000, UTC)
    return {
        "type": "delete",
        "messageId": person.key,
        "userIds": list(person.user_ids),
        "anonymousIds": list(person.anonymous_ids),
        "timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }


def text(event: Event, name: str) -> str:
    """Return a member that is a text; empty where there is none."""
    value = event.get(name)
    return value if isinstance(value, str) else ""


def record(event: Event, name: str) -> Event:
    """Return a member that is an object; an empty one where there is none."""
    value = event.get(name)
    return value if isinstance(value, dict) else {}


def milliseconds(event: Event) -> int:
    """Return when the event happened, or was received where it doesn't say, in milliseconds since 1970."""
    for name in ("timestamp", "receivedAt"):
        at = parse_time(event.get(name))
        if at is not None:
            return int(at)
    return int(time.time() * 1000)


def as_uuid(message_id: str) -> str:
    """Return a messageId as a UUID: itself where it is one, and otherwise always the same one for the same id."""
    try:
        return str(uuid.UUID(message_id))
    except ValueError:
        return str(uuid.uuid5(NAMESPACE, message_id))


def track_name(event: Event, reserved: frozenset[str]) -> str:
    """Return a track event's name. Anybody can send any name, and some make a service merge people.

    Raises:
        ValueError: it is one of `reserved`.
    """
    name = text(event, "event")
    if name in reserved:
        raise ValueError(f"the service keeps the name {name} for itself")
    return name


def page_of(event: Event) -> Event:
    """Return what is known of the event's page: its properties, where it is a page call, over ``context.page``."""
    page = record(record(event, "context"), "page")
    return {**page, **record(event, "properties")} if event.get("type") == "page" else page


def screen_or_page_name(event: Event) -> str:
    """Return the name of a page or screen call."""
    return text(event, "name") or text(record(event, "properties"), "name")


def known_anonymous_id(event: Event) -> tuple[str, str]:
    """Return the anonymousId and the userId of an event that has both, which links them; empty texts otherwise."""
    anonymous, user = text(event, "anonymousId"), text(event, "userId")
    return (anonymous, user) if anonymous and user and anonymous != user else ("", "")
