"""Converts rows of the database into objects of the graph, and back."""

from __future__ import annotations

import re

import msgspec

from satsuma_server.identity.graph import Edge, Node, Sizes
from satsuma_server.identity.identifiers import ANONYMOUS_ID, PREVIOUS_ID, USER_ID, Key
from satsuma_server.identity.links import LinkWarning, Outcome, Rule

from .database import TABLES, Row

NODE = ", ".join(f"nodes.{name}" for name in TABLES["nodes"])
EDGE = ", ".join(f"edges.{name}" for name in TABLES["edges"])

SHORT = {USER_ID: "U", ANONYMOUS_ID: "A", PREVIOUS_ID: "P"}
"""Short names of types in sizes. Rows that grow by little usually stay on their page. Names of configured types are
lower case."""

LONG = {short: type for type, short in SHORT.items()}
_size = re.compile(r"(\d+)(\w+)").findall


def node_of(row: Row) -> Node:
    """Convert a row of `NODE` into a node."""
    number, space, type, value, profile, next, born, first, last, newest, sizes, tracked, *counts = row
    key, months = Key(type, value, space), msgspec.json.decode(tracked)
    return Node(number, key, profile, next, born, first, last, newest, unpack_sizes(sizes), months, counts)


def node_row(node: Node, profile: int, sizes: str) -> Row:
    """Return a node's row."""
    key = node.key
    told = (node.number, key.space, key.type, key.value, profile, node.next, node.born)
    return (*told, node.first, node.last, node.newest, sizes, msgspec.json.encode(node.tracked).decode(), *node.counts)


def pack_sizes(sizes: Sizes) -> str:
    """Return the sizes of a profile as text, such as ``1U 2A``."""
    return " ".join(f"{count}{SHORT.get(type, type)}" for type, count in sizes.items())


def unpack_sizes(text: str) -> Sizes:
    """Convert a text of `pack_sizes` back."""
    return {LONG.get(type, type): int(count) for count, type in _size(text)}


def edge_of(row: Row) -> Edge:
    """Convert a row of `EDGE` into an edge."""
    number, left, right, rule, outcome, warnings, seq, message_id, source, at, kept, gone = row
    told = tuple(LinkWarning(one) for one in warnings.split(",") if one)
    return Edge(number, left, right, Rule(rule), seq, message_id, source, at, Outcome(outcome), told, kept, gone)


def edge_row(edge: Edge) -> Row:
    """Return an edge's row."""
    return (
        *(edge.number, edge.left, edge.right, edge.rule.value, edge.outcome.value),
        *(",".join(edge.warnings), edge.seq, edge.message_id, edge.source, edge.at, edge.kept, edge.gone),
    )
