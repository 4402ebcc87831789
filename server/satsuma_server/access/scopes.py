"""What a token may be allowed to do."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    """One permission of a token.

    Attributes:
        READ_EVENTS: read stored events, refused ones, and what is not as planned.
        READ_PEOPLE: read profiles, and export people.
        DELETE: delete and suppress people.
        SQL: ask the warehouse, and load it. Its tables have all events and people.
        METRICS: read all metrics.
        ADMIN: everything, also what changes data: undo links, rebuild, import history, speak for the server.
    """

    READ_EVENTS = "read_events"
    READ_PEOPLE = "read_people"
    DELETE = "delete"
    SQL = "sql"
    METRICS = "metrics"
    ADMIN = "admin"


SEPARABLE = frozenset({Scope.READ_EVENTS, Scope.READ_PEOPLE})
"""The scopes of a token that is limited to some sources: only what these read can be told apart by source."""
