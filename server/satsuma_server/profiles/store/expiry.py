"""Finds what was not seen for longer than it is kept, a bounded portion at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from satsuma_server.identity.graph import Node

from .database import Database, insert
from .members import load_members
from .row_mapping import unpack_sizes

NODES_A_PORTION = 2_000
"""How many nodes one portion looks at."""

MOST_REMOVED = 5_000
"""The most nodes that one portion removes, unless a single profile has more."""

MOMENTS_A_PORTION = 5_000


@dataclass(frozen=True, slots=True)
class Old:
    """What is old: what happened before `before`, in milliseconds since 1970, and came no later than the event `seq`.

    Both have to hold, since an event that was imported happened long before it came.
    """

    before: int
    seq: int


@dataclass(frozen=True, slots=True)
class Expired:
    """How much a portion removed, and after which number the next portion begins; None where there is none."""

    count: int
    next: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """The nodes of old profiles, and after which node the next portion begins; None where there is none."""

    nodes: Sequence[Node]
    next: int | None


def find_old(database: Database, after: int, old: Old) -> Found:
    """Return all nodes of profiles that are old as a whole, among those whose first node has a number above `after`."""
    rows = database.run(
        "SELECT number, profile, last, newest, sizes FROM nodes WHERE number > ? ORDER BY number LIMIT ?",
        after,
        NODES_A_PORTION,
    )
    profiles: list[int] = []
    room = MOST_REMOVED
    reached = None if len(rows) < NODES_A_PORTION else int(rows[-1][0])
    for number, profile, last, newest, sizes in rows:
        if number != profile or last >= old.before or newest > old.seq:
            continue
        size = sum(unpack_sizes(sizes).values()) or 1
        if profiles and size > room:
            reached = number - 1
            break
        room -= size
        profiles.append(number)
    members: dict[int, list[Node]] = defaultdict(list)
    for node in load_members(database, profiles):
        members[node.profile].append(node)
    return Found([node for nodes in members.values() if _are_old(nodes, old) for node in nodes], reached)


def remove_old_moments(database: Database, after: int, old: Old) -> Expired:
    """Remove old ones among the moments with a seq above `after`, in their order, until a whole portion has none."""
    rows = database.run(
        "SELECT seq, at FROM moments WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?", after, old.seq, MOMENTS_A_PORTION
    )
    gone = [(seq,) for seq, at in rows if at < old.before]
    insert(database, "DELETE FROM moments WHERE seq IN (SELECT seq FROM {})", ("moments.seq",), gone)
    is_done = len(rows) < MOMENTS_A_PORTION or not gone
    return Expired(len(gone), None if is_done else int(rows[-1][0]))


def _are_old(nodes: Sequence[Node], old: Old) -> bool:
    return all(node.last < old.before and node.newest <= old.seq for node in nodes)
