"""Writes what a batch changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from satsuma_server.profiles import ANONYMOUS_ID, USER_ID

from .database import COUNTS, KEYS, TABLES, Database, Row, rows
from .graph import Edge, Graph, Node
from .sighting import Sighting

MOST_TRAITS = 1000
"""Most traits of one identifier; more are left to the log."""

UNIDENTIFIED, IDENTIFIED, USER = 0, 1, 2
"""States of an id that was tracked in a month."""

Month = tuple[str, str, int]
"""Month, source and node."""


def save_graph(database: Database, graph: Graph, first_fresh: int) -> None:
    """Write nodes, sizes and edges.

    Args:
        database: within a transaction.
        graph: after the batch.
        first_fresh: the first number that no node had before the batch.
    """
    moved = [(gone, graph.root(gone)) for gone in graph.moved if gone < first_fresh]
    insert(
        database,
        "UPDATE nodes SET profile = given.kept FROM {} WHERE nodes.profile = given.gone",
        ("edges.gone", "edges.kept"),
        moved,
    )
    replace_sizes(database, graph, (gone for gone, _ in moved))
    changed = {**graph.touched, **graph.fresh}
    nodes = (_node_row(changed[number], graph.root(changed[number].profile)) for number in sorted(changed))
    newer = ", ".join(f"{name} = excluded.{name}" for name in ("first", "last", "newest", *COUNTS))
    upsert(database, "nodes", nodes, newer)
    save_edges(database, graph.edges)


def replace_sizes(database: Database, graph: Graph, before: Iterable[int]) -> None:
    """Write the sizes of profiles that grew, and remove those of profiles that were there `before`."""
    gone = [(profile,) for profile in before]
    insert(database, "DELETE FROM sizes WHERE profile IN (SELECT profile FROM {})", ("sizes.profile",), gone)
    grown = ((one, msgspec.json.encode(graph.size(one)).decode()) for one in sorted(graph.grown))
    upsert(database, "sizes", grown, "types = excluded.types")


def save_edges(database: Database, edges: Iterable[Edge]) -> None:
    """Write edges, with what came of them."""
    told = (_edge_row(edge) for edge in edges)
    changing = ", ".join(f"{name} = excluded.{name}" for name in ("outcome", "warnings", "kept", "gone"))
    upsert(database, "edges", told, changing)


def save_moments(database: Database, own: Sequence[tuple[Sighting, Node]]) -> None:
    """Write which event is whose."""
    upsert(database, "moments", ((node.number, one.fingerprint, one.at, one.seq) for one, node in own))


def save_traits(database: Database, own: Sequence[tuple[Sighting, Node]]) -> None:
    """Write traits: of two values the one of the later ``timestamp``, whichever came first."""
    newest: dict[tuple[int, str], tuple[int, str, str, int, str]] = {}
    for one, node in own:
        for name, value in one.traits.items():
            row = (node.number, name, value, one.at, one.message_id)
            before = newest.get((node.number, name))
            if before is None or row[3:] > before[3:]:
                newest[node.number, name] = row
    if not newest:
        return
    columns = [f"traits.{name}" for name in TABLES["traits"]]
    insert(
        database,
        "INSERT INTO traits SELECT given.node, given.name, given.value, given.at, given.message_id FROM {} "
        f"WHERE (SELECT count(*) FROM traits AS had WHERE had.node = given.node) < {MOST_TRAITS} "
        "OR EXISTS (SELECT 1 FROM traits AS had WHERE had.node = given.node AND had.name = given.name) "
        "ON CONFLICT (node, name) DO UPDATE SET value = excluded.value, at = excluded.at, "
        "message_id = excluded.message_id "
        "WHERE (excluded.at, excluded.message_id) > (traits.at, traits.message_id)",
        columns,
        (newest[mark] for mark in sorted(newest)),
    )


def tracked(own: Sequence[tuple[Sighting, Node]], graph: Graph) -> dict[Month, int]:
    """Return which ids were tracked in which month, and whether they were identified."""
    states: dict[Month, int] = {}
    for one, _ in own:
        types = {key.type for key in one.keys}
        for key in one.keys:
            if key.type in (USER_ID, ANONYMOUS_ID):
                state = USER if key.type == USER_ID else IDENTIFIED if USER_ID in types else UNIDENTIFIED
                mark = (one.month, one.source, graph.nodes[key].number)
                states[mark] = max(states.get(mark, UNIDENTIFIED), state)
    return states


def save_tracked(database: Database, states: Mapping[Month, int]) -> None:
    """Write which ids were tracked."""
    found = ((*mark, state) for mark, state in sorted(states.items()))
    upsert(database, "tracked", found, "state = excluded.state", "excluded.state > tracked.state")


def save_blocked(database: Database, sightings: Iterable[Sighting]) -> None:
    """Count the values that name nobody."""
    times = Counter(value for one in sightings for value in one.blocked)
    if times:
        upsert(database, "blocked", times.items(), "times = blocked.times + excluded.times")


def upsert(database: Database, table: str, given: Iterable[Row], change: str = "", where: str = "true") -> None:
    """Insert whole rows; where one with the same key is there, change it, or leave it as it is."""
    action = f"UPDATE SET {change} WHERE {where}" if change else "NOTHING"
    marks = ", ".join("?" for _ in TABLES[table])
    database.many(f"INSERT INTO {table} VALUES ({marks}) ON CONFLICT ({KEYS[table]}) DO {action}", list(given))


def insert(database: Database, statement: str, columns: Sequence[str], given: Iterable[Row]) -> None:
    """Run a statement with rows in the place of its braces."""
    found = list(given)
    if found:
        database.run(statement.format(database.given(*columns)), rows(found))


def _node_row(node: Node, profile: int) -> Row:
    key = node.key
    told = (node.number, key.space, key.type, key.value, profile, node.born, node.first, node.last, node.newest)
    return (*told, *node.counts)


def _edge_row(edge: Edge) -> Row:
    return (
        *(edge.number, edge.left, edge.right, edge.rule.value, edge.outcome.value),
        *(",".join(edge.warnings), edge.seq, edge.message_id, edge.source, edge.at, edge.kept, edge.gone),
    )
