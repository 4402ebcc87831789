"""The interface of a database of profiles, its tables, and SQLite. The same SQL works in SQLite and Postgres.

Rows are passed to a statement as one JSON array of arrays, which both databases can read as a table. So a batch needs
one statement instead of one for each row, and the text of the statement is the same for both.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import msgspec

from satsuma_server.errors import UnavailableError

FILE = "profiles.sqlite3"
FORMAT = 2
"""Version of the tables' format, in SQLite's ``user_version``."""

CACHE_KIB = 16 << 10
MOST_MAPPED = 8 << 30
PRAGMAS = (
    # A batch changes about one row in each of a thousand pages, so small pages mean that less is written.
    "page_size=2048",
    "journal_mode=WAL",
    # After a power cut the newest commits may be missing, but never a part of one. The log has their events.
    "synchronous=NORMAL",
    "secure_delete=ON",
    # A checkpoint for many batches writes each page only once.
    "wal_autocheckpoint=40000",
    f"cache_size={-CACHE_KIB}",
    f"mmap_size={MOST_MAPPED}",
)

TABLES: Mapping[str, Mapping[str, str]] = {
    "state": {"id": "bigint", "seq": "bigint", "next_node": "bigint", "next_edge": "bigint"},
    "nodes": {
        "number": "bigint",
        "space": "text",
        "type": "text",
        "value": "text",
        "profile": "bigint",
        "next": "bigint",
        "born": "bigint",
        "first": "bigint",
        "last": "bigint",
        "newest": "bigint",
        "sizes": "text",
        "tracked": "text",
        **dict.fromkeys(("identifies", "tracks", "pages", "screens", "groups", "aliases"), "bigint"),
    },
    "names": {"level": "bigint", "hash": "bigint", "node": "bigint"},
    "edges": {
        "number": "bigint",
        "left_node": "bigint",
        "right_node": "bigint",
        "rule": "text",
        "outcome": "text",
        "warnings": "text",
        "seq": "bigint",
        "message_id": "text",
        "source": "text",
        "at": "bigint",
        "kept": "bigint",
        "gone": "bigint",
    },
    "apart": {
        "space": "text",
        "left_type": "text",
        "left_value": "text",
        "right_type": "text",
        "right_value": "text",
    },
    "moments": {"node": "bigint", "fingerprint": "bigint", "at": "bigint", "seq": "bigint"},
    "traits": {"node": "bigint", "name": "text", "value": "text", "at": "bigint", "message_id": "text"},
    "usage": {"month": "text", "source": "text", "state": "bigint", "ids": "bigint"},
    "blocked": {"value": "text", "times": "bigint"},
    "chores": {"name": "text"},
}
"""The columns of each table, with their types."""

COUNTS = tuple(TABLES["nodes"])[-6:]
"""The columns that count events, in the order of `EVENT_TYPES`."""

KEYS = {
    "state": "id",
    "nodes": "number",
    "names": "level, hash, node",
    "edges": "number",
    "apart": "space, left_type, left_value, right_type, right_value",
    "moments": "node, fingerprint",
    "traits": "node, name",
    "usage": "month, source, state",
    "blocked": "value",
    "chores": "name",
}
INDEXES = (
    "CREATE UNIQUE INDEX IF NOT EXISTS edges_by_pair ON edges (left_node, right_node)",
    "CREATE INDEX IF NOT EXISTS edges_by_right ON edges (right_node)",
    "CREATE INDEX IF NOT EXISTS edges_with_warnings ON edges (number) WHERE warnings <> ''",
    "CREATE INDEX IF NOT EXISTS edges_of_aliases ON edges (number) WHERE rule = 'alias'",
    "CREATE INDEX IF NOT EXISTS moments_by_seq ON moments (seq)",
)

Row = Sequence[Any]


def schema(text: str, ending: str = "") -> list[str]:
    """Return statements that create missing tables, given the database's type for text and the end of CREATE TABLE."""
    made = []
    for table, columns in TABLES.items():
        told = ", ".join(f"{name} {text if kind == 'text' else 'BIGINT'} NOT NULL" for name, kind in columns.items())
        told = told.replace("kept BIGINT NOT NULL", "kept BIGINT").replace("gone BIGINT NOT NULL", "gone BIGINT")
        made.append(f"CREATE TABLE IF NOT EXISTS {table} ({told}, PRIMARY KEY ({KEYS[table]})){ending}")
    return [*made, *INDEXES]


class Database(Protocol):
    """One connection, for one thread at a time. Placeholders in statements are ``?``.

    All methods raise:
        UnavailableError: the database can't be reached, or has lost the current transaction.
    """

    def run(self, statement: str, *values: Any) -> list[Any]:
        """Execute a statement and return its rows."""
        ...

    def many(self, statement: str, given: Sequence[Row]) -> None:
        """Execute a statement once for each of the rows."""
        ...

    def each(self, statement: str, *values: Any) -> Generator[Any]:
        """Yield rows one by one. A caller that doesn't read all of them must close the generator."""
        ...

    def given(self, *columns: str) -> str:
        """Return SQL for a FROM clause that reads the rows of one placeholder, whose value `rows` returns.

        Args:
            columns: each as ``table.column``, which says its type and its name.
        """
        ...

    def transaction(self) -> Any:
        """Return a context manager for a transaction."""
        ...

    def clean(self) -> None:
        """Remove all traces of deleted data from the files."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


def rows(values: Iterable[Row]) -> str:
    """Return rows as the value of a placeholder."""
    return msgspec.json.encode(list(values)).decode()


def upsert(database: Database, table: str, given: Iterable[Row], change: str = "", where: str = "true") -> None:
    """Insert whole rows. Where a row with the same key exists, it is changed by `change`, or left unchanged."""
    action = f"UPDATE SET {change} WHERE {where}" if change else "NOTHING"
    marks = ", ".join("?" for _ in TABLES[table])
    database.many(f"INSERT INTO {table} VALUES ({marks}) ON CONFLICT ({KEYS[table]}) DO {action}", list(given))


def insert(database: Database, statement: str, columns: Sequence[str], given: Iterable[Row]) -> None:
    """Run a statement in which braces stand for the rows."""
    found = list(given)
    if found:
        database.run(statement.format(database.given(*columns)), rows(found))


class Sqlite:
    """A file in the data folder."""

    def __init__(self, data: Path, *, reading: bool = False) -> None:
        """Open the file in the folder `data`, or create it. Raises `UnavailableError`."""
        self._path = data / FILE
        with _telling(f"the profiles in {self._path}"):
            data.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=30)
            for pragma in PRAGMAS:
                self._connection.execute(f"PRAGMA {pragma}")
            if not reading:
                self._make_tables()

    def run(self, statement: str, *values: Any) -> list[Any]:
        with _telling("the profiles"):
            return self._connection.execute(statement, values).fetchall()

    def many(self, statement: str, given: Sequence[Row]) -> None:
        with _telling("the profiles"):
            self._connection.executemany(statement, given)

    def each(self, statement: str, *values: Any) -> Generator[Any]:
        with _telling("the profiles"):
            yield from self._connection.execute(statement, values)

    def given(self, *columns: str) -> str:
        told = (f"value->>{place} AS {column.partition('.')[2]}" for place, column in enumerate(columns))
        return f"(SELECT {', '.join(told)} FROM json_each(?)) AS given"

    def _make_tables(self) -> None:
        has, format = self._connection.execute(
            "SELECT (SELECT count(*) FROM sqlite_schema), user_version FROM pragma_user_version"
        ).fetchone()
        if has and format != FORMAT:
            raise UnavailableError(
                f"{self._path} is of another version: move it away, and it is built anew from the log"
            )
        self._connection.execute(f"PRAGMA user_version={FORMAT}")
        for statement in schema("TEXT", " WITHOUT ROWID"):
            self._connection.execute(statement)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.run("BEGIN IMMEDIATE")
        try:
            yield
            self.run("COMMIT")
        finally:
            if self._connection.in_transaction:
                self.run("ROLLBACK")

    def clean(self) -> None:
        # Rebalancing the trees leaves old data in unused parts of pages. Only writing a new file removes it.
        self.run("VACUUM")
        self.run("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        self._connection.close()


@contextmanager
def _telling(what: str) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise UnavailableError(f"{what} can't be used: {error}") from error
