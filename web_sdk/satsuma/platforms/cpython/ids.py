"""Ids: new ones from the system's cryptographic source, and those that an app gives."""

from __future__ import annotations

import os
from uuid import UUID

from satsuma.arguments import id_text

Id = str | int | UUID


AT_ONCE = 32
"""New ids that are made in one go: asking the system costs a call of an app as much as all the rest of it."""

_ready: list[str] = []


def new_id() -> str:
    """Return a random UUID (version 4), from the system's cryptographic source: unique also after a fork."""
    try:
        return _ready.pop()
    except IndexError:
        first, *more = _new_ids(AT_ONCE)
        _ready.extend(more)
        return first


def _new_ids(count: int) -> list[str]:
    text = os.urandom(16 * count).hex()
    return [_uuid(text[place : place + 32]) for place in range(0, 32 * count, 32)]


def _uuid(text: str) -> str:
    variant = "89ab"[int(text[16], 16) & 3]
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"


if hasattr(os, "register_at_fork"):
    # A child that had its parent's would give the same ids to other events.
    os.register_at_fork(after_in_child=_ready.clear)


def id_of(value: Id | None) -> str | None:
    """Return an id as text, an empty one as None."""
    if value is None or type(value) is str:
        return value or None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return id_text(value)
    return str(value) or None
