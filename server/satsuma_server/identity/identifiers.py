"""Identifiers, which are a type with a value such as ``user_id:97980cfea0067``, and the types of every collector."""

from __future__ import annotations

from typing import NamedTuple

USER_ID, ANONYMOUS_ID, PREVIOUS_ID = "user_id", "anonymous_id", "previous_id"
"""The types that every collector has. ``previous_id`` is the other id that an alias names."""


PROFILE = "profile"
"""A type for queries only: ``profile:17`` is the profile of this number, or the profile that it became part of."""


class Key(NamedTuple):
    """One identifier.

    Attributes:
        type: ``user_id``, ``anonymous_id``, ``previous_id``, or the name of a configured one.
        value: the value, as in events.
        space: where the value is unique: empty for the whole collector, or a write key where each source has people of
            its own.
    """

    type: str
    value: str
    space: str = ""

    def __str__(self) -> str:
        return f"{self.type}:{self.value}"
