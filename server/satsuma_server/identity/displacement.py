"""Chooses unverified links that are removed in favour of verified ones, or of newer ones where a profile is full.

Somebody who guesses a userId can send any number of anonymousIds with it. So a profile's places are not given to those
who come first: of the unverified links, those that were seen longest ago are removed. Several are removed at a time, so
that the cost for each is small.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from .graph import Edge, Node
from .identifiers import ANONYMOUS_ID, USER_ID
from .links import VERIFIED, LinkWarning, Outcome, Rule

Nodes = dict[int, Node]


def displaced(nodes: Nodes, edges: Sequence[Edge], contested: Iterable[Edge], most_devices: int | None) -> list[Edge]:
    """Return the links to remove, out of all links among the nodes of some profiles.

    Args:
        nodes: the nodes by number.
        edges: all links with both ends among `nodes`.
        contested: those of them that were refused, and for which there may be room afterwards.
        most_devices: the limit of anonymousIds of a profile.
    """
    found: dict[int, Edge] = {}
    refused = {edge.number for edge in contested}
    for edge in edges:
        if edge.number in refused and LinkWarning.TWO_USERS in edge.warnings:
            found |= {one.number: one for one in _claims_on_device(nodes, edges, edge)}
    crowded = [edge for edge in edges if edge.number in refused and LinkWarning.LIMIT in edge.warnings]
    for profile in {_profile_of_user(nodes, edge) for edge in crowded} - {None}:
        incoming = [edge for edge in crowded if _profile_of_user(nodes, edge) == profile]
        found |= {one.number: one for one in _longest_ago(nodes, edges, profile, incoming, most_devices or 0)}
    return [*found.values()]


def _claims_on_device(nodes: Nodes, edges: Sequence[Edge], verified: Edge) -> list[Edge]:
    """Return the unverified links of a device that belongs to another person by a verified link."""
    ends = verified.left, verified.right
    devices = {end for end in ends if nodes[end].key.type == ANONYMOUS_ID}
    return [
        edge
        for edge in edges
        if edge.rule not in VERIFIED and not devices.isdisjoint((edge.left, edge.right)) and edge is not verified
    ]


def _profile_of_user(nodes: Nodes, edge: Edge) -> int | None:
    user = next((nodes[end] for end in (edge.left, edge.right) if nodes[end].key.type == USER_ID), None)
    return None if user is None else user.profile


def _longest_ago(
    nodes: Nodes, edges: Sequence[Edge], profile: int | None, incoming: Sequence[Edge], most: int
) -> list[Edge]:
    """Return the oldest unverified links to devices of a profile, so many that a quarter of its places becomes free."""
    joined = [edge for edge in edges if edge.outcome is not Outcome.REFUSED and nodes[edge.left].profile == profile]
    degrees = Counter(end for edge in joined for end in (edge.left, edge.right))
    weak = []
    for edge in [*joined, *incoming]:
        device = next((nodes[end] for end in (edge.left, edge.right) if nodes[end].key.type == ANONYMOUS_ID), None)
        # A device with other links may be what connects other nodes to the profile, so it stays.
        if device is not None and edge.rule is Rule.SAME_EVENT and degrees[device.number] <= 1:
            weak.append((device.last, device.number, edge))
    devices = sum(node.key.type == ANONYMOUS_ID and node.profile == profile for node in nodes.values())
    excess = devices + len(incoming) - (most - most // 4)
    return [edge for _, _, edge in sorted(weak, key=lambda one: one[:2])[: max(0, excess)]]
