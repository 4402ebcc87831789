"""What makes two events with one messageId the same event: a hash of what they tell.

A client that sends an event again sends it with another ``sentAt``, another ``_metadata.retryCount`` and other counters
in ``context``, and perhaps from another address. Its type, ids, name, properties and traits stay as they are.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import UNSET

from .fast_path import FastEvent

DIGEST_BYTES = 8

NO_HASH = ""
"""Of an event whose content doesn't count; see `needs_hash`."""

_IS_RANDOM = re.compile(r"ajs-[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}").fullmatch
"""Tells whether a messageId is one that Satsuma's pages make, with 122 random bits."""


class _Content(msgspec.Struct, gc=False):
    """The members that no second try changes."""

    type: Any
    event: Any
    anonymousId: Any  # noqa: N815
    userId: Any  # noqa: N815
    groupId: Any  # noqa: N815
    previousId: Any  # noqa: N815
    name: Any
    category: Any
    properties: Any
    traits: Any


# A client may keep an event as a map without an order while it waits.
_encode = msgspec.json.Encoder(order="deterministic").encode


def needs_hash(message_id: object) -> bool:
    """Tell whether the content of an event counts beside its messageId, given the messageId as it was sent.

    It doesn't where the messageId is one of a Satsuma page. Nobody can guess it, and the same call may become an event
    twice: a page that ends before it knows that its calls have arrived leaves them to the next page or to the
    collector, which may know by then who the visitor is. Nor does it where there is no messageId: nothing would tell
    a second try of the event from another event.
    """
    return bool(message_id) and _IS_RANDOM(str(message_id)) is None


def hash_of(event: FastEvent) -> str:
    """Return the hash of a complete event."""
    content = _Content(
        event.type,
        event.event,
        event.anonymousId,
        event.userId,
        event.groupId,
        event.previousId,
        event.name,
        event.category,
        event.properties,
        event.traits,
    )
    return blake2b(_encode(content), digest_size=DIGEST_BYTES).hexdigest()


def hash_of_any(event: dict[str, Any]) -> str:
    """Return the hash of an event of whatever members; the same as `hash_of` returns for the same event."""
    content = _Content(*(event.get(name, UNSET) for name in _Content.__struct_fields__))
    return blake2b(_encode(content), digest_size=DIGEST_BYTES).hexdigest()
