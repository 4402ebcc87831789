"""Keeps the log's files small: checkpoints of the write-ahead log, and retention."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path

from .database import COLUMNS, Block, connect, encode_ids
from .holds import read_by_all
from .job_queue import Task
from .writer import Writer

CHECKPOINT_SECONDS = 0.5
"""How often there is a checkpoint where little is written; otherwise the writer asks for one, after `GROWTH`."""

TRIM_SECONDS = 30
EMPTY_SECONDS = 86_400
"""How often the write-ahead log is emptied where events are not kept for ever. The end of the file may have pages of a
busy day that lies long back, since later ones begin again at its beginning."""

LONGEST_WAL = 16 << 20
"""Bytes after which the write-ahead log starts again at its beginning. The file keeps its length: to write over what a
file has already takes a disk a fifth of the time that it takes to make the file longer."""

FRAME_HEAD = 24
"""Bytes of the header before each page in the write-ahead log."""

MOST_DEAD_LETTERS = 10_000
MOST_DEAD_LETTER_BYTES = 128 << 20
MOST_AN_HOUR = 1_000
"""How many dead letters of one source and hour are kept when there are too many. These are the first ones, which show
what went wrong as well as thousands more would."""

FLOOD = f"""SELECT id FROM (SELECT id, row_number() OVER (
    PARTITION BY source, CAST(received_at / 3600000 AS INTEGER) ORDER BY id) AS place FROM refused)
    WHERE place > {MOST_AN_HOUR}"""  # noqa: S608
BY_TURNS = """SELECT id, size FROM (SELECT id, length(raw) AS size, row_number() OVER (
    PARTITION BY source ORDER BY id DESC) AS place FROM refused) ORDER BY place, id DESC"""
"""Orders dead letters as the newest of every source, then the second newest of every source, and so on, so that no
source pushes out those of another."""

BLOCKS_A_TRIM = 2_000
PAGES_A_TRIM = 20_000


def trim(retention_ms: float | None, now: float) -> Task:
    """Return a task that removes, within a commit, what is older than the retention time.

    Events that a follower hasn't read stay, and all of them while something holds the log. The newest block, from which
    the next seq is known, stays without its events.
    """

    def task(connection: sqlite3.Connection) -> None:
        # Overwrites what is deleted in pages that are written anyway; pages that become free leave the file below.
        connection.execute("PRAGMA secure_delete=FAST")
        _trim_refused(connection)
        if retention_ms is not None:
            connection.execute("DELETE FROM refused WHERE received_at < ?", (now - retention_ms,))
            read = read_by_all(dict(connection.execute("SELECT name, seq FROM cursors")), now)
            old = """SELECT last FROM blocks WHERE received_at < ? AND last < (SELECT max(last) FROM blocks)
                AND last <= ? ORDER BY last LIMIT ?"""
            connection.execute(f"DELETE FROM blocks WHERE last IN ({old})", (now - retention_ms, read, BLOCKS_A_TRIM))  # noqa: S608
            _empty_newest(connection, now - retention_ms, read)
        connection.execute(f"PRAGMA incremental_vacuum({PAGES_A_TRIM})").fetchall()

    return task


def _empty_newest(connection: sqlite3.Connection, before: float, read: int) -> None:
    """Erase the events of the newest block, where it is old: a site may have no visitors any more."""
    newest = f"""SELECT {COLUMNS} FROM blocks WHERE last = (SELECT max(last) FROM blocks) AND received_at < ?
        AND last <= ?"""  # noqa: S608
    row = connection.execute(newest, (before, read)).fetchone()
    if row is None:
        return
    block = Block(*row)
    nothing = [""] * (block.last - block.first + 1)
    body = b"\n".join(one.encode() for one in nothing)
    if body != block.body:
        values = (encode_ids(nothing, nothing), zlib.crc32(body), body, block.last)
        connection.execute("UPDATE blocks SET message_ids = ?, checksum = ?, body = ? WHERE last = ?", values)


def _trim_refused(connection: sqlite3.Connection) -> None:
    count, size = connection.execute("SELECT count(*), coalesce(sum(length(raw)), 0) FROM refused").fetchone()
    if count <= MOST_DEAD_LETTERS and size <= MOST_DEAD_LETTER_BYTES:
        return
    connection.execute(f"DELETE FROM refused WHERE id IN ({FLOOD})")  # noqa: S608
    room = 0
    gone = []
    for kept, (number, one) in enumerate(connection.execute(BY_TURNS), 1):
        room += one
        if kept > MOST_DEAD_LETTERS or room > MOST_DEAD_LETTER_BYTES:
            gone.append((number,))
    connection.executemany("DELETE FROM refused WHERE id = ?", gone)


class Upkeep:
    """A thread with a connection of its own, which makes checkpoints while commits go on."""

    def __init__(self, path: Path, writer: Writer, submit: Callable[[Task], None], retention_ms: float | None) -> None:
        """Take the log's file, its writer, and a function that has a task run within a commit."""
        self._path = path
        self._writer = writer
        self._submit = submit
        self._retention_ms = retention_ms
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="satsuma-upkeep", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop the thread."""
        self._stopped = True
        self._writer.has_grown.set()
        self._thread.join()

    def _run(self) -> None:
        connection = connect(self._path)
        page: int = connection.execute("PRAGMA page_size").fetchone()[0]
        most = LONGEST_WAL // (page + FRAME_HEAD)
        trimmed = emptied = time.monotonic()
        while True:
            self._writer.has_grown.wait(CHECKPOINT_SECONDS)
            self._writer.has_grown.clear()
            if self._stopped:
                break
            self._checkpoint(connection, most)
            if time.monotonic() - trimmed > TRIM_SECONDS:
                trimmed = time.monotonic()
                self._submit(trim(self._retention_ms, time.time() * 1000))
            if self._retention_ms is not None and time.monotonic() - emptied > EMPTY_SECONDS:
                emptied = time.monotonic()
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        connection.close()

    def _checkpoint(self, connection: sqlite3.Connection, most_pages: int) -> None:
        wal = self._path.with_name(self._path.name + "-wal")
        checkpoint = "PRAGMA wal_checkpoint({})".format
        try:
            # This checkpoint doesn't block commits, but it never reaches the end of the write-ahead log while they go
            # on.
            _, pages, _ = connection.execute(checkpoint("PASSIVE")).fetchone()
            # On a disk that is nearly full, the room of the write-ahead log is needed for the next events.
            if wal.stat().st_size > shutil.disk_usage(wal.parent).free:
                connection.execute(checkpoint("TRUNCATE")).fetchall()
            elif pages > most_pages:
                # Only a little has been added since, and between two commits nothing is.
                self._writer.finish_checkpoint()
        except (OSError, sqlite3.Error):
            # The disk is full or gone. Senders hear that from their commits, and the next round tries again.
            return
