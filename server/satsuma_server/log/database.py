"""The log's SQLite file: its tables, how it is opened, and how a damaged one is salvaged.

Events are stored in blocks, many in one row, so that a commit writes a few large rows instead of thousands of small
ones. Each block has a checksum, so that damage is noticed and is limited to its block.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from satsuma_server.errors import UnavailableError
from satsuma_server.schema_version import migrate

from . import Stored

FILE = "events.sqlite3"
TABLES = """
CREATE TABLE IF NOT EXISTS blocks (
    last INTEGER PRIMARY KEY, first INTEGER NOT NULL, received_at REAL NOT NULL, sources TEXT NOT NULL,
    message_ids TEXT NOT NULL, checksum INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS refused (
    id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, reason TEXT NOT NULL, received_at REAL NOT NULL,
    raw BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS cursors (name TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS heartbeat (id INTEGER PRIMARY KEY CHECK (id = 1), at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
STEPS = (TABLES,)
"""What makes each version of the file from the one before; see `schema_version.migrate`."""

COLUMNS = "last, first, received_at, sources, message_ids, checksum, body"
INSERT_BLOCK = f"INSERT INTO blocks ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
INSERT_LETTER = "INSERT INTO refused (source, reason, received_at, raw) VALUES (?, ?, ?, ?)"
SAVE_HEARTBEAT = "INSERT OR REPLACE INTO heartbeat VALUES (1, ?)"
LONGEST_RAW = 64 * 1024
"""The most bytes that are kept of a refused event."""

PAGE_BYTES = 16_384
"""The page size of a new file. A block takes a quarter of the writes that it would with SQLite's default of 4 kB."""

CLEAN, OPEN = "clean", "open"

logger = logging.getLogger("satsuma.log")


class Block(NamedTuple):
    """One row of the table `blocks`.

    Attributes:
        first, last: seq of its first and last event.
        sources: JSON: write keys, and how many consecutive events each has, as in ``[["demo", 3]]``.
        message_ids: JSON: a list with each event's messageId, and one with each event's content hash. Older logs have
            the first list alone, and no hashes.
        body: the events as NDJSON without a newline at the end. An erased event is an empty line.
    """

    last: int
    first: int
    received_at: float
    sources: str
    message_ids: str
    checksum: int
    body: bytes

    @classmethod
    def of(
        cls,
        first: int,
        received_at: float,
        sources: Sequence[tuple[str, int]],
        ids: Sequence[str],
        hashes: Sequence[str],
        lines: list[bytes],
    ) -> Block:
        """Make a block from consecutive events."""
        body = b"\n".join(lines)
        return cls(
            last=first + len(lines) - 1,
            first=first,
            received_at=received_at,
            sources=msgspec.json.encode(sources).decode(),
            message_ids=encode_ids(ids, hashes),
            checksum=zlib.crc32(body),
            body=body,
        )

    @property
    def is_whole(self) -> bool:
        return zlib.crc32(self.body) == self.checksum

    def events(self) -> Iterator[tuple[int, str, bytes]]:
        """Yield seq, source and body of each event that was not erased."""
        every = zip(range(self.first, self.last + 1), self._each_source(), self.body.split(b"\n"), strict=True)
        return (event for event in every if event[2])

    def ids(self) -> Iterator[tuple[str, str, str]]:
        """Yield source, messageId and content hash of each event that was not erased."""
        ids, hashes = decode_ids(self.message_ids)
        return (one for one in zip(self._each_source(), ids, hashes, strict=True) if one[1])

    def _each_source(self) -> Iterator[str]:
        return (name for name, count in msgspec.json.decode(self.sources) for _ in range(count))


def encode_ids(ids: Sequence[str], hashes: Sequence[str]) -> str:
    """Return the messageIds and content hashes of a block's events as text."""
    return msgspec.json.encode((ids, hashes)).decode()


def decode_ids(text: str) -> tuple[list[str], list[str]]:
    """Return the messageIds and content hashes of a block's events; an empty hash where none is known."""
    read = msgspec.json.decode(text)
    if read and isinstance(read[0], list):
        return read[0], read[1]
    return read, [""] * len(read)


def connect(path: Path) -> sqlite3.Connection:
    """Return a connection whose commits are on disk when they return."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    connection.execute(f"PRAGMA page_size={PAGE_BYTES}")
    connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    # Deleted data is overwritten with zeros wherever this needs no additional page to be written.
    connection.execute("PRAGMA secure_delete=FAST")
    # A checkpoint inside a commit would make senders wait. `maintenance` makes checkpoints beside the commits.
    connection.execute("PRAGMA wal_autocheckpoint=0")
    return connection


def open_database(data: Path) -> sqlite3.Connection:
    """Open the log of a folder, or create it. Of a damaged one, everything that can be read is salvaged.

    Raises:
        UnavailableError: the file can't be opened or isn't a log.
    """
    path = data / FILE
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        _close_to_others(data)
        try:
            return _prepare(path)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            if not _is_database(path):
                raise UnavailableError(f"{path} is not a log: move it away, or name another folder") from error
            logger.error("the log is damaged; salvaging what can be read", extra={"reason": str(error)})
            _salvage(path)
            return _prepare(path)
    except (OSError, sqlite3.Error) as error:
        raise UnavailableError(f"the log {path} can't be opened: {error}") from error


def _close_to_others(data: Path) -> None:
    """Take a data folder and its files away from other users of this machine.

    A folder that is another user's, that is shared (sticky, as ``/tmp`` is), or that has files but no log, is left as
    it is, since it may have another purpose.
    """
    folder, entries = data.stat(), list(data.iterdir())
    if folder.st_uid != os.geteuid() or folder.st_mode & stat.S_ISVTX or (entries and not (data / FILE).exists()):
        return
    for path in (data, *(entry for entry in entries if entry.is_file() and not entry.is_symlink())):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077 and path.stat().st_uid == os.geteuid():
            path.chmod(mode & 0o700)


def read_blocks(connection: sqlite3.Connection, after: int, limit: int) -> list[Block]:
    """Return blocks that end after the seq `after`, in order. Damaged ones are included; their `is_whole` is false."""
    rows = connection.execute(f"SELECT {COLUMNS} FROM blocks WHERE last > ? ORDER BY last LIMIT ?", (after, limit))  # noqa: S608
    return [Block(*row) for row in rows]


def read_block_of(connection: sqlite3.Connection, seq: int) -> Block | None:
    """Return the block that has the event `seq`."""
    query = f"SELECT {COLUMNS} FROM blocks WHERE last >= ? ORDER BY last LIMIT 1"  # noqa: S608
    row = connection.execute(query, (seq,)).fetchone()
    return Block(*row) if row is not None and row[1] <= seq else None


def letter_of(event: Stored, reason: str, now: float) -> tuple[str, str, float, bytes]:
    """Return the parameters of `INSERT_LETTER` for a dead letter of an event that was accepted."""
    return event.source, reason, now, event.body[:LONGEST_RAW]


def _prepare(path: Path) -> sqlite3.Connection:
    connection = connect(path)
    try:
        # A process that was killed on a full disk has left a write-ahead log, which takes the room for new writes.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        migrate(connection, STEPS, f"the log {path}")
        if _state(connection) == OPEN:
            # The last process was killed, so the file is checked for damage before anything is added.
            problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if problem != "ok":
                raise sqlite3.DatabaseError(problem)
        set_state(connection, OPEN)
    except BaseException:
        connection.close()
        raise
    return connection


def _state(connection: sqlite3.Connection) -> str | None:
    row = connection.execute("SELECT value FROM state WHERE name = 'run'").fetchone()
    return row[0] if row else None


def set_state(connection: sqlite3.Connection, value: str) -> None:
    """Record whether the log is in use (`OPEN`) or was closed in an orderly way (`CLEAN`)."""
    connection.execute("INSERT OR REPLACE INTO state VALUES ('run', ?)", (value,))


def _is_database(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(16) in (b"SQLite format 3\0", b"\0" * 16)


def _salvage(path: Path) -> None:
    """Move a damaged log aside, and copy what can be read of it into a new one."""
    aside = _aside(path)
    for ending in ("", "-wal", "-shm"):
        part = path.with_name(path.name + ending)
        if part.exists():
            part.rename(aside.with_name(aside.name + ending))
    source, target = sqlite3.connect(aside), connect(path)
    try:
        migrate(target, STEPS, f"the log {path}")
        kept = sum(1 for row in _readable(source, "blocks", "last", COLUMNS) if _keep(target, row))
        for row in _readable(source, "cursors", "name", "name, seq"):
            target.execute("INSERT OR IGNORE INTO cursors VALUES (?, ?)", row)
        logger.error("the damaged log was put aside", extra={"aside": aside.name, "blocks_kept": kept})
    finally:
        source.close()
        target.close()


def _aside(path: Path) -> Path:
    for number in range(1, 1000):
        name = path.with_name(f"{path.stem}.damaged-{number}{path.suffix}")
        if not name.exists():
            return name
    raise UnavailableError(f"too many damaged logs beside {path}: move them away")


def _keep(target: sqlite3.Connection, row: Sequence[Any]) -> bool:
    if not Block(*row).is_whole:
        return False
    return target.execute(f"{INSERT_BLOCK} ON CONFLICT DO NOTHING", row).rowcount > 0


def _readable(source: sqlite3.Connection, table: str, key: str, columns: str) -> Iterator[Sequence[Any]]:
    """Yield the rows before and after the damage, reading from the start and then backwards from the end."""
    for order in ("ASC", "DESC"):
        try:
            yield from source.execute(f"SELECT {columns} FROM {table} ORDER BY {key} {order}")  # noqa: S608
            return
        except sqlite3.DatabaseError:
            continue
