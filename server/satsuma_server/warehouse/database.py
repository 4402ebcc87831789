"""The DuckDB file: opened so that nobody who asks it can reach anything else, read by many, written by one."""

from __future__ import annotations

import contextlib
import itertools
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from satsuma_server.errors import BusyError, UnavailableError

from . import FILE
from .schema.names import OWN_SCHEMA, quoted

OWN = quoted(OWN_SCHEMA)
TABLES = f"""
CREATE SCHEMA IF NOT EXISTS {OWN};
CREATE TABLE IF NOT EXISTS {OWN}.state (name VARCHAR PRIMARY KEY, value VARCHAR);
CREATE TABLE IF NOT EXISTS {OWN}.sources (source VARCHAR, schema_name VARCHAR);
CREATE TABLE IF NOT EXISTS {OWN}.columns (
    schema_name VARCHAR, table_name VARCHAR, column_name VARCHAR, kind VARCHAR, place INTEGER);
CREATE TABLE IF NOT EXISTS {OWN}.notices (place VARCHAR, what VARCHAR, name VARCHAR, count BIGINT);
CREATE TABLE IF NOT EXISTS {OWN}.message_ids (hash UBIGINT);
"""
OWN_TABLES = ("state", "sources", "columns", "notices", "message_ids")
LOCKS = (
    "SET python_enable_replacements = false",  # No query sees a variable of ours.
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET allow_community_extensions = false",
    "SET enable_external_access = false",  # No file, no network.
    "SET lock_configuration = true",
)
FORMAT_KEY, FORMAT = "format", "1"
DAMAGE = ("replaying WAL", "not a valid DuckDB database", "orrupt", "checksum")
"""Signs, in DuckDB's words, that a file will never open; others, as a lock, pass."""

CHECKPOINT = "256MB"
"""Of the write-ahead log, after which it goes into the file: each time, the newest rows of all tables are compressed
anew. What a crash leaves of it is read again at the next start, 240 MB in a second."""

PATIENCE_SECONDS = 30
"""How long a reader waits while the file is rewritten, and a rewriting for readers before it interrupts them."""

logger = logging.getLogger("satsuma.warehouse")


class Database:
    """The file. Its methods block, and may be called from any thread."""

    def __init__(self, folder: Path, *, memory: str = "512MB", threads: int = 2, read_only: bool = False) -> None:
        """Open the warehouse of a folder, making it where it is missing.

        Raises:
            UnavailableError: it can't be opened, as when another process has it.
        """
        self.path = folder / FILE
        self._config: dict[str, Any] = {
            "memory_limit": memory,
            "checkpoint_threshold": CHECKPOINT,
            "threads": str(threads),
            "temp_directory": str(folder / "spill"),
        }
        self._read_only = read_only
        self._writer = threading.RLock()
        self._change = threading.Condition()
        self._readers: set[duckdb.DuckDBPyConnection] = set()
        self._is_closed = False
        folder.mkdir(parents=True, exist_ok=True)
        self._new_path.unlink(missing_ok=True)
        self._connection = self._open()

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a connection that only reads, and sees all tables as they are now.

        Raises:
            BusyError: the file is being rewritten, and it takes long.
        """
        with self._change:
            if not self._change.wait_for(lambda: not self._is_closed, PATIENCE_SECONDS):
                raise BusyError("the warehouse is being rewritten: ask again in a minute")
            cursor = self._connection.cursor()
            self._readers.add(cursor)
        try:
            cursor.execute("BEGIN TRANSACTION READ ONLY")
            yield cursor
        finally:
            with self._change:
                self._readers.discard(cursor)
                self._change.notify_all()
            cursor.close()

    @contextmanager
    def writing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give the connection that writes, in a transaction: all of it is done, or nothing."""
        with self._writer:
            self._connection.execute("BEGIN TRANSACTION")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def checkpoint(self) -> None:
        """Let the write-ahead log go into the file, unless somebody who reads is in the way: it comes later then."""
        with self._writer, contextlib.suppress(duckdb.Error):
            self._connection.execute("CHECKPOINT")

    def rewrite(self) -> None:
        """Copy what is there into a new file, so that nothing of what was deleted is left, here or in damaged files."""
        with self._writer, self._alone():
            with duckdb.connect(config={"threads": "2"}) as plain:
                plain.execute(f"ATTACH '{_text(self.path)}' AS old (READ_ONLY)")
                plain.execute(f"ATTACH '{_text(self._new_path)}' AS new")
                plain.execute("COPY FROM DATABASE old TO new")
                plain.execute("CHECKPOINT new")
            self._new_path.replace(self.path)
            for damaged in self.path.parent.glob(f"{self.path.stem}.damaged-*"):
                damaged.unlink()

    def reopen(self) -> None:
        """Close the file, and open it anew."""
        with self._writer, self._alone():
            pass

    def close(self) -> None:
        """Let go of the file."""
        with self._writer, self._change:
            for reader in self._readers:
                reader.interrupt()
            self._change.wait_for(lambda: not self._readers, 5)
            self._connection.close()

    @property
    def _new_path(self) -> Path:
        return self.path.with_name(self.path.name + ".new")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Close the file for as long as this goes on, once those who read are done."""
        with self._change:
            self._is_closed = True
            if not self._change.wait_for(lambda: not self._readers, PATIENCE_SECONDS):
                for reader in self._readers:
                    reader.interrupt()
                self._change.wait_for(lambda: not self._readers)
        self._connection.close()
        try:
            yield
        finally:
            self._connection = self._open()
            with self._change:
                self._is_closed = False
                self._change.notify_all()

    def _open(self) -> duckdb.DuckDBPyConnection:
        try:
            return self._connect()
        except duckdb.Error as error:
            problem = str(error)
        if self._read_only or not any(sign in problem for sign in DAMAGE):
            raise UnavailableError(f"the warehouse {self.path} can't be opened: {problem}")
        aside = self._move_aside()
        logger.error("the warehouse is damaged; building it anew from the log", extra={"aside": aside, "why": problem})
        try:
            return self._connect()
        except duckdb.Error as error:
            raise UnavailableError(f"the warehouse {self.path} can't be opened: {error}") from error

    def _connect(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(str(self.path), read_only=self._read_only, config=self._config)
        if not self._read_only:
            connection = self._prepare(connection)
        # Whoever has the file open in this process has locked it already: it is one database.
        if not connection.execute("SELECT current_setting('lock_configuration')").fetchall()[0][0]:
            for lock in LOCKS:
                connection.execute(lock)
        return connection

    def _prepare(self, connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
        connection.execute(TABLES)
        connection.execute(f"INSERT INTO {OWN}.state VALUES (?, ?) ON CONFLICT DO NOTHING", (FORMAT_KEY, FORMAT))
        return connection

    def _move_aside(self) -> str:
        number = next(one for one in itertools.count(1) if not self._aside(one).exists())
        for ending in ("", ".wal"):
            part = self.path.with_name(self.path.name + ending)
            if part.exists():
                part.rename(self._aside(number).with_name(self._aside(number).name + ending))
        return self._aside(number).name

    def _aside(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.stem}.damaged-{number}{self.path.suffix}")


def get_state(connection: duckdb.DuckDBPyConnection, name: str) -> str | None:
    """Return what was noted under a name."""
    row = connection.execute(f"SELECT value FROM {OWN}.state WHERE name = ?", (name,)).fetchone()
    return row[0] if row else None


def set_state(connection: duckdb.DuckDBPyConnection, **values: object) -> None:
    """Note values under names."""
    marks = ", ".join("(?, ?)" for _ in values)
    given = [one for name, value in values.items() for one in (name, str(value))]
    connection.execute(f"INSERT OR REPLACE INTO {OWN}.state VALUES {marks}", given)


def _text(path: Path) -> str:
    return str(path).replace("'", "''")
