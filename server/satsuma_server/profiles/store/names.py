"""Finds the node of an identifier, by a hash, in an index of three levels.

Identifiers are random, so in a single index each new one would be on another page, and a batch would write as many
pages as it has new identifiers. So the newest are in a small index, which is moved as a whole into a larger one from
time to time, and that one into the largest. Each page then gets many new entries at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from satsuma_server.identity.graph import Node
from satsuma_server.identity.identifiers import Key

from .database import Database, rows
from .row_mapping import NODE, node_of

MOVES = (1 << 14, 1 << 18)
"""The number of new nodes after which each level is moved into the next."""

LEVELS = range(len(MOVES) + 1)


def load_nodes(database: Database, keys: Iterable[Key]) -> dict[Key, Node]:
    """Return the nodes of identifiers, as far as they exist."""
    wanted = set(keys)
    found = database.run(
        f"SELECT {NODE} FROM {database.given('names.hash')} CROSS JOIN names CROSS JOIN nodes "
        f"WHERE names.level IN {(*LEVELS,)} AND names.hash = given.hash AND nodes.number = names.node",
        rows((one,) for one in sorted(map(hash_of, wanted))),
    )
    return {node.key: node for node in map(node_of, found) if node.key in wanted}


def save_names(database: Database, nodes: Iterable[Node], next_before: int, next_node: int) -> None:
    """Add new nodes to the index.

    Args:
        database: the database, within a transaction.
        nodes: the new nodes.
        next_before, next_node: the next free number before and after them.
    """
    found = sorted((0, hash_of(node.key), node.number) for node in nodes)
    database.many("INSERT INTO names VALUES (?, ?, ?)", found)
    for level, every in reversed([*enumerate(MOVES)]):
        if next_before // every < next_node // every:
            database.run("UPDATE names SET level = level + 1 WHERE level = ?", level)


def remove_names(database: Database, nodes: Iterable[Node]) -> None:
    """Remove nodes from the index, on whichever level they are."""
    found = [(level, hash_of(node.key), node.number) for node in nodes for level in LEVELS]
    database.many("DELETE FROM names WHERE level = ? AND hash = ? AND node = ?", found)


def hash_of(key: Key) -> int:
    """Return a 64-bit hash of an identifier, which is the same in every process. It is hard to construct collisions."""
    digest = hashlib.blake2b("\0".join(key).encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
