"""Chooses unverified links that are removed in favour of verified ones, or of newer ones where a profile is full.

Somebody who guesses a userId can send any number of anonymousIds, or email addresses, with it. So a profile's places
are not given to those who come first: of the unverified links, those that were seen longest ago are removed. Several
are removed at a time, so that the cost for each is small.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from .graph import Edge, Node
from .identifiers import ANONYMOUS_ID, USER_ID
from .links import VERIFIED, LinkWarning, Outcome, Rule

Nodes = dict[int, Node]

FEWEST_PLACES = 4
"""Where the limit of a type is smaller, nothing is removed: the first identifiers stay."""


class Displaced(NamedTuple):
    """The links to remove.

    Attributes:
        noted: those that are kept with a warning and without an effect.
        forgotten: those that are deleted, since a similar one is noted and there may be very many. The next event that
            carries both identifiers links them again.
    """

    noted: list[Edge]
    forgotten: list[Edge]


def displaced(nodes: Nodes, edges: Sequence[Edge], contested: Iterable[Edge], limits: Mapping[str, int]) -> Displaced:
    """Return the links to remove, out of all links among the nodes of some profiles.

    Args:
        nodes: the nodes by number.
        edges: all links with both ends among `nodes`.
        contested: those of them that were refused, and for which there may be room afterwards.
        limits: the limit of identifiers of each type of a profile.
    """
    noted: dict[int, Edge] = {}
    forgotten: dict[int, Edge] = {}
    refused = {edge.number for edge in contested}
    for edge in edges:
        if edge.number in refused and LinkWarning.TWO_USERS in edge.warnings:
            noted |= {one.number: one for one in _claims_on_device(nodes, edges, edge)}
    crowded = [edge for edge in edges if edge.number in refused and LinkWarning.LIMIT in edge.warnings]
    for place in sorted({place for edge in crowded if (place := _place_of(nodes, edge))}):
        incoming = [edge for edge in crowded if _place_of(nodes, edge) == place]
        most = limits.get(place.type, 0)
        gone = _longest_ago(nodes, edges, place, incoming, most) if most >= FEWEST_PLACES else []
        # A link that an alias made is not made again by other events, so it is never deleted.
        many = [edge for edge in gone[:-1] if edge.rule is Rule.SAME_EVENT]
        forgotten |= {edge.number: edge for edge in many}
        noted |= {edge.number: edge for edge in gone if edge.number not in forgotten}
    return Displaced([*noted.values()], [edge for number, edge in forgotten.items() if number not in noted])


def _claims_on_device(nodes: Nodes, edges: Sequence[Edge], verified: Edge) -> list[Edge]:
    """Return the unverified links of a device that belongs to another person by a verified link."""
    ends = verified.left, verified.right
    devices = {end for end in ends if nodes[end].key.type == ANONYMOUS_ID}
    return [
        edge
        for edge in edges
        if edge.rule not in VERIFIED and not devices.isdisjoint((edge.left, edge.right)) and edge is not verified
    ]


class _Place(NamedTuple):
    """A profile that is full, and the type of the identifiers that it has too many of."""

    profile: int
    type: str


def _place_of(nodes: Nodes, edge: Edge) -> _Place | None:
    ends = nodes[edge.left], nodes[edge.right]
    for user, other in (ends, ends[::-1]):
        if user.key.type == USER_ID and other.key.type != USER_ID:
            return _Place(user.profile, other.key.type)
    return None


def _longest_ago(nodes: Nodes, edges: Sequence[Edge], place: _Place, incoming: Sequence[Edge], most: int) -> list[Edge]:
    """Return the oldest unverified links to identifiers of one type, so many that a quarter of their places is free."""
    profile, type = place
    joined = [edge for edge in edges if edge.outcome is not Outcome.REFUSED and nodes[edge.left].profile == profile]
    degrees = Counter(end for edge in joined for end in (edge.left, edge.right))
    weak = []
    for edge in [*joined, *incoming]:
        other = next((nodes[end] for end in (edge.right, edge.left) if nodes[end].key.type == type), None)
        # An identifier with other links may be what connects other nodes to the profile, so it stays.
        if other is not None and edge.rule in (Rule.SAME_EVENT, Rule.PREVIOUS) and degrees[other.number] <= 1:
            weak.append((other.last, other.number, edge))
    has = sum(node.key.type == type and node.profile == profile for node in nodes.values())
    excess = has + len(incoming) - (most - most // 4)
    return [edge for _, _, edge in sorted(weak, key=lambda one: one[:2])[: max(0, excess)]]
