"""The two large files in blocks that a page checks as they come in; of memory, what is not zero."""

from __future__ import annotations

from collections.abc import Iterator

from .files import integrity

PAGE = 4096
GAP = 4
"""Pages of zeros that are worth a new block: fewer cost little, once compressed."""

MOST = 64
"""Pages of a block. A browser copies what it hashes, and takes memory of this size from what it has used before; a
megabyte is fresh each time."""

Block = tuple[int, int, str]
"""Where it is put, how many bytes it has, and its Subresource Integrity value."""


def packed(memory: bytes) -> tuple[bytes, list[Block]]:
    """Return the file of `memory`, and the blocks that lie in it one after the other."""
    memory += bytes(-len(memory) % PAGE)
    blocks = []
    for start, end in _spans(memory):
        for at in range(start, end, MOST):
            first, last = at * PAGE, min(at + MOST, end) * PAGE
            blocks.append((first, last - first, integrity(memory[first:last])))
    return b"".join(memory[at : at + size] for at, size, _ in blocks), blocks


def in_turn(content: bytes) -> list[Block]:
    """Return the blocks of a file that is read once, from its start: each is put where the one before it was."""
    parts = (content[at : at + MOST * PAGE] for at in range(0, len(content), MOST * PAGE))
    return [(0, len(part), integrity(part)) for part in parts]


def _spans(memory: bytes) -> Iterator[tuple[int, int]]:
    """Yield first and last page (exclusive) of what is not zero, over small gaps."""
    empty = bytes(PAGE)
    used = [page for page in range(len(memory) // PAGE) if memory[page * PAGE : (page + 1) * PAGE] != empty]
    start = end = used[0]
    for page in used:
        if page - end > GAP:
            yield start, end
            start = page
        end = page + 1
    yield start, end
