"""Ids: new ones from the system's cryptographic source, and those that an app gives."""

from __future__ import annotations

import os
from uuid import UUID

from satsuma.arguments import id_text

Id = str | int | UUID


def new_id() -> str:
    """Return a random UUID (version 4), from the system's cryptographic source: unique also after a fork."""
    text = os.urandom(16).hex()
    variant = "89ab"[int(text[16], 16) & 3]
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"


def id_of(value: Id | None) -> str | None:
    """Return an id as text, an empty one as None."""
    if value is None or type(value) is str:
        return value or None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return id_text(value)
    return str(value) or None
