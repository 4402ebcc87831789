"""Reads and moves the nodes of a profile, which form a ring in which each node has the number of the next.

An index by profile would need a write to another page for each identifier that joins a profile. Two rings become one by
changing two nodes, which a batch writes anyway.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from satsuma_server.identity.graph import Edge, Node
from satsuma_server.identity.links import Outcome
from satsuma_server.identity.reach import reachable

from .database import Database, insert, rows
from .row_mapping import EDGE, NODE, edge_of, node_of

_MEMBERS = (
    "WITH RECURSIVE members(number) AS ({} UNION "
    "SELECT nodes.next FROM members JOIN nodes ON nodes.number = members.number) "
)


@dataclass(frozen=True, slots=True)
class Members:
    """The nodes that a statement is about, which it sees as the table ``members``.

    Attributes:
        table: the beginning of the statement.
        value: the value of its first placeholder.
    """

    table: str
    value: Any

    @classmethod
    def of_profile(cls, number: int) -> Members:
        """Return all nodes of a profile."""
        return cls(_MEMBERS.format("SELECT nodes.number FROM nodes WHERE number = ? AND profile = number"), number)

    @classmethod
    def of_nodes(cls, database: Database, numbers: Iterable[int]) -> Members:
        """Return some nodes."""
        given = f"SELECT given.number FROM {database.given('nodes.number')}"
        return cls(f"WITH members(number) AS ({given}) ", rows((one,) for one in sorted(numbers)))


def load_members(database: Database, profiles: Iterable[int]) -> list[Node]:
    """Return all nodes of some profiles."""
    given = _MEMBERS.format(f"SELECT given.profile FROM {database.given('nodes.profile')}")
    found = database.run(
        f"{given} SELECT {NODE} FROM members JOIN nodes USING (number)",
        rows((one,) for one in sorted(profiles)),
    )
    return [node_of(row) for row in found]


def move_members(database: Database, moved: Sequence[tuple[int, int]]) -> None:
    """Move all nodes of profiles into others. The first profile of each pair moves into the second.

    Call it while the database still has the rings from before.
    """
    insert(
        database,
        "WITH RECURSIVE moving(kept, number) AS (SELECT given.kept, given.gone FROM {} UNION "
        "SELECT moving.kept, nodes.next FROM moving JOIN nodes ON nodes.number = moving.number) "
        "UPDATE nodes SET profile = moving.kept, sizes = '' FROM moving WHERE nodes.number = moving.number",
        ("edges.gone", "edges.kept"),
        moved,
    )


def load_reach(database: Database, nodes: Collection[Node], start: int) -> set[int]:
    """Return the numbers of the nodes that are verified to be one person with `start`; `nodes` is the whole profile."""
    types = {node.number: node.key.type for node in nodes}
    found = database.run(
        f"SELECT {EDGE} FROM {database.given('nodes.number')} CROSS JOIN edges "
        f"WHERE edges.left_node = given.number AND edges.outcome <> '{Outcome.REFUSED}'",
        rows((number,) for number in sorted(types)),
    )
    edges: list[Edge] = [edge_of(row) for row in found]
    return reachable(types, edges, start)
