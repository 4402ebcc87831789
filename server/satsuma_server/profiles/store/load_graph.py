"""Reads the part of the graph that a batch may touch, with a fixed number of statements for the whole batch."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from satsuma_server.identity.extraction import ExtractedIdentifiers
from satsuma_server.identity.graph import Edge, Known, Node, Pair, Sizes
from satsuma_server.identity.identifiers import ANONYMOUS_ID, PREVIOUS_ID, USER_ID, Key

from .database import Database, rows
from .names import load_nodes
from .row_mapping import EDGE, edge_of, unpack_sizes

Apart = Sequence[tuple[Key, Key]]


def load(
    database: Database, sightings: Sequence[ExtractedIdentifiers], next_node: int, next_edge: int
) -> tuple[list[ExtractedIdentifiers], Known]:
    """Return the events that are not late copies of others, and the part of the graph that they may touch."""
    apart = load_apart(database)
    nodes = load_nodes(database, _keys(database, sightings, apart))
    unseen = _unseen(database, sightings, nodes)
    sizes = _sizes(database, nodes.values())
    return unseen, Known(nodes, sizes, _pairs(database, unseen, nodes), apart, next_node, next_edge)


def load_apart(database: Database) -> list[tuple[Key, Key]]:
    """Return the pairs of identifiers that somebody declared to be two people."""
    found = database.run("SELECT space, left_type, left_value, right_type, right_value FROM apart")
    return [(Key(a, b, space), Key(c, d, space)) for space, a, b, c, d in found]


def _keys(database: Database, sightings: Sequence[ExtractedIdentifiers], apart: Apart) -> Iterator[Key]:
    aliased = any(one.previous for one in sightings) or _has_aliases(database)
    for one in sightings:
        yield from one.keys
        if one.previous:
            yield one.previous
            yield from (one.previous._replace(type=type) for type in (USER_ID, ANONYMOUS_ID))
        if aliased:
            yield from (key._replace(type=PREVIOUS_ID) for key in one.keys if key.type in (USER_ID, ANONYMOUS_ID))
    for pair in apart:
        yield from pair


def _has_aliases(database: Database) -> bool:
    return bool(database.run("SELECT 1 FROM edges WHERE rule = 'alias' LIMIT 1"))


def _unseen(
    database: Database, sightings: Sequence[ExtractedIdentifiers], nodes: dict[Key, Node]
) -> list[ExtractedIdentifiers]:
    # It is not known yet whether a claim will be trusted, so the event may belong to any of its identifiers.
    looked_for = {(nodes[key].number, one.fingerprint) for one in sightings for key in _owners(one) if key in nodes}
    found = database.run(
        f"SELECT moments.node, moments.fingerprint FROM {database.given('moments.node', 'moments.fingerprint')} "
        "CROSS JOIN moments WHERE moments.node = given.node AND moments.fingerprint = given.fingerprint",
        rows(sorted(looked_for)),
    )
    by_number = {node.number: node.key for node in nodes.values()}
    seen = {(by_number[number], fingerprint) for number, fingerprint in found}
    unseen = []
    for one in sightings:
        marks = {(key, one.fingerprint) for key in _owners(one)}
        if seen.isdisjoint(marks):
            seen |= marks
            unseen.append(one)
    return unseen


def _owners(one: ExtractedIdentifiers) -> Sequence[Key]:
    return one.keys if one.claim else one.keys[:1]


def _sizes(database: Database, nodes: Collection[Node]) -> dict[int, Sizes]:
    sizes = {node.number: node.sizes or {node.key.type: 1} for node in nodes if node.number == node.profile}
    roots = sorted({node.profile for node in nodes}.difference(sizes))
    found = database.run(
        f"SELECT nodes.number, nodes.sizes FROM {database.given('nodes.number')} "
        "CROSS JOIN nodes WHERE nodes.number = given.number",
        rows((root,) for root in roots),
    )
    return sizes | {root: unpack_sizes(told) for root, told in found}


def _pairs(database: Database, sightings: Sequence[ExtractedIdentifiers], nodes: dict[Key, Node]) -> dict[Pair, Edge]:
    wanted = {
        (nodes[left].number, nodes[right].number)
        for one in sightings
        for left, right in _links(one)
        if left in nodes and right in nodes
    }
    if not wanted:
        return {}
    found = database.run(
        f"SELECT {EDGE} FROM {database.given('edges.left_node', 'edges.right_node')} "
        "CROSS JOIN edges WHERE edges.left_node = given.left_node AND edges.right_node = given.right_node",
        rows(sorted(wanted)),
    )
    return {(edge.left, edge.right): edge for edge in map(edge_of, found)}


def _links(one: ExtractedIdentifiers) -> Iterator[tuple[Key, Key]]:
    """Yield the links that an event may create between identifiers that exist already."""
    for other in one.keys[1:]:
        yield one.keys[0], other
    if one.previous:
        yield from ((key, one.previous) for key in one.keys if key.type == USER_ID)
        yield from ((one.previous, one.previous._replace(type=type)) for type in (USER_ID, ANONYMOUS_ID))
