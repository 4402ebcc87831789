"""Events as nearly all of them are, read and checked in one pass of native code.

What this reads is kept exactly as the longer way keeps it, which alone knows what is wrong with an event and how
to read what JavaScript writes and others don't. So a fault here is no fault: it only sends the event that way.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType, field
from satsuma.checks import MAX_EVENT_BYTES, MAX_ID_LENGTH

BRACKETS = 64
"""An event with no more of them can't nest too deeply."""

Text = Annotated[str, Meta(max_length=MAX_ID_LENGTH)]
Id = Text | UnsetType | None
Map = dict[str, Any] | UnsetType | None
Kind = Literal["identify", "track", "page", "screen", "group", "alias"]


class Usual(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """An event whose fields are the tracking API's own, of the right types; see `satsuma.checks`."""

    type: Kind | UnsetType = UNSET
    event: Id = UNSET
    messageId: Id = UNSET  # noqa: N815
    anonymousId: Id = UNSET  # noqa: N815
    userId: Id = UNSET  # noqa: N815
    groupId: Id = UNSET  # noqa: N815
    previousId: Id = UNSET  # noqa: N815
    name: Any = UNSET
    category: Any = UNSET
    properties: Map = UNSET
    traits: Map = UNSET
    context: Map = UNSET
    integrations: Map = UNSET
    channel: Any = UNSET
    writeKey: Any = UNSET  # noqa: N815
    metadata: Any = field(default=UNSET, name="_metadata")
    originalTimestamp: Any = UNSET  # noqa: N815
    sentAt: Any = UNSET  # noqa: N815
    receivedAt: Any = UNSET  # noqa: N815
    timestamp: Any = UNSET


_decode = msgspec.json.Decoder(Usual).decode


def read_usual(raw: bytes) -> Usual | None:
    """Return an event that can be kept as it is, or None for one that the longer way has to look at."""
    if len(raw) > MAX_EVENT_BYTES or raw.count(b"{") + raw.count(b"[") > BRACKETS:
        return None
    try:
        return _decode(raw)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None


def is_complete(event: Usual) -> bool:
    """Tell whether nothing is missing that an event of its type needs."""
    if not event.userId and not event.anonymousId:
        return False
    if event.type == "track":
        return bool(event.event) and not event.event.isspace()  # type: ignore[union-attr]
    return event.type is not UNSET and event.type != "alias"
