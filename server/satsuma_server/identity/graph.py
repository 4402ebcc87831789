"""The identity graph, which says which identifiers are one person. Pure logic over the part that a batch touches.

A profile is a set of nodes, and its number is that of one of them, its root. Two profiles that are merged get the
number of the larger one (of the older one, where they are equally large), so that each node is relabelled at most log n
times. The outcome of a link depends only on the links before it: the same links in the same order result in the same
graph, however they were batched. Without limits, links in any order result in the same profiles.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from satsuma.validation import EVENT_TYPES

from .extraction import ExtractedIdentifiers
from .identifiers import ANONYMOUS_ID, PREVIOUS_ID, USER_ID, Key
from .link_rate import LinkRate
from .links import VERIFIED, LinkWarning, Outcome, Rule
from .rules import Rules

Pair = tuple[int, int]
Sizes = dict[str, int]
"""The number of nodes of each type in a profile."""

KIND_OF = {kind: place for place, kind in enumerate(EVENT_TYPES)}
IDENTIFY = KIND_OF["identify"]

RETRIED = frozenset({LinkWarning.RATE_LIMIT, LinkWarning.DISPLACED})
"""Warnings of links without an effect for now. The next event with both identifiers tries again."""

LASTING = frozenset({LinkWarning.LATE_ALIAS, *RETRIED})
"""Warnings that don't follow from the earlier links, and are therefore kept when links are folded again."""


@dataclass(slots=True)
class Node:
    """One identifier.

    Attributes:
        number: counts up in the order in which identifiers were first seen.
        profile: root of the profile that it was in when it was read. `Graph.root` returns the current one.
        next: the next node of its profile; all nodes of a profile form a ring.
        born: seq of the first event that had it.
        first, last: ``timestamp`` of its first and last event, in milliseconds since 1970.
        newest: seq of the newest event that belongs to it; 0 before the first.
        sizes: sizes of the profile whose root it was when it was read; empty where it was alone or not a root.
        tracked: its state for each month and source; see `usage`.
        counts: how many events of each type belong to it, in the order of `EVENT_TYPES`.
    """

    number: int
    key: Key
    profile: int
    next: int
    born: int
    first: int
    last: int
    newest: int = 0
    sizes: Sizes = field(default_factory=dict)
    tracked: dict[str, dict[str, int]] = field(default_factory=dict)
    counts: list[int] = field(default_factory=lambda: [0] * len(EVENT_TYPES))


@dataclass(slots=True)
class Edge:
    """One link, in the form in which it is stored; see `Link`."""

    number: int
    left: int
    right: int
    rule: Rule
    seq: int
    message_id: str
    source: str
    at: int
    outcome: Outcome = Outcome.KNOWN
    warnings: tuple[LinkWarning, ...] = ()
    kept: int | None = None
    gone: int | None = None


@dataclass(slots=True)
class Known:
    """The stored part of the graph that a batch may touch.

    Attributes:
        nodes: nodes by identifier.
        sizes: sizes of the profiles that these nodes are in.
        pairs: links by the two nodes that they connect, whatever their outcome.
        apart: pairs of identifiers that somebody declared to be two people. Their nodes are among `nodes`.
        next_node, next_edge: the next free numbers.
    """

    nodes: dict[Key, Node]
    sizes: dict[int, Sizes]
    pairs: dict[Pair, Edge]
    apart: Sequence[tuple[Key, Key]]
    next_node: int
    next_edge: int


class Graph:
    """Processes events in order, and collects what changes.

    Attributes:
        fresh, touched: new nodes, and other nodes that changed.
        edges: links that are new or have changed.
        contested: refused links for which unverified links may have to be removed.
        moved: profiles that became part of another one; `root` returns which.
        grown: profiles whose sizes changed.
    """

    def __init__(self, rules: Rules, known: Known, rate: LinkRate | None = None) -> None:
        self._limits = rules.limits
        self._rate = rate or LinkRate(None)
        self._known = known
        self._roots: dict[int, int] = {}
        self.nodes = known.nodes
        self.fresh: dict[int, Node] = {}
        self.touched: dict[int, Node] = {}
        self.edges: list[Edge] = []
        self.contested: list[Edge] = []
        self.moved: list[int] = []
        self.grown: set[int] = set()

    def believe(self, sighting: ExtractedIdentifiers) -> ExtractedIdentifiers:
        """Return an event without its userId where that is only claimed, unless a verified link confirms the claim."""
        claim = sighting.claim
        if claim is None:
            return sighting
        user, device = claim
        return sighting if device and self._is_verified(user, device) else sighting.without_claim()

    def _is_verified(self, user: Key, device: Key) -> bool:
        nodes = self.nodes.get(user), self.nodes.get(device)
        if nodes[0] is None or nodes[1] is None:
            return False
        numbers = nodes[0].number, nodes[1].number
        links = self._known.pairs.get(numbers), self._known.pairs.get(numbers[::-1])
        return any(link is not None and link.rule in VERIFIED for link in links)

    def take(self, sighting: ExtractedIdentifiers) -> Node:
        """Process an event as far as it can be trusted, and return the node that it belongs to."""
        nodes = [self._meet(key, sighting) for key in sighting.keys]
        own = nodes[0]
        if sighting.previous is not None:
            self._take_alias(sighting, nodes)
        for other in nodes[1:]:
            self.connect(own, other, sighting.rule, sighting)
        own.newest = max(own.newest, sighting.seq)
        own.counts[KIND_OF[sighting.type]] += 1
        return own

    def root(self, profile: int) -> int:
        """Return the profile that a profile has become part of, or the profile itself."""
        while (above := self._roots.get(profile)) is not None:
            # Halving the path while following it keeps it short.
            if (beyond := self._roots.get(above)) is not None:
                self._roots[profile] = beyond
            profile = above
        return profile

    def size(self, profile: int) -> Sizes:
        """Return how many nodes of each type a profile has."""
        return self._known.sizes[profile]

    def connect(
        self, left: Node, right: Node, rule: Rule, sighting: ExtractedIdentifiers, *warnings: LinkWarning
    ) -> None:
        """Link two nodes, unless there is a link already that is as well verified."""
        pair = (left.number, right.number)
        if left is right:
            return
        if (known := self._known.pairs.get(pair)) is not None:
            if rule in VERIFIED and known.rule not in VERIFIED:
                self._confirm(known, left, right, rule, sighting)
            elif not RETRIED.isdisjoint(known.warnings) and self._may_join(left, right, sighting):
                known.warnings = ()
                self.edges.append(known)
                self.fold(known, left, right)
                self._contest(known)
            return
        in_time = self._may_join(left, right, sighting)
        if not in_time and not self._rate.is_first_refused(left.number, sighting.address):
            return
        edge = Edge(self._known.next_edge, *pair, rule, sighting.seq, sighting.message_id, sighting.source, sighting.at)
        self._known.pairs[pair] = edge
        self._known.next_edge += 1
        edge.warnings = warnings if in_time else (LinkWarning.RATE_LIMIT, *warnings)
        self.edges.append(edge)
        self.fold(edge, left, right)
        self._contest(edge)

    def _may_join(self, left: Node, right: Node, sighting: ExtractedIdentifiers) -> bool:
        """Tell whether the sender of an event may link another device to a userId now."""
        if sighting.rule in VERIFIED or left.key.type != USER_ID or right.key.type not in (ANONYMOUS_ID, PREVIOUS_ID):
            return True
        return self._rate.allows(left.number, sighting.address, sighting.hour)

    def _confirm(self, edge: Edge, left: Node, right: Node, rule: Rule, sighting: ExtractedIdentifiers) -> None:
        """Turn an unverified link into a verified one, which may now have the effect that was refused before."""
        edge.rule, edge.seq, edge.message_id = rule, sighting.seq, sighting.message_id
        edge.source, edge.at = sighting.source, sighting.at
        self.edges.append(edge)
        if edge.outcome == Outcome.REFUSED:
            edge.warnings = ()
            self.fold(edge, left, right)
            self._contest(edge)

    def _contest(self, edge: Edge) -> None:
        if edge.outcome != Outcome.REFUSED or LinkWarning.UNDONE in edge.warnings:
            return
        if edge.rule in VERIFIED or (edge.rule == Rule.SAME_EVENT and LinkWarning.LIMIT in edge.warnings):
            self.contested.append(edge)

    def fold(self, edge: Edge, left: Node, right: Node) -> None:
        """Apply an edge to the graph, and set its outcome."""
        kept, gone = self._by_size(self.root(left.profile), self.root(right.profile))
        if not RETRIED.isdisjoint(edge.warnings):
            edge.outcome = Outcome.REFUSED
        elif kept == gone:
            edge.outcome = Outcome.KNOWN
        elif (objection := self._objection(kept, gone)) is not None:
            if objection == LinkWarning.TWO_USERS and edge.rule == Rule.PREVIOUS and right.key.type == USER_ID:
                objection = LinkWarning.USER_ID_CHANGE
            edge.outcome = Outcome.REFUSED
            edge.warnings = (objection, *edge.warnings)
        else:
            edge.outcome = Outcome.ADDED if edge.seq in (left.born, right.born) else Outcome.MERGED
            edge.kept, edge.gone = kept, gone
            self._unite(kept, gone)
            # Exchanging the next nodes of one node of each ring makes the two rings one.
            left.next, right.next = right.next, left.next
            self.touched |= {left.number: left, right.number: right}

    def _meet(self, key: Key, sighting: ExtractedIdentifiers) -> Node:
        node = self.nodes.get(key)
        if node is None:
            return self._make(key, sighting)
        node.first = min(node.first, sighting.at)
        node.last = max(node.last, sighting.at)
        self.touched[node.number] = node
        return node

    def _make(self, key: Key, sighting: ExtractedIdentifiers) -> Node:
        known = self._known
        number = known.next_node
        known.next_node += 1
        node = Node(number, key, number, number, sighting.seq, sighting.at, sighting.at)
        self.nodes[key] = self.fresh[number] = node
        known.sizes[number] = {key.type: 1}
        if key.type in (USER_ID, ANONYMOUS_ID):
            named = self.nodes.get(key._replace(type=PREVIOUS_ID))
            if named is not None:
                self.connect(named, node, Rule.PREVIOUS, sighting)
        return node

    def _take_alias(self, sighting: ExtractedIdentifiers, nodes: list[Node]) -> None:
        assert sighting.previous is not None
        user = next((node for node in nodes if node.key.type == USER_ID), None)
        if user is None:
            return
        previous = self._meet(sighting.previous, sighting)
        late = (LinkWarning.LATE_ALIAS,) if user.counts[IDENTIFY] else ()
        self.connect(user, previous, Rule.ALIAS, sighting, *late)
        for type in (USER_ID, ANONYMOUS_ID):
            named = self.nodes.get(previous.key._replace(type=type))
            if named is not None:
                self.connect(previous, named, Rule.PREVIOUS, sighting)

    def _by_size(self, a: int, b: int) -> Pair:
        sizes = self._known.sizes
        larger = max((a, b), key=lambda profile: (sum(sizes[profile].values()), -profile))
        return larger, (a if larger == b else b)

    def _objection(self, a: int, b: int) -> LinkWarning | None:
        for left, right in self._known.apart:
            one, other = self.nodes.get(left), self.nodes.get(right)
            if one and other and {self.root(one.profile), self.root(other.profile)} == {a, b}:
                return LinkWarning.UNDONE
        mine, yours = self._known.sizes[a], self._known.sizes[b]
        for type, limit in self._limits.items():
            if type in mine and type in yours and mine[type] + yours[type] > limit:
                return LinkWarning.TWO_USERS if type == USER_ID else LinkWarning.LIMIT
        return None

    def _unite(self, kept: int, gone: int) -> None:
        sizes = self._known.sizes
        self._roots[gone] = kept
        sizes[kept] = sizes[kept].copy()
        for type, count in sizes.pop(gone).items():
            sizes[kept][type] = sizes[kept].get(type, 0) + count
        self.moved.append(gone)
        self.grown.discard(gone)
        self.grown.add(kept)


def refold(rules: Rules, nodes: Iterable[Node], edges: Sequence[Edge], apart: Sequence[tuple[Key, Key]]) -> Graph:
    """Apply edges again, in their order, starting from single nodes.

    Nodes and edges are changed in place. They have to be complete: all edges of all nodes, with the nodes at both ends.
    """
    by_number = {node.number: node for node in nodes}
    sizes = {number: {node.key.type: 1} for number, node in by_number.items()}
    graph = Graph(rules, Known({node.key: node for node in by_number.values()}, sizes, {}, apart, 0, 0))
    for node in by_number.values():
        node.profile = node.next = node.number
    for edge in sorted(edges, key=lambda edge: edge.number):
        edge.warnings = tuple(one for one in edge.warnings if one in LASTING)
        edge.kept = edge.gone = None
        graph.fold(edge, by_number[edge.left], by_number[edge.right])
    for node in by_number.values():
        node.profile = graph.root(node.profile)
    return graph
