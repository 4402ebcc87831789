"""The warehouse's interface: tables made from the log, which can be queried with SQL.

Each source has a schema of its own, and tables and columns are named as in Segment's warehouses. The protocol
`Warehouse` says what can be asked; `projection.WarehouseProjection` implements it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER = "warehouse"
"""Name of its folder, inside the collector's data folder."""

FILE = "warehouse.duckdb"

COPY = "copy.duckdb"
"""Name of the copy that is made of the file for a backup."""

EMBEDDED = "duckdb"
"""The value of the setting `destination` that means the embedded DuckDB file, without a copy elsewhere."""

CURSOR = "warehouse"
"""Name of its cursor in the log."""


class Column(msgspec.Struct, frozen=True):
    """One column; `type` is DuckDB's, as ``VARCHAR`` or ``TIMESTAMP``. Times are UTC."""

    name: str
    type: str


class Table(msgspec.Struct, frozen=True):
    """One table and how many rows it has."""

    schema: str
    name: str
    rows: int
    columns: list[Column]


class Answer(msgspec.Struct, frozen=True):
    """The result of a query.

    Attributes:
        rows: a list for each row, of what JSON can hold: times as text, as ``2020-04-23 22:38:48.550``.
        truncated: whether rows were left out because of the limits.
        seconds: how long the query took.
    """

    columns: list[Column]
    rows: list[list[Any]]
    truncated: bool
    seconds: float


class Notice(msgspec.Struct, frozen=True):
    """Something that has no table, column or row of its own, because of a bound or of a pinned type.

    Attributes:
        where: the schema, or ``schema.table``.
        what: ``events``, ``columns`` or ``sources`` where there is no room for more; ``held`` for new names of which
            too many came; ``types`` for values that don't
            fit into a column with a pinned type; ``pinned`` for a column that had a wider type before it was pinned;
            ``unreadable`` for events that have no row at all.
        name: the first name that it happened to.
        count: how many events it has happened to.
    """

    where: str
    what: str
    name: str
    count: int


class Status(msgspec.Struct, frozen=True):
    """How the warehouse is doing.

    Attributes:
        destination: ``duckdb``, or the database that the tables are copied to as well.
        cursor: seq of the newest event that is in the tables.
        lag: how many events of the log are not in the tables yet.
        loaded_at: ISO 8601 time of the last load; None before the first.
        copied: for each schema, the seq up to which the destination has a copy; empty where there is no destination.
        problem: the error that stops it at the moment, None where there is none. It tries again by itself.
        notices: what reached a bound.
        held: tables and columns that people may allow or drop, since too many new ones came.
    """

    destination: str
    cursor: int
    lag: int
    loaded_at: str | None
    copied: dict[str, int]
    problem: str | None
    notices: list[Notice]
    held: list[str] = []


class Warehouse(Protocol):
    """What the console, profiles and deletion ask of a warehouse. Use from the worker's event loop."""

    async def tables(self) -> list[Table]:
        """Return all tables, ordered by schema and name."""
        ...

    async def rows(self, schema: str, table: str, *, limit: int = 100, offset: int = 0) -> Answer:
        """Return rows of one table, the newest first.

        Raises:
            QueryError: there is no such table.
        """
        ...

    async def query(self, sql: str, *, limit: int = 1000) -> Answer:
        """Run one statement and return its result. It can only read, and is stopped when it takes too long.

        Raises:
            QueryError: it is not a single SELECT, has an error, or takes too much time or memory.
            BusyError: too many other queries are running.
        """
        ...

    async def forget(self, user_ids: Iterable[str], anonymous_ids: Iterable[str], source: str = "") -> int:
        """Delete a person's rows from all tables and from the files on disk; return how many there were.

        Args:
            user_ids, anonymous_ids: the person's.
            source: the write key of the source whose rows are meant; all sources' where it is empty.
        """
        ...

    async def replace_tables(self, schema: str, tables: Mapping[str, pa.Table]) -> None:
        """Replace the tables of a schema. This is for tables that other projections build from the log.

        Raises:
            ValueError: the schema belongs to a source.
        """
        ...

    async def status(self) -> Status:
        """Return how far it is, and what stops it if anything does."""
        ...
