"""An SQLite file of the destinations, which may be used from any thread."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from satsuma_server.errors import UnavailableError
from satsuma_server.schema_version import migrate


class Database:
    """One file. What is deleted is overwritten. All methods raise `UnavailableError` where it can't be used."""

    def __init__(self, path: Path, steps: Sequence[str]) -> None:
        """Open the file, or create it, and bring it to the newest version by `schema_version.migrate`."""
        self._lock = threading.Lock()
        with _telling():
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
            for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON"):
                self._connection.execute(f"PRAGMA {pragma}")
            migrate(self._connection, steps, f"{path}")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def run(self, statement: str, *values: Any) -> list[Any]:
        """Run one statement, and return its rows."""
        with _telling(), self._lock:
            return self._connection.execute(statement, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """Yield what runs statements, all of which are kept at the end, or none."""
        with _telling(), self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection.execute
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise

    def clean(self) -> None:
        """Remove what was deleted from the files as well."""
        self.run("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def _telling() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise UnavailableError(f"the file of the destinations can't be used: {error}") from error
