"""The warehouse's DuckDB file: many threads read it, one writes it, and no query can reach anything outside it."""

from __future__ import annotations

import contextlib
import itertools
import logging
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from satsuma_server.errors import BusyError, UnavailableError

from . import COPY, FILE
from .schema.names import OWN_SCHEMA, quoted

OWN = quoted(OWN_SCHEMA)
TABLES = f"""
CREATE SCHEMA IF NOT EXISTS {OWN};
CREATE TABLE IF NOT EXISTS {OWN}.state (name VARCHAR PRIMARY KEY, value VARCHAR);
CREATE TABLE IF NOT EXISTS {OWN}.sources (source VARCHAR, schema_name VARCHAR);
CREATE TABLE IF NOT EXISTS {OWN}.columns (
    schema_name VARCHAR, table_name VARCHAR, column_name VARCHAR, kind VARCHAR, place INTEGER);
CREATE TABLE IF NOT EXISTS {OWN}.notices (place VARCHAR, what VARCHAR, name VARCHAR, count BIGINT);
CREATE TABLE IF NOT EXISTS {OWN}.names (
    schema_name VARCHAR, table_name VARCHAR, column_name VARCHAR, decision VARCHAR);
CREATE TABLE IF NOT EXISTS {OWN}.name_rates (schema_name VARCHAR, table_name VARCHAR, next DOUBLE);
CREATE TABLE IF NOT EXISTS {OWN}.message_ids (hash UBIGINT);
"""
OWN_TABLES = ("state", "sources", "columns", "notices", "message_ids")
LOCKS = (
    "SET python_enable_replacements = false",  # Queries can't see our Python variables.
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET allow_community_extensions = false",
    "SET enable_external_access = false",  # Queries can't open files or the network.
    "SET lock_configuration = true",
)
FORMAT_KEY, FORMAT = "format", "1"
DAMAGE = ("replaying WAL", "not a valid DuckDB database", "orrupt", "checksum")
"""Parts of DuckDB's messages that mean that a file will never open. Other errors, such as a lock, are temporary."""

CHECKPOINT = "256MB"
"""Size of the write-ahead log at which it is merged into the file. Each merge compresses the newest rows of all tables
again, so it should be rare. After a crash the log is read again at the next start, about 240 MB in a second."""

PATIENCE_SECONDS = 30
"""How long readers wait while the file is being rewritten, and how long a rewrite waits before it interrupts them."""

logger = logging.getLogger("satsuma.warehouse")


class Database:
    """The file. Its methods block, and may be called from any thread."""

    def __init__(self, folder: Path, *, memory: str = "512MB", threads: int = 2, read_only: bool = False) -> None:
        """Open the warehouse in a folder, or create it.

        Raises:
            UnavailableError: it can't be opened, for example because another process has it open.
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
        for left in (self._new_path, self.copy_path):
            left.unlink(missing_ok=True)
        self._connection = self._open()

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a connection that can only read, and sees all tables as they are now.

        Raises:
            BusyError: the file is still being rewritten after `PATIENCE_SECONDS`.
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
        """Yield the connection that writes, in a transaction that is committed at the end or rolled back."""
        with self._writer:
            self._connection.execute("BEGIN TRANSACTION")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def checkpoint(self) -> None:
        """Merge the write-ahead log into the file. Where readers prevent that, it is done at a later time."""
        with self._writer, contextlib.suppress(duckdb.Error):
            self._connection.execute("CHECKPOINT")

    def rewrite(self) -> None:
        """Copy everything into a new file, so that no deleted data is left on disk, not even in damaged files and in
        a copy that nobody has fetched."""
        with self._writer, self._alone():
            with duckdb.connect(config={"threads": "2"}) as plain:
                plain.execute(f"ATTACH '{_text(self.path)}' AS old (READ_ONLY)")
                plain.execute(f"ATTACH '{_text(self._new_path)}' AS new")
                try:
                    plain.execute("COPY FROM DATABASE old TO new")
                    plain.execute("CHECKPOINT new")
                except duckdb.Error:
                    # On a disk that is full, the room is needed by others.
                    plain.execute("DETACH new")
                    self._new_path.unlink(missing_ok=True)
                    raise
            self._new_path.replace(self.path)
            # What a backup has left that was killed before it took the copy away.
            self.copy_path.unlink(missing_ok=True)
            for damaged in self.path.parent.glob(f"{self.path.stem}.damaged-*"):
                damaged.unlink()

    def copy(self) -> Path:
        """Copy the file to `copy_path`, in place of an earlier copy; return that path.

        It is closed meanwhile. Otherwise, to copy it within this process would end DuckDB's lock on it.

        Raises:
            UnavailableError: the disk has no room for the copy.
        """
        self.checkpoint()
        try:
            with self._writer, self._alone():
                wal = self.path.with_name(self.path.name + ".wal")
                if wal.exists():
                    raise UnavailableError("the warehouse can't be copied while its changes are not in the file yet")
                shutil.copyfile(self.path, self.copy_path)
        except OSError as error:
            self.copy_path.unlink(missing_ok=True)
            raise UnavailableError(f"the warehouse can't be copied: {error}") from error
        return self.copy_path

    def reopen(self) -> None:
        """Close the file and open it again."""
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
    def copy_path(self) -> Path:
        """Where `copy` leaves the copy."""
        return self.path.with_name(COPY)

    @property
    def _new_path(self) -> Path:
        return self.path.with_name(self.path.name + ".new")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Wait for the readers, and keep the file closed for the duration of this context."""
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
        # Where this process has the file open already, its configuration is locked: it is the same database.
        if not connection.execute("SELECT current_setting('lock_configuration')").fetchall()[0][0]:
            for lock in LOCKS:
                connection.execute(lock)
        return connection

    def _prepare(self, connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
        connection.execute(TABLES)
        found = get_state(connection, FORMAT_KEY) or FORMAT
        if int(found) > int(FORMAT):
            connection.close()
            raise UnavailableError(
                f"{self.path} was written by a newer version of Satsuma: install that version, or restore a backup"
            )
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
    """Return a value of the state table; None where it has none of that name."""
    row = connection.execute(f"SELECT value FROM {OWN}.state WHERE name = ?", (name,)).fetchone()
    return row[0] if row else None


def set_state(connection: duckdb.DuckDBPyConnection, **values: object) -> None:
    """Write values into the state table."""
    marks = ", ".join("(?, ?)" for _ in values)
    given = [one for name, value in values.items() for one in (name, str(value))]
    connection.execute(f"INSERT OR REPLACE INTO {OWN}.state VALUES {marks}", given)


def _text(path: Path) -> str:
    return str(path).replace("'", "''")
