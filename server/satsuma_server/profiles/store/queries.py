"""Reads profiles, timelines, links and usage from the database."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import msgspec
from satsuma.validation import EVENT_TYPES

from satsuma_server.errors import BadRequestError
from satsuma_server.identity.graph import Edge, Node
from satsuma_server.identity.identifiers import PROFILE, Key
from satsuma_server.identity.links import Outcome
from satsuma_server.identity.reach import Reach
from satsuma_server.profiles import Identifier, Link, Profile, Totals, Usage

from .database import Database, Row, rows
from .load_graph import load_apart
from .members import Members, load_members, load_reach
from .names import load_nodes
from .row_mapping import EDGE, NODE, edge_of, node_of
from .usage import IDENTIFIED, MONTHS, TOGETHER, UNIDENTIFIED, USER

MOST_IDENTIFIERS = 1000
"""The most identifiers of a profile that are returned."""

MOST_TRAIT_BYTES = 8 << 20
"""The most bytes of a profile's traits that are returned; the newest ones, where there are more."""

JOINED = (Outcome.ADDED, Outcome.MERGED)


class Place(msgspec.Struct, array_like=True):
    """The position from which a timeline continues: before this event."""

    at: int
    seq: int


class Queries:
    """Reads profiles. Use it in one thread at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def number_of(self, key: Key) -> int | None:
        """Return the number of the profile that an identifier belongs to."""
        if key.type == PROFILE:
            if not key.value.isascii() or not key.value.isdigit() or len(key.value) > 18:
                raise BadRequestError(f"is not a profile's number: {key.value[:50]!r}", path="profile")
            found = self._database.run("SELECT profile FROM nodes WHERE number = ?", int(key.value))
            return int(found[0][0]) if found else None
        node = load_nodes(self._database, [key]).get(key)
        return node.profile if node else None

    def find(self, number: int, only: Collection[Key] | None = None) -> Profile | None:
        """Return a profile by its number, or only its part that belongs to some identifiers."""
        members = self._members(number, only)
        query = f"{members.table} SELECT {NODE} FROM members JOIN nodes USING (number) ORDER BY number LIMIT ?"
        nodes = [node_of(row) for row in self._database.run(query, members.value, MOST_IDENTIFIERS)]
        if not nodes:
            return None
        links = self._joining(nodes, number, alone=only is not None)
        counts = Counter[str]()
        for node in nodes:
            counts.update({type: count for type, count in zip(EVENT_TYPES, node.counts, strict=True) if count})
        return Profile(
            number=number,
            space=nodes[0].key.space,
            identifiers=tuple(_identifier(node, links.get(node.number)) for node in nodes),
            traits=self._traits(members),
            counts=dict(counts),
            first_seen=min(node.first for node in nodes),
            last_seen=max(node.last for node in nodes),
            last_seq=max(node.newest for node in nodes),
        )

    def reach(self, key: Key, reach: Reach) -> tuple[frozenset[Key], frozenset[Key]]:
        """Return the identifiers of a person from one of them on, and those of the profile that are left out."""
        number = self.number_of(key)
        nodes = [] if number is None else load_members(self._database, [number])
        everything = frozenset(node.key for node in nodes)
        start = next((node.number for node in nodes if node.key == key), None)
        if reach is Reach.ALL or start is None:
            return everything, frozenset()
        reached = load_reach(self._database, nodes, start)
        found = frozenset(node.key for node in nodes if node.number in reached)
        return found, everything - found

    def seq(self) -> int:
        """Return the seq of the newest event that was processed."""
        return int(self._database.run("SELECT seq FROM state")[0][0])

    def recent(self, limit: int, before: int) -> list[tuple[int, int]]:
        """Return the number and the newest seq of profiles whose newest event has a seq below `before`."""
        return self._database.run(
            "SELECT nodes.profile, moments.seq FROM moments JOIN nodes ON nodes.number = moments.node "
            "WHERE moments.seq < ? AND nodes.newest = moments.seq AND NOT EXISTS ("
            "WITH RECURSIVE others(number, newest) AS (SELECT nodes.next, moments.seq UNION "
            "SELECT next.next, next.newest FROM others JOIN nodes AS next ON next.number = others.number) "
            "SELECT 1 FROM others WHERE others.newest > moments.seq) ORDER BY moments.seq DESC LIMIT ?",
            before,
            limit,
        )

    def timeline(
        self, number: int, limit: int, before: Place, only: Collection[Key] | None = None
    ) -> list[tuple[int, int, Key]]:
        """Return seq, time and identifier of a profile's events, or of some identifiers', the newest first."""
        members = self._members(number, only)
        found = self._database.run(
            f"{members.table} SELECT moments.seq, moments.at, nodes.type, nodes.value, nodes.space FROM members "
            "JOIN nodes USING (number) JOIN moments ON moments.node = nodes.number "
            "WHERE (moments.at, moments.seq) < (?, ?) ORDER BY moments.at DESC, moments.seq DESC LIMIT ?",
            members.value,
            before.at,
            before.seq,
            limit,
        )
        return [(seq, at, Key(*key)) for seq, at, *key in found]

    def links(self, number: int, only: Collection[Key] | None = None) -> list[Link]:
        """Return all links of a profile's identifiers, oldest first; or those that some have with each other."""
        members = self._members(number, only)
        both = "OR" if only is None else "AND"
        query = f"""{members.table} SELECT {EDGE} FROM edges WHERE left_node IN (SELECT number FROM members)
            {both} right_node IN (SELECT number FROM members) ORDER BY number LIMIT ?"""
        return self._told(self._database.run(query, members.value, MOST_IDENTIFIERS))

    def link(self, number: int) -> Link | None:
        """Return a link by its number."""
        found = self._told(self._database.run(f"SELECT {EDGE} FROM edges WHERE number = ?", number))
        return found[0] if found else None

    def warnings(self, limit: int, before: int) -> list[Link]:
        """Return links with warnings, the newest first."""
        query = f"SELECT {EDGE} FROM edges WHERE warnings <> '' AND number < ? ORDER BY number DESC LIMIT ?"
        return self._told(self._database.run(query, before, limit))

    def usage(self) -> list[Usage]:
        """Return tracked users of the newest months."""
        newest = self._database.run(
            "SELECT DISTINCT month FROM usage WHERE ids > 0 ORDER BY month DESC LIMIT ?", MONTHS
        )
        found = self._database.run(
            "SELECT month, source, state, ids FROM usage WHERE ids > 0 AND month >= ?", newest[-1][0] if newest else ""
        )
        counts: dict[tuple[str, str], Counter[int]] = {}
        for month, source, state, ids in found:
            counts.setdefault((month, source), Counter())[state] = ids
        # The newest month first, and in it all sources together before the single ones.
        order = sorted(counts, key=lambda one: one[1])
        order.sort(key=lambda one: one[0], reverse=True)
        return [
            Usage(month, None if source == TOGETHER else source, states[USER], states[UNIDENTIFIED], states[IDENTIFIED])
            for month, source in order
            for states in (counts[month, source],)
        ]

    def totals(self) -> Totals:
        """Return the totals of all profiles."""
        seq = self._database.run("SELECT seq FROM state")[0][0]
        nodes, profiles = self._database.run(
            "SELECT count(*), count(CASE WHEN number = profile THEN 1 END) FROM nodes"
        )[0]
        outcomes = dict(self._database.run("SELECT outcome, count(*) FROM edges GROUP BY outcome"))
        blocked = dict(self._database.run("SELECT value, times FROM blocked ORDER BY times DESC LIMIT 100"))
        merges = sum(outcomes.get(one, 0) for one in JOINED)
        return Totals(seq, profiles, nodes, merges, outcomes.get(Outcome.REFUSED, 0), blocked)

    # Rows for a warehouse

    def identity_map(self) -> Iterator[dict[str, Any]]:
        names = ("space", "id_type", "id", "profile", "first_seen", "last_seen")
        for row in self._database.each("SELECT space, type, value, profile, first, last FROM nodes ORDER BY number"):
            yield dict(zip(names, row, strict=True))

    def profiles(self) -> Iterator[dict[str, Any]]:
        names = ("profile", "space", "user_id", "first_seen", "last_seen", "identifiers", "events")
        events = " + ".join(
            f"sum({name})" for name in ("identifies", "tracks", "pages", "screens", "groups", "aliases")
        )
        for row in self._database.each(
            "SELECT profile, min(space), min(CASE WHEN type = 'user_id' THEN value END), min(first), max(last), "
            f"count(*), {events} FROM nodes GROUP BY profile ORDER BY profile"
        ):
            yield dict(zip(names, row, strict=True))

    def profile_traits(self) -> Iterator[dict[str, Any]]:
        names = ("profile", "name", "value", "updated_at")
        for row in self._database.each(
            "SELECT profile, name, value, at FROM (SELECT profile, name, traits.value, traits.at, row_number() OVER "
            "(PARTITION BY profile, name ORDER BY traits.at DESC, traits.message_id DESC) AS place "
            "FROM traits JOIN nodes ON nodes.number = traits.node) AS ranked "
            "WHERE place = 1 AND value <> 'null' ORDER BY profile, name"
        ):
            yield dict(zip(names, row, strict=True))

    def _members(self, number: int, only: Collection[Key] | None) -> Members:
        if only is None:
            return Members.of_profile(number)
        nodes = load_nodes(self._database, only).values()
        return Members.of_nodes(self._database, [node.number for node in nodes if node.profile == number])

    def _traits(self, members: Members) -> dict[str, Any]:
        found = self._database.each(
            f"{members.table} SELECT traits.name, traits.value FROM members "
            "JOIN traits ON traits.node = members.number ORDER BY traits.at DESC, traits.message_id DESC",
            members.value,
        )
        newest: dict[str, Any] = {}
        size = 0
        with contextlib.closing(found):
            for name, value in found:
                if name not in newest:
                    size += len(name) + len(value)
                    if size > MOST_TRAIT_BYTES:
                        break
                    newest[name] = msgspec.json.decode(value)
        return {name: newest[name] for name in sorted(newest) if newest[name] is not None}

    def _joining(self, nodes: Sequence[Node], root: int, *, alone: bool) -> dict[int, Link]:
        """Return the link by which each node, except the root, joined the profile or the given nodes."""
        numbers = {node.number for node in nodes}
        found = []
        for side in ("left_node", "right_node"):
            found += self._database.run(
                f"SELECT {EDGE} FROM {self._database.given('nodes.number')} CROSS JOIN edges "
                f"WHERE edges.{side} = given.number AND edges.outcome IN ('added', 'merged')",
                rows((number,) for number in sorted(numbers)),
            )
        inner = (row for row in found if not alone or numbers.issuperset(row[1:3]))
        edges = sorted({row[0]: row for row in inner}.values())
        links: dict[int, Link] = {}
        for link, row in zip(self._told(edges), edges, strict=True):
            for end in row[1:3]:
                if end != root:
                    links.setdefault(end, link)
        return links

    def _told(self, found: Sequence[Row]) -> list[Link]:
        edges = [edge_of(row) for row in found]
        ends = sorted({end for edge in edges for end in (edge.left, edge.right)})
        nodes = self._database.run(
            f"SELECT nodes.number, nodes.type, nodes.value, nodes.space FROM {self._database.given('nodes.number')} "
            "CROSS JOIN nodes WHERE nodes.number = given.number",
            rows((end,) for end in ends),
        )
        keys = {number: Key(*key) for number, *key in nodes}
        apart = {frozenset(pair) for pair in load_apart(self._database)} if edges else set()
        return [_link(edge, keys[edge.left], keys[edge.right], apart) for edge in edges]


def _identifier(node: Node, link: Link | None) -> Identifier:
    return Identifier(node.key, node.first, node.last, sum(node.counts), link)


def _link(edge: Edge, left: Key, right: Key, apart: set[frozenset[Key]]) -> Link:
    return Link(
        number=edge.number,
        left=left,
        right=right,
        rule=edge.rule,
        outcome=edge.outcome,
        warnings=edge.warnings,
        seq=edge.seq,
        message_id=edge.message_id,
        source=edge.source,
        at=edge.at,
        kept=edge.kept,
        gone=edge.gone,
        undone=frozenset((left, right)) in apart,
    )
