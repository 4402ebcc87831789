"""How far a person reaches from one of their identifiers: what is handed over, or deleted, to whoever proves that one.

Identifiers are one profile when something links them, and who has the public write key can link a device of theirs to
any userId. So a link that nothing verifies says something of the userId's devices, and nothing of the device's owner.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from enum import StrEnum

from .graph import Edge
from .identifiers import USER_ID
from .links import VERIFIED, Outcome

Ways = Mapping[int, Iterable[int]]


class Reach(StrEnum):
    """Which links are followed.

    Attributes:
        VERIFIED: those that nobody can make by guessing an id; and from a userId that is reached, also the others.
        ALL: each, so that it is the whole profile.
    """

    VERIFIED = "verified"
    ALL = "all"


def reachable(types: Mapping[int, str], edges: Iterable[Edge], start: int) -> set[int]:
    """Return the nodes of a profile that are reached from one of them.

    Verified links are followed both ways. From the userIds that are found then, other links are followed away from the
    userId, and never to another.

    Args:
        types: of the profile's nodes, by number.
        edges: links between them; those that were refused are passed over.
        start: a node.
    """
    firm: dict[int, list[int]] = defaultdict(list)
    down: dict[int, list[int]] = defaultdict(list)
    for edge in edges:
        if edge.outcome is Outcome.REFUSED:
            continue
        if edge.rule in VERIFIED:
            firm[edge.left].append(edge.right)
            firm[edge.right].append(edge.left)
        upper, lower = (edge.right, edge.left) if types[edge.right] == USER_ID else (edge.left, edge.right)
        if types[lower] != USER_ID:
            down[upper].append(lower)
    found = _closure(firm, {start})
    return found | _closure(down, {node for node in found if types[node] == USER_ID})


def _closure(ways: Ways, starts: set[int]) -> set[int]:
    seen, front = set(starts), list(starts)
    while front:
        for node in ways.get(front.pop(), ()):
            if node not in seen:
                seen.add(node)
                front.append(node)
    return seen
