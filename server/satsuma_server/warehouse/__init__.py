"""Tables of what the log holds, to be asked with SQL: a schema for each source, named as Segment's warehouses are.

What others stand on is here: what a warehouse can be asked, and what it answers. `part.WarehouseProjection` is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER = "warehouse"
"""Where it lies, in the collector's folder."""

FILE = "warehouse.duckdb"

EMBEDDED = "duckdb"
"""The destination that is that very file."""

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
    """What a query found.

    Attributes:
        rows: a list for each row, of what JSON can hold: times as text, as ``2020-04-23 22:38:48.550``.
        truncated: there was more than the limits let through.
        seconds: how long it took.
    """

    columns: list[Column]
    rows: list[list[Any]]
    truncated: bool
    seconds: float


class Notice(msgspec.Struct, frozen=True):
    """Something that didn't get a table or a column of its own, since there are too many.

    Attributes:
        where: the schema, or ``schema.table``.
        what: ``events``, ``columns``, ``sources``, or ``unreadable`` for events that have no row at all.
        name: the first one that met the bound.
        count: how many events have met it.
    """

    where: str
    what: str
    name: str
    count: int


class Status(msgspec.Struct, frozen=True):
    """How the warehouse is doing.

    Attributes:
        destination: where the tables are: ``duckdb``, or what they are copied to besides.
        cursor: seq of the newest event that is in the tables.
        lag: how many events of the log are not yet.
        loaded_at: ISO 8601 time of the last load; None before the first.
        copied: seq up to which the destination has its copy, by schema; empty without one.
        problem: what keeps it from going on, None where nothing does. It is tried again.
        notices: what met a bound.
    """

    destination: str
    cursor: int
    lag: int
    loaded_at: str | None
    copied: dict[str, int]
    problem: str | None
    notices: list[Notice]


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
        """Return what one statement finds. It can only read, and is stopped after a while.

        Raises:
            QueryError: it is not one SELECT, is wrong, needs too long or too much memory.
            BusyError: too many others are under way.
        """
        ...

    async def forget(self, user_ids: Iterable[str], anonymous_ids: Iterable[str]) -> int:
        """Delete a person's rows in all tables, from the files too, and return how many there were."""
        ...

    async def replace_tables(self, schema: str, tables: Mapping[str, pa.Table]) -> None:
        """Put tables, as they are, in place of those that a schema has. For what others build from the log.

        Raises:
            ValueError: the schema is one of a source.
        """
        ...

    async def status(self) -> Status:
        """Return how it is doing."""
        ...
