"""Erases single events from the log for good, while the log goes on taking events.

The place of an erased event stays: its line and its messageId become empty, so that all other events keep their seq.
"""

from __future__ import annotations

import sqlite3
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from satsuma_server.errors import UnavailableError

from . import Erased, EventMatcher
from .database import COLUMNS, Block, connect, decode_ids, encode_ids, read_blocks
from .job_queue import Task

BLOCKS_A_LOOK = 16
BLOCKS_A_COMMIT = 8
"""How many blocks are rewritten in one commit. Each takes milliseconds, and senders wait for the commit."""

PAGES_A_COMMIT = 2_000
CHECKPOINT_SECONDS = 30

UPDATE_BLOCK = "UPDATE blocks SET message_ids = ?, checksum = ?, body = ? WHERE last = ?"


@dataclass(slots=True)
class Erasure:
    """One erasure: its tasks for the writer, and its result so far."""

    path: Path
    matcher: EventMatcher
    erased: Erased = field(default_factory=Erased)

    def candidates(self) -> Iterator[list[int]]:
        """Yield the numbers of blocks that may have something to erase, a few at a time. This reads the whole log."""
        connection = connect(self.path)
        try:
            after = 0
            while blocks := read_blocks(connection, after, BLOCKS_A_LOOK):
                after = blocks[-1].last
                found = [block.last for block in blocks if self.matcher.may_concern(block.body)]
                yield from (found[at : at + BLOCKS_A_COMMIT] for at in range(0, len(found), BLOCKS_A_COMMIT))
        finally:
            connection.close()

    def rewrite(self, lasts: list[int]) -> Task:
        """Return a task that rewrites some blocks."""

        def task(connection: sqlite3.Connection) -> None:
            connection.execute("PRAGMA secure_delete=ON")
            for last in lasts:
                row = connection.execute(f"SELECT {COLUMNS} FROM blocks WHERE last = ?", (last,)).fetchone()  # noqa: S608
                if row is not None:
                    self._rewrite(connection, Block(*row))

        return task

    def _rewrite(self, connection: sqlite3.Connection, block: Block) -> None:
        if not block.is_whole:
            # Nobody can read what is in a damaged block, so it is deleted as a whole: the person may be in it.
            connection.execute("DELETE FROM blocks WHERE last = ? AND last < (SELECT max(last) FROM blocks)", block[:1])
            return
        lines, (ids, hashes) = block.body.split(b"\n"), decode_ids(block.message_ids)
        for seq, source, line in block.events():
            kept = self.matcher.redact(source, line)
            if kept == line:
                continue
            lines[seq - block.first] = kept
            # A hash would still tell who guesses what was erased that the guess is right.
            hashes[seq - block.first] = ""
            if kept:
                self.erased.redacted += 1
            else:
                ids[seq - block.first] = ""
                self.erased.events += 1
        body = b"\n".join(lines)
        if body != block.body:
            row = (encode_ids(ids, hashes), zlib.crc32(body), body, block.last)
            connection.execute(UPDATE_BLOCK, row)

    def drop_refused(self, connection: sqlite3.Connection) -> None:
        """Remove the refused events that name the people to erase. This is a task for the writer."""
        connection.execute("PRAGMA secure_delete=ON")
        found = connection.execute("SELECT id, reason, raw FROM refused").fetchall()
        gone = [(id,) for id, reason, raw in found if self.matcher.names(raw) or self.matcher.names(reason.encode())]
        connection.executemany("DELETE FROM refused WHERE id = ?", gone)
        self.erased.dead_letters += len(gone)

    @staticmethod
    def vacuum(connection: sqlite3.Connection) -> None:
        """Return free pages, which may still have deleted data, to the file system. This is a task for the writer."""
        connection.execute(f"PRAGMA incremental_vacuum({PAGES_A_COMMIT})").fetchall()

    def has_free_pages(self) -> bool:
        """Tell whether `vacuum` has more to do."""
        connection = connect(self.path)
        try:
            return bool(connection.execute("PRAGMA freelist_count").fetchone()[0])
        finally:
            connection.close()


def empty_wal(path: Path) -> None:
    """Empty the write-ahead log, which has old versions of pages.

    Raises:
        UnavailableError: readers have prevented it for too long.
    """
    connection = connect(path)
    try:
        until = time.monotonic() + CHECKPOINT_SECONDS
        while connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            if time.monotonic() > until:
                raise UnavailableError("the log's write-ahead file is in use: try again")
            time.sleep(0.05)
    finally:
        connection.close()


def compact(path: Path) -> None:
    """Write the log's file anew, without old data in the unused parts of its pages. Nothing may write meanwhile."""
    connection = connect(path)
    try:
        connection.execute("VACUUM")
    finally:
        connection.close()
