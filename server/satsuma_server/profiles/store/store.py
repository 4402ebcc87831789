"""Writes profiles: processes batches of events, each in one transaction, undoes links, and forgets people."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from satsuma_server.errors import ConflictError, NotFoundError, TooLargeError
from satsuma_server.identity.displacement import displaced
from satsuma_server.identity.extraction import ExtractedIdentifiers
from satsuma_server.identity.graph import Edge, Graph, Node, refold
from satsuma_server.identity.identifiers import Key
from satsuma_server.identity.link_rate import LinkRate
from satsuma_server.identity.links import LinkWarning, Outcome
from satsuma_server.identity.rules import Rules

from .database import TABLES, Database, insert, rows, upsert
from .expiry import Expired, Old, find_old, remove_old_moments
from .load_graph import load, load_apart
from .members import load_members, load_reach
from .names import load_nodes, remove_names
from .row_mapping import EDGE, NODE, edge_of, node_of
from .save_graph import save_blocked, save_edges, save_graph, save_moments, save_sizes, save_traits
from .usage import save_usage, tracked, untracked

MOST_MOVED = 20_000
"""The most identifiers of profiles whose links may be removed in favour of others at once."""

MOST_REFOLDED = 100_000
"""The most identifiers that may be connected, by any links, for a merge among them to be undone."""

DERIVED = tuple(name for name in TABLES if name not in ("state", "apart", "chores"))

CLEAN = "clean"
"""The chore of removing traces of deleted rows from the files. It is remembered until it is done."""


def _take(graph: Graph, sightings: Iterable[ExtractedIdentifiers]) -> list[tuple[ExtractedIdentifiers, Node]]:
    """Let a graph process events; return those that belong to somebody, as far as they are trusted, with their
    nodes."""
    own = []
    for one in sightings:
        believed = graph.believe(one)
        if believed.keys:
            own.append((believed, graph.take(believed)))
    return own


class Store:
    """Writes profiles. There must be only one for each database, used in one thread at a time."""

    def __init__(self, database: Database, rules: Rules) -> None:
        """Take the database, whose tables must exist."""
        self._database = database
        self._rules = rules
        self._rate = LinkRate(rules.links_per_hour)
        # People who were erased while a batch with their events may still be waiting: up to which seq, and who.
        self._forgotten: list[tuple[int, frozenset[Key]]] = []
        database.run("INSERT INTO state VALUES (1, 0, 1, 1) ON CONFLICT (id) DO NOTHING")

    @property
    def seq(self) -> int:
        """Seq of the newest event that was processed."""
        return int(self._database.run("SELECT seq FROM state")[0][0])

    def take(self, sightings: Sequence[ExtractedIdentifiers], seq: int) -> None:
        """Process the events that are new, in the order of the log; `seq` is that of the last one.

        Raises:
            UnavailableError: none of them was processed.
        """
        with self._database.transaction():
            done, next_node, next_edge = self._database.run("SELECT seq, next_node, next_edge FROM state")[0]
            fresh = [one for one in sightings if one.seq > done and not self._is_forgotten(one)]
            told, known = load(self._database, [one for one in fresh if one.keys], next_node, next_edge)
            graph = Graph(self._rules, known, self._rate)
            own = _take(graph, told)
            save_usage(self._database, tracked((one for one, _ in own), graph.nodes))
            save_graph(self._database, graph, next_node)
            save_moments(self._database, own)
            save_traits(self._database, own)
            save_blocked(self._database, fresh, len(told) - len(own))
            self._note(max(seq, done), known.next_node, known.next_edge)
            if graph.contested:
                self._make_room(graph.contested)

    def undo(self, number: int) -> None:
        """Undo the effect of an edge. Its identifiers are two people from now on.

        Raises:
            NotFoundError: there is no such edge.
            ConflictError: the edge joined nothing, or is undone already.
            TooLargeError: too many identifiers are connected with it.
        """
        with self._database.transaction():
            edge = self._edge(number)
            if edge.outcome not in (Outcome.ADDED, Outcome.MERGED):
                raise ConflictError(f"link {number} joins nothing, so there is nothing to undo")
            nodes, edges = self._around(edge.left)
            left, right = nodes[edge.left].key, nodes[edge.right].key
            upsert(self._database, "apart", [(left.space, *left[:2], *right[:2])])
            self._fold_again(nodes, edges)

    def forget(self, keys: Iterable[Key], seq: int, start: Key | None = None) -> frozenset[Key]:
        """Remove the people whom some identifiers belong to, and return all the identifiers that are gone.

        Args:
            keys: the known identifiers of these people.
            seq: events up to this one with any of `keys` were erased from the log, and are skipped.
            start: remove `keys`, and what is verified to be one person with this identifier; None removes whole
                profiles.
        """
        gone = frozenset(keys)
        with self._database.transaction():
            profiles = {node.profile for node in load_nodes(self._database, gone).values()}
            members = load_members(self._database, profiles)
            nodes = members if start is None else self._reached(members, gone, start)
            everything = gone | {node.key for node in nodes}
            save_usage(self._database, untracked(nodes))
            self._remove(nodes, everything)
            removed = {node.number for node in nodes}
            left = {node.number: node for node in members if node.number not in removed}
            if left:
                self._fold_again(left, self._edges_among(left))
        self._forgotten.append((seq, gone))
        return everything

    def expire(self, after: int, old: Old) -> Expired:
        """Remove the people among the next nodes who were not seen for long. Numbers of tracked users stay.

        Args:
            after: the number of the last node that was looked at.
            old: what is old.
        """
        with self._database.transaction():
            found = find_old(self._database, after, old)
            if found.nodes:
                self._remove(found.nodes, [node.key for node in found.nodes])
            return Expired(len(found.nodes), found.next)

    def expire_moments(self, after: int, old: Old) -> Expired:
        """Remove old ones among the next moments of events, also of people who stay. See `expire`."""
        with self._database.transaction():
            expired = remove_old_moments(self._database, after, old)
            if expired.count:
                self._remember_to_clean()
            return expired

    def start_anew(self) -> None:
        """Remove everything that was built from the log, to build it again. Links that people have undone stay
        undone."""
        with self._database.transaction():
            for table in DERIVED:
                self._database.run(f"DELETE FROM {table}")
            self._note(0, 1, 1)

    def clean(self) -> None:
        """Remove all traces of deleted data from the files, where any was deleted since the last time."""
        if self._database.run("SELECT 1 FROM chores WHERE name = ?", CLEAN):
            self._database.clean()
            self._database.run("DELETE FROM chores WHERE name = ?", CLEAN)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _remember_to_clean(self) -> None:
        upsert(self._database, "chores", [(CLEAN,)])

    def _note(self, seq: int, next_node: int, next_edge: int) -> None:
        self._database.run("UPDATE state SET seq = ?, next_node = ?, next_edge = ?", seq, next_node, next_edge)

    def _is_forgotten(self, one: ExtractedIdentifiers) -> bool:
        return any(one.seq <= seq and not gone.isdisjoint(one.keys) for seq, gone in self._forgotten)

    def _edge(self, number: int) -> Edge:
        found = self._database.run(f"SELECT {EDGE} FROM edges WHERE number = ?", number)
        if not found:
            raise NotFoundError(f"there is no link {number}")
        return edge_of(found[0])

    def _around(self, start: int) -> tuple[dict[int, Node], list[Edge]]:
        """Return all nodes that are connected with a node by any links, also refused ones, and these links.

        The outcome of a link may depend on any of the others.
        """
        seen, front = {start}, {start}
        edges: dict[int, Edge] = {}
        while front:
            for side in ("left_node", "right_node"):
                rest = f"edges WHERE edges.{side} = given.number"
                found = self._given("nodes.number", front, f"SELECT {EDGE}", rest)
                edges |= {edge.number: edge for edge in map(edge_of, found)}
            front = {end for edge in edges.values() for end in (edge.left, edge.right)} - seen
            seen |= front
            if len(seen) > MOST_REFOLDED:
                raise TooLargeError(f"more than {MOST_REFOLDED} identifiers hang together here: too many to do it")
        found = self._given("nodes.number", seen, f"SELECT {NODE}", "nodes WHERE nodes.number = given.number")
        return {row[0]: node_of(row) for row in found}, list(edges.values())

    def _given(self, column: str, values: Iterable[int], select: str, rest: str) -> list[Any]:
        given = self._database.given(column)
        return self._database.run(f"{select} FROM {given} CROSS JOIN {rest}", rows((one,) for one in sorted(values)))

    def _fold_again(self, nodes: dict[int, Node], edges: Sequence[Edge]) -> None:
        """Apply links again, and write the result."""
        graph = refold(self._rules, nodes.values(), edges, load_apart(self._database))
        insert(
            self._database,
            "UPDATE nodes SET profile = given.profile, next = given.next, sizes = '' FROM {} "
            "WHERE nodes.number = given.number",
            ("nodes.number", "nodes.profile", "nodes.next"),
            [(number, node.profile, node.next) for number, node in nodes.items()],
        )
        save_sizes(self._database, graph, graph.grown)
        save_edges(self._database, edges)

    def _make_room(self, contested: Sequence[Edge]) -> None:
        """Remove unverified links in favour of refused ones, and fold the profiles concerned again."""
        ends = {end for edge in contested for end in (edge.left, edge.right)}
        profiles = self._given("nodes.number", ends, "SELECT nodes.profile", "nodes WHERE nodes.number = given.number")
        nodes = {node.number: node for node in load_members(self._database, {row[0] for row in profiles})}
        if len(nodes) > MOST_MOVED:
            return
        edges = self._edges_among(nodes)
        noted, forgotten = displaced(nodes, edges, contested, self._rules.limits)
        for edge in noted:
            edge.warnings = (LinkWarning.DISPLACED,)
        if noted or forgotten:
            numbers = {edge.number for edge in forgotten}
            self._fold_again(nodes, [edge for edge in edges if edge.number not in numbers])
            statement = "DELETE FROM edges WHERE number IN (SELECT number FROM {})"
            insert(self._database, statement, ("edges.number",), [(number,) for number in sorted(numbers)])

    def _reached(self, members: Sequence[Node], gone: frozenset[Key], start: Key) -> list[Node]:
        own = next((node for node in members if node.key == start), None)
        reached: set[int] = set()
        if own is not None:
            profile = [node for node in members if node.profile == own.profile]
            reached = load_reach(self._database, profile, own.number)
        return [node for node in members if node.key in gone or node.number in reached]

    def _edges_among(self, nodes: Collection[int]) -> list[Edge]:
        """Return all links that have both ends among some nodes."""
        rest = "edges WHERE edges.left_node = given.number"
        found = map(edge_of, self._given("nodes.number", nodes, f"SELECT {EDGE}", rest))
        return [edge for edge in found if edge.right in nodes]

    def _remove(self, nodes: Sequence[Node], gone: Iterable[Key]) -> None:
        numbers = [(node.number,) for node in nodes]
        remove_names(self._database, nodes)
        self._remember_to_clean()
        for table, columns in (
            ("edges", ("left_node", "right_node")),
            *((table, ("node",)) for table in ("moments", "traits")),
            ("nodes", ("number",)),
        ):
            for column in columns:
                insert(
                    self._database,
                    f"DELETE FROM {table} WHERE {column} IN (SELECT number FROM {{}})",
                    ("nodes.number",),
                    numbers,
                )
        for side in ("left", "right"):
            insert(
                self._database,
                f"DELETE FROM apart WHERE EXISTS (SELECT 1 FROM {{}} WHERE given.type = apart.{side}_type "
                f"AND given.value = apart.{side}_value AND given.space = apart.space)",
                ("nodes.type", "nodes.value", "nodes.space"),
                gone,
            )
