"""A fast path for usual events, which are decoded and checked in one pass of native code.

The result is exactly that of the slow path, which alone can say what is wrong with an event, and which reads what only
JavaScript writes. So an event that can't be read here is not refused: it only takes the slow path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType, field
from satsuma.validation import MAX_ID_LENGTH

LEVELS = 8
"""How many levels a usual event's properties have. The decoder checks it by the type, which costs no additional
time."""

Scalar = str | int | float | bool | None


def _nested(levels: int) -> Any:
    """Return the type of a JSON value with at most so many levels."""
    value: Any = Scalar
    for _ in range(levels):
        value = Scalar | list[value] | dict[str, value]
    return value


if TYPE_CHECKING:
    Value = Any
else:
    Value = _nested(LEVELS)

Text = Annotated[str, Meta(max_length=MAX_ID_LENGTH)]
Id = Text | UnsetType | None
Map = dict[str, Value] | UnsetType | None
Kind = Literal["identify", "track", "page", "screen", "group", "alias"]


class FastEvent(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """An event that has only fields of the tracking API, with the right types; see `satsuma.validation`."""

    type: Kind | UnsetType = UNSET
    event: Id = UNSET
    messageId: Id = UNSET  # noqa: N815
    anonymousId: Id = UNSET  # noqa: N815
    userId: Id = UNSET  # noqa: N815
    groupId: Id = UNSET  # noqa: N815
    previousId: Id = UNSET  # noqa: N815
    name: Value | UnsetType = UNSET
    category: Value | UnsetType = UNSET
    properties: Map = UNSET
    traits: Map = UNSET
    context: Map = UNSET
    integrations: Map = UNSET
    channel: Value | UnsetType = UNSET
    writeKey: Value | UnsetType = UNSET  # noqa: N815
    metadata: Value | UnsetType = field(default=UNSET, name="_metadata")
    originalTimestamp: Value | UnsetType = UNSET  # noqa: N815
    sentAt: Value | UnsetType = UNSET  # noqa: N815
    receivedAt: Value | UnsetType = UNSET  # noqa: N815
    timestamp: Value | UnsetType = UNSET


def read_fast[T](text: bytes, decoder: msgspec.json.Decoder[T]) -> T | None:
    """Decode a usual event or batch; return None where it needs the slow path."""
    try:
        return decoder.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None


def is_complete(event: FastEvent) -> bool:
    """Tell whether an event has everything that its type requires."""
    if not event.userId and not event.anonymousId:
        return False
    if event.type == "track":
        return bool(event.event) and not event.event.isspace()  # type: ignore[union-attr]
    if event.type == "identify":
        # One without traits may have them in its context, which the slow path looks into.
        return bool(event.traits)
    return event.type is not UNSET and event.type != "alias"
