"""The nodes of a profile: a ring, in which each names the next.

An index by profile would be written to on a page of its own for each identifier that joins another; here two rings
become one by two nodes that change their next, and a batch writes both anyway.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from satsuma_server.identity.graph import Node

from .database import Database, insert, rows
from .row_mapping import NODE, node_of

_MEMBERS = (
    "WITH RECURSIVE members(number) AS ({} UNION "
    "SELECT nodes.next FROM members JOIN nodes ON nodes.number = members.number) "
)
MEMBERS = _MEMBERS.format("SELECT nodes.number FROM nodes WHERE number = ? AND profile = number")
"""Begins a statement: the numbers of all nodes of the profile whose number is its first value."""


def load_members(database: Database, profiles: Iterable[int]) -> list[Node]:
    """Return all nodes of some profiles."""
    given = _MEMBERS.format(f"SELECT given.profile FROM {database.given('nodes.profile')}")
    found = database.run(
        f"{given} SELECT {NODE} FROM members JOIN nodes USING (number)",
        rows((one,) for one in sorted(profiles)),
    )
    return [node_of(row) for row in found]


def move_members(database: Database, moved: Sequence[tuple[int, int]]) -> None:
    """Make all nodes of profiles those of others, given as pairs of which the first moves into the second.

    To be called while the rings in the database are those before.
    """
    insert(
        database,
        "WITH RECURSIVE moving(kept, number) AS (SELECT given.kept, given.gone FROM {} UNION "
        "SELECT moving.kept, nodes.next FROM moving JOIN nodes ON nodes.number = moving.number) "
        "UPDATE nodes SET profile = moving.kept, sizes = '' FROM moving WHERE nodes.number = moving.number",
        ("edges.gone", "edges.kept"),
        moved,
    )
