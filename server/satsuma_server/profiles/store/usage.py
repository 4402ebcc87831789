"""Counts tracked users by month. Each id's row has the months in which it was tracked; a small table has the
numbers."""

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
"""The most months that are counted, and remembered for each id: the newest ones."""

MOST_SOURCES = 100
"""The most sources that are counted separately for an id in a month. In all sources together it is counted anyway."""

TOGETHER = ""
"""Stands for all sources together, where an id that is in two sources counts once."""

Changes = Counter[tuple[str, str, int]]
"""How much the number of ids increases, by month, source and state."""


def tracked(sightings: Iterable[ExtractedIdentifiers], nodes: Mapping[Key, Node]) -> Changes:
    """Record in nodes the months in which events had them, and return how the numbers increase."""
    changes = Changes()
    for one in sightings:
        named = [nodes[key] for key in one.keys if key.type in (USER_ID, ANONYMOUS_ID)]
        anonymous = IDENTIFIED if any(node.key.type == USER_ID for node in named) else UNIDENTIFIED
        for node in named:
            _track(one, node, USER if node.key.type == USER_ID else anonymous, changes)
    return changes


def untracked(nodes: Iterable[Node]) -> Changes:
    """Return how the numbers decrease when these ids are removed."""
    changes = Changes()
    for node in nodes:
        for month in node.tracked:
            _count(node, month, -1, changes)
    return changes


def save_usage(database: Database, changes: Changes) -> None:
    """Add changes to the numbers in the database."""
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
