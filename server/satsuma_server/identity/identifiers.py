"""Identifiers: a type with a value, as ``user_id:97980cfea0067``, and the types that every collector has."""

from __future__ import annotations

from typing import NamedTuple

USER_ID, ANONYMOUS_ID, PREVIOUS_ID = "user_id", "anonymous_id", "previous_id"
"""The identifiers that every collector has; ``previous_id`` is what an alias calls the other id."""


PROFILE = "profile"
"""Not an identifier but a way to ask: ``profile:17`` is the profile of that number, or what it became part of."""


class Key(NamedTuple):
    """One identifier.

    Attributes:
        type: ``user_id``, ``anonymous_id``, ``previous_id``, or the name of a configured one.
        value: as events carry it.
        space: within which values are unique: empty for the whole collector, or a write key where each source has
            people of its own.
    """

    type: str
    value: str
    space: str = ""

    def __str__(self) -> str:
        return f"{self.type}:{self.value}"
