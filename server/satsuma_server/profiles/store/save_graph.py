"""Writes what a batch of events has changed in the graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from satsuma_server.identity.extraction import ExtractedIdentifiers
from satsuma_server.identity.graph import Edge, Graph, Node

from .database import COUNTS, TABLES, Database, Row, insert, upsert
from .members import move_members
from .names import save_names
from .row_mapping import edge_row, node_row, pack_sizes

CHANGING = ("next", "first", "last", "newest", "sizes", "tracked", *COUNTS)
"""Columns of a node that events change. The column of the profile is changed by `move_members`."""

CHANGING_OF_LINKS = ("rule", "outcome", "warnings", "seq", "message_id", "source", "at", "kept", "gone")
"""Columns of a link that may change. A link that is verified later gets the data of the event that verified it."""

CLAIMS = "user_id (claimed)"
"""Counts, among the blocked values, events without an anonymousId whose userId is only claimed."""

MOST_TRAITS = 1000
"""The most traits of one identifier. Others are only in the log."""


def save_graph(database: Database, graph: Graph, first_fresh: int) -> None:
    """Write nodes, sizes and edges.

    Args:
        database: the database, within a transaction.
        graph: the graph after the batch.
        first_fresh: the lowest number of a new node.
    """
    move_members(database, [(gone, graph.root(gone)) for gone in graph.moved if gone < first_fresh])
    changed = {**graph.touched, **graph.fresh}
    nodes = (_row(changed[number], graph) for number in sorted(changed))
    upsert(database, "nodes", nodes, ", ".join(f"{name} = excluded.{name}" for name in CHANGING))
    save_names(database, graph.fresh.values(), first_fresh, first_fresh + len(graph.fresh))
    save_sizes(database, graph, graph.grown - changed.keys())
    save_edges(database, graph.edges)


def save_sizes(database: Database, graph: Graph, profiles: Iterable[int]) -> None:
    """Write the sizes of some profiles."""
    insert(
        database,
        "UPDATE nodes SET sizes = given.sizes FROM {} WHERE nodes.number = given.number",
        ("nodes.number", "nodes.sizes"),
        [(one, pack_sizes(graph.size(one))) for one in sorted(profiles)],
    )


def save_edges(database: Database, edges: Iterable[Edge]) -> None:
    """Write edges with their outcomes."""
    told = (edge_row(edge) for edge in edges)
    changing = ", ".join(f"{name} = excluded.{name}" for name in CHANGING_OF_LINKS)
    upsert(database, "edges", told, changing)


def save_moments(database: Database, own: Sequence[tuple[ExtractedIdentifiers, Node]]) -> None:
    """Write which identifier each event belongs to."""
    upsert(database, "moments", ((node.number, one.fingerprint, one.at, one.seq) for one, node in own))


def save_traits(database: Database, own: Sequence[tuple[ExtractedIdentifiers, Node]]) -> None:
    """Write traits. Of two values the one with the later ``timestamp`` is kept, whichever arrived first."""
    newest: dict[tuple[int, str], tuple[int, str, str, int, str]] = {}
    # The statement below counts the traits that exist before it runs.
    counts: Counter[int] = Counter()
    for one, node in own:
        for name, value in one.traits.items():
            row = (node.number, name, value, one.at, one.message_id)
            before = newest.get((node.number, name))
            if before is None:
                if counts[node.number] >= MOST_TRAITS:
                    continue
                counts[node.number] += 1
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


def save_blocked(database: Database, sightings: Iterable[ExtractedIdentifiers], claims: int = 0) -> None:
    """Count the values that name nobody, and the events that belong to nobody because their userId is only claimed."""
    times = Counter(value for one in sightings for value in one.blocked)
    if claims:
        times[CLAIMS] = claims
    if times:
        upsert(database, "blocked", times.items(), "times = blocked.times + excluded.times")


def _row(node: Node, graph: Graph) -> Row:
    profile = graph.root(node.profile)
    sizes = graph.size(profile) if profile == node.number else {}
    return node_row(node, profile, pack_sizes(sizes) if sum(sizes.values()) > 1 else "")
