"""Which node an identifier is: found by a hash, since the identifiers' own order is that of chance.

Each new identifier has a place of its own in an index of all, mostly on a page that nothing else of a batch is on, and
the more there are, the fewer share one. So the newest are in a small index, which moves as a whole into a larger one
now and then, and that into the largest: each page there takes in many at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from satsuma_server.identity.graph import Node
from satsuma_server.identity.identifiers import Key

from .database import Database, rows
from .row_mapping import NODE, node_of

MOVES = (1 << 14, 1 << 18)
"""After how many new nodes those of a level move on to the next."""

LEVELS = range(len(MOVES) + 1)


def load_nodes(database: Database, keys: Iterable[Key]) -> dict[Key, Node]:
    """Return the nodes of some identifiers, as far as there are any."""
    wanted = set(keys)
    found = database.run(
        f"SELECT {NODE} FROM {database.given('names.hash')} CROSS JOIN names CROSS JOIN nodes "
        f"WHERE names.level IN {(*LEVELS,)} AND names.hash = given.hash AND nodes.number = names.node",
        rows((one,) for one in sorted(map(hash_of, wanted))),
    )
    return {node.key: node for node in map(node_of, found) if node.key in wanted}


def save_names(database: Database, nodes: Iterable[Node], next_before: int, next_node: int) -> None:
    """Write the names of new nodes.

    Args:
        database: within a transaction.
        nodes: the new ones.
        next_before, next_node: the next free number before them and after.
    """
    found = sorted((0, hash_of(node.key), node.number) for node in nodes)
    database.many("INSERT INTO names VALUES (?, ?, ?)", found)
    for level, every in reversed([*enumerate(MOVES)]):
        if next_before // every < next_node // every:
            database.run("UPDATE names SET level = level + 1 WHERE level = ?", level)


def remove_names(database: Database, nodes: Iterable[Node]) -> None:
    """Remove the names of nodes, on whichever level they are."""
    found = [(level, hash_of(node.key), node.number) for node in nodes for level in LEVELS]
    database.many("DELETE FROM names WHERE level = ? AND hash = ? AND node = ?", found)


def hash_of(key: Key) -> int:
    """Return 64 bits of an identifier's hash, the same in every run; nobody can make many that share one."""
    digest = hashlib.blake2b("\0".join(key).encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
