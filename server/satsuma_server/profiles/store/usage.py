"""Which ids were tracked in which month, and how many: each id's row has its own months, a small table the numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from satsuma_server.identity.extraction import ExtractedIdentifiers
from satsuma_server.identity.graph import Node
from satsuma_server.identity.identifiers import ANONYMOUS_ID, USER_ID, Key

from .database import Database, upsert

NEVER, UNIDENTIFIED, IDENTIFIED, USER = range(-1, 3)
"""States of an id in a month."""

MONTHS = 24
"""Most months, the newest, that are told, and remembered of an id."""

MOST_SOURCES = 100
"""Most sources that are told apart for an id in a month: it has been counted by then among all of them together."""

TOGETHER = ""
"""In the place of a source: all of them, where an id of two counts once."""

Changes = Counter[tuple[str, str, int]]
"""How many ids more there are by month, source and state."""


def tracked(sightings: Iterable[ExtractedIdentifiers], nodes: Mapping[Key, Node]) -> Changes:
    """Note in nodes in which months events have named them, and return how many there are more."""
    changes = Changes()
    for one in sightings:
        named = [nodes[key] for key in one.keys if key.type in (USER_ID, ANONYMOUS_ID)]
        anonymous = IDENTIFIED if any(node.key.type == USER_ID for node in named) else UNIDENTIFIED
        for node in named:
            _track(one, node, USER if node.key.type == USER_ID else anonymous, changes)
    return changes


def untracked(nodes: Iterable[Node]) -> Changes:
    """Return what is less where there are no such ids any more."""
    changes = Changes()
    for node in nodes:
        for month in node.tracked:
            _count(node, month, -1, changes)
    return changes


def save_usage(database: Database, changes: Changes) -> None:
    """Write how many ids there are."""
    found = ((*mark, count) for mark, count in sorted(changes.items()) if count)
    upsert(database, "usage", found, "ids = usage.ids + excluded.ids")


def _track(one: ExtractedIdentifiers, node: Node, state: int, changes: Changes) -> None:
    states = node.tracked.setdefault(one.month, {})
    before = states.get(one.source, NEVER if len(states) < MOST_SOURCES else USER)
    if before < state:
        _count(node, one.month, -1, changes)
        states[one.source] = state
        _count(node, one.month, 1, changes)
        if len(node.tracked) > MONTHS:
            del node.tracked[min(node.tracked)]


def _count(node: Node, month: str, by: int, changes: Changes) -> None:
    states = node.tracked[month]
    for source, state in states.items():
        changes[month, source, state] += by
    if states:
        changes[month, TOGETHER, max(states.values())] += by
