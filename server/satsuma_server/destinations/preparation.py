"""Makes messages from events of the log, by a destination's rules and its client."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from satsuma_server.forwarding import Forwarding
from satsuma_server.forwarding.claims import without_claims
from satsuma_server.log import Stored

from . import DestinationClient, Fate, Links, Message, Outcome, Payload
from .lane import Dead
from .store import link_digest

NAMES = ("userId", "anonymousId", "previousId")
"""Members of an event that are ids of people."""


class StoredLinks:
    """Implements `Links`: what is stored, and what is new since.

    Attributes:
        new: hashes of the new ones, each with the ids that it links.
    """

    def __init__(self, knows: Callable[[bytes], bool]) -> None:
        self._knows = knows
        self.new: dict[bytes, tuple[str, ...]] = {}

    def is_new(self, *ids: str) -> bool:
        link = link_digest(ids)
        if link in self.new or self._knows(link):
            return False
        self.new[link] = ids
        return True


class AllNew:
    """Implements `Links` for one event by itself: everything is told again."""

    def is_new(self, *ids: str) -> bool:
        return True


@dataclass(slots=True)
class Prepared:
    """What a destination is to get of some events.

    Attributes:
        skipped: how many events don't go there.
        dead: stands for events that can't be sent.
    """

    messages: list[Message] = field(default_factory=list)
    skipped: int = 0
    dead: list[Dead] = field(default_factory=list)


def prepare(events: Sequence[Stored], rules: Forwarding, client: DestinationClient, links: Links) -> Prepared:
    """Return what is sent for events. An event that can't be sent is set aside, and holds up no other."""
    prepared = Prepared()
    for stored in events:
        event: dict[str, Any] = {}
        try:
            event = msgspec.json.decode(stored.body)
            names = names_in(event)
            found = _messages(stored, event, names, rules, client, links)
        except Exception as error:
            told = Outcome(Fate.REFUSED, f"no request can be made of it: {type(error).__name__}: {error}"[:300])
            nothing = Message(stored.seq, str(event.get("messageId", "")), Payload(None), 0, names_in(event))
            prepared.dead.append(Dead(nothing, told, 0))
            continue
        prepared.messages += found
        prepared.skipped += not found
    return prepared


def names_in(event: dict[str, Any]) -> tuple[str, ...]:
    """Return the ids of people that an event has, of whatever kind."""
    values = (event.get(name) for name in NAMES)
    return tuple(value for value in values if isinstance(value, str) and value)


def names_of(stored: Stored) -> tuple[str, ...]:
    """Return the ids of people of an event in the log; none where it can't be read."""
    try:
        return names_in(msgspec.json.decode(stored.body))
    except (msgspec.DecodeError, AttributeError):
        return ()


def _messages(
    stored: Stored,
    event: dict[str, Any],
    names: tuple[str, ...],
    rules: Forwarding,
    client: DestinationClient,
    links: Links,
) -> list[Message]:
    if rules.why_not(stored.source, event) is not None:
        return []
    key = str(event.get("messageId"))
    known = event if client.takes_claims else without_claims(event)
    if known is None:
        return []
    known["writeKey"] = stored.source
    going = rules.prepare(known)
    if going is None:
        return []
    made = []
    for payload in client.translate(going, links):
        size = len(msgspec.json.encode(payload.body))
        own = f"{key}:{payload.part}" if payload.part else key
        made.append(Message(stored.seq, own, payload, size, names))
    return made
