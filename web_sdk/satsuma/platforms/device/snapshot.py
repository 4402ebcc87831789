"""A copy of what a call was given, which later changes by the app don't reach, taken at little cost.

What can change is copied in the app's thread: objects and lists. Texts and numbers can't change; whether they are too
much for an event, and all else that costs time, is looked at in the core's thread.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from satsuma.json_values import MOST_CHARACTERS, PLAIN_NUMBERS, PlainCopy, is_bounded
from satsuma.omissions import Omissions
from satsuma.platforms.cpython.event_text import nearest_value

NODE_SIZE = 100
"""Bytes that a member of an object takes beside its text, on the average and rather too many."""

MOST_SIZE = 4 * MOST_CHARACTERS
"""Bytes up to which a value is copied as it is; more is certainly too much for an event, and is shortened at once."""


class Snapshot(NamedTuple):
    """The copy.

    Attributes:
        value: made of objects, lists, texts, numbers, true, false and null, whose names may be no texts yet; within
            bounds of work and memory, though not of those of an event.
        size: bytes that it keeps in memory, or a little more.
    """

    value: Any
    size: int


def take(value: list[Any] | dict[str, Any], omissions: Omissions) -> Snapshot:
    """Return the snapshot of a value. What JSON lacks becomes what comes nearest, as in `event_text.to_text`.

    Args:
        omissions: hears of what is left out, because it can't be read or is too much for an event.
    """
    copy = value.copy()
    size = _separate(copy)
    if size is None:
        return Snapshot(PlainCopy(omissions, nearest_value).of(value), MOST_SIZE)
    return Snapshot(copy, size)


def read(snapshot: Snapshot, omissions: Omissions) -> Any:
    """Return the value of a snapshot, within the bounds of an event.

    Args:
        omissions: hears of what is left out.
    """
    return snapshot.value if is_bounded(snapshot.value) else PlainCopy(omissions, nearest_value).of(snapshot.value)


def _separate(copy: Any) -> int | None:
    """Copy the objects and lists below a copied one, in their places; return the bytes that all of it keeps in memory.

    It is None where there is something else, or more than `MOST_SIZE`, as of what holds itself. The loop calls no
    functions of ours: between two calls of an app the processor forgets our code, and each would cost as much as an
    object.
    """
    parts, size = [copy], NODE_SIZE * len(copy)
    for part in parts:
        for name, one in part.items() if type(part) is dict else enumerate(part):
            kind = type(one)
            if kind is str:
                size += len(one)
            elif kind is dict or kind is list or kind is tuple:
                size += NODE_SIZE * len(one)
                if size > MOST_SIZE:
                    return None
                part[name] = below = list(one) if kind is tuple else one.copy()
                parts.append(below)
            elif kind not in PLAIN_NUMBERS:
                return None
    return size if size <= MOST_SIZE else None
