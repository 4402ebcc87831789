"""The catalog: which schemas, tables and columns exist, which may be added, and what reached a bound."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import duckdb

from satsuma_server.warehouse import Notice
from satsuma_server.warehouse.database import OWN

from .column_types import ColumnType, join, widening
from .names import RESERVED_COLUMNS, RESERVED_TABLES, fit, quoted, schema_name
from .new_names import Decision, NewNames

MOST_SOURCES = 100
"""The most sources with a schema of their own; all others share the schema `OTHERS`."""

MOST_EVENT_TABLES = 1_000
"""The most event tables of a schema; other events are in `tracks` only."""

MOST_COLUMNS = 500
"""The most columns of a table; other fields are in its column `_rest`, as JSON."""

MOST_COLUMNS_OF_A_SOURCE, MOST_COLUMNS_IN_ALL = 30_000, 60_000
"""The most columns of all tables of a schema, and of all schemas. Each takes about 4 kB of memory while the file is
open. The columns that every table has are always created."""

SMALLEST_TABLE = 60
"""How many columns must still be possible in its schema for a new table to be created."""

MOST_NOTICES = 1_000

OTHERS = "other_sources"

PROBLEMS = {
    "unreadable": "can't read all events",
    "types": "got values that don't fit into a column with a pinned type",
    "held": "holds new names, of which too many came",
    "pinned": "has a column that would have to be rebuilt to get its pinned type",
}

logger = logging.getLogger("satsuma.warehouse")

Name = tuple[str, str]
"""A table's schema and name."""

Statement = tuple[str, tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Changes:
    """What a batch of events changed in the catalog: new tables, new columns, and all notices where one is new."""

    statements: Sequence[Statement]
    notices: Sequence[Notice]
    columns: int = 0
    """How many columns are new."""

    def save(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Create the tables and columns in the file."""
        for statement, values in self.statements:
            connection.execute(statement, values)

    def save_notices(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Write the notices. Do it in the transaction of the rows that they count."""
        if self.notices:
            connection.execute(f"DELETE FROM {OWN}.notices")
            rows = [(one.where, one.what, one.name, one.count) for one in self.notices]
            connection.executemany(f"INSERT INTO {OWN}.notices VALUES (?, ?, ?, ?)", rows)


@dataclass
class Catalog:
    """The schemas, tables and columns of the file. Changes are collected here, and saved after `take_changes`.

    Attributes:
        schemas: the schema of each source.
        tables: the columns of each table, with their types.
        names: the decisions on new names.
    """

    schemas: dict[str, str] = field(default_factory=dict)
    tables: dict[Name, dict[str, ColumnType]] = field(default_factory=dict)
    notices: dict[tuple[str, str], Notice] = field(default_factory=dict)
    names: NewNames = field(default_factory=NewNames)
    _event_tables: Counter[str] = field(default_factory=Counter)
    _columns: Counter[str] = field(default_factory=Counter)
    _new_columns: int = 0
    _statements: list[Statement] = field(default_factory=list)
    _has_new_notices: bool = False

    @classmethod
    def read(cls, connection: duckdb.DuckDBPyConnection, names: NewNames | None = None) -> Catalog:
        """Read the catalog from the file. Without `names`, as many new ones may come as there is room for."""
        catalog = cls(names=names or NewNames())
        catalog.names.read(connection)
        catalog.schemas = dict(connection.execute(f"SELECT source, schema_name FROM {OWN}.sources").fetchall())
        columns = f"SELECT schema_name, table_name, column_name, kind FROM {OWN}.columns ORDER BY place"
        for schema, table, column, kind in connection.execute(columns).fetchall():
            catalog.tables.setdefault((schema, table), {})[column] = ColumnType[kind]
        for (schema, table), found in catalog.tables.items():
            catalog._event_tables[schema] += table not in RESERVED_TABLES
            catalog._columns[schema] += len(found)
        for row in connection.execute(f"SELECT place, what, name, count FROM {OWN}.notices").fetchall():
            catalog.notices[row[0], row[1]] = Notice(*row)
        return catalog

    def schema_of(self, source: str, label: str) -> str:
        """Return the schema of a source, which may be new; `label` is the name that people gave the source."""
        known = self.schemas.get(source)
        if known is not None:
            return known
        if len(self.schemas) >= MOST_SOURCES:
            self.notice("", "sources", source)
            return OTHERS
        name = schema_name(label)
        taken, number = set(self.schemas.values()) | {OTHERS}, 1
        while name in taken:
            number += 1
            name = fit(f"{schema_name(label)}_{number}")
        self.schemas[source] = name
        self._statements.append((f"INSERT INTO {OWN}.sources VALUES (?, ?)", (source, name)))
        return name

    def source_schemas(self) -> set[str]:
        """Return the schemas of all sources, including the shared one."""
        return {schema for schema, _ in self.tables} | set(self.schemas.values())

    def has_room(self, schema: str, table: str, at: float = 0.0) -> bool:
        """Tell whether an event, received at `at`, has a table of its own, or may get one now."""
        if (schema, table) in self.tables:
            return True
        if self._event_tables[schema] >= MOST_EVENT_TABLES or self._room(schema) < SMALLEST_TABLE:
            return False
        if self.names.decide((schema, table, ""), at) is not Decision.ALLOWED:
            return False
        self._event_tables[schema] += 1
        self.tables[schema, table] = {}
        return True

    def why_no_table(self, schema: str, table: str) -> str:
        """Return the notice that is due where `has_room` says no; empty where people don't want the table."""
        decision = self.names.decisions.get((schema, table, ""))
        return {Decision.HELD: "held", Decision.DROPPED: ""}.get(decision, "events") if decision else "events"

    def admit(
        self, name: Name, found: Mapping[str, ColumnType], times: Mapping[str, float] | None = None
    ) -> dict[str, str]:
        """Add columns to a table, or widen their types, and return those that it does not get.

        Args:
            name: the table.
            found: the types of the columns.
            times: when the first event with each column was received. Without it, no new name is held.

        Returns:
            for each column that the table does not get, the notice that is due; empty where people don't want it.
        """
        columns = self.tables.setdefault(name, {})
        is_new = not columns
        wide = [one for one, kind in found.items() if one in columns and join(columns[one], kind) is not columns[one]]
        for one in wide:
            self._widen(name, one, join(columns[one], found[one]))
        room = min(MOST_COLUMNS - len(columns), self._room(name[0]))
        added: list[str] = []
        excess: dict[str, str] = {}
        for one in found:
            if one in columns:
                continue
            if one in RESERVED_COLUMNS:
                added.append(one)
            elif len(added) >= room:
                excess[one] = "columns"
            else:
                decision = Decision.ALLOWED if times is None else self.names.decide((*name, one), times[one])
                if decision is Decision.ALLOWED:
                    added.append(one)
                else:
                    excess[one] = "held" if decision is Decision.HELD else ""
        columns.update((one, found[one]) for one in added)
        self._columns[name[0]] += len(added)
        self._new_columns += len(added)
        self._add(name, added, is_new)
        return excess

    def _room(self, schema: str) -> int:
        """Return how many more columns a schema may get."""
        return min(MOST_COLUMNS_OF_A_SOURCE - self._columns[schema], MOST_COLUMNS_IN_ALL - self._columns.total())

    def notice(self, where: str, what: str, name: str, count: int = 1) -> None:
        """Count events that reached a bound, and log a warning the first time."""
        known = self.notices.get((where, what))
        if known is None:
            if len(self.notices) >= MOST_NOTICES:
                return
            # Without names from events, which may be of people: a log is kept elsewhere, and for another time.
            problem = PROBLEMS.get(what) or f"has no room for more {what}"
            told = {"schema": where.partition(".")[0], "what": what}
            logger.warning("the warehouse %s; see: satsuma warehouse status", problem, extra=told)
        first, before = (known.name, known.count) if known else (name[:200], 0)
        self.notices[where, what] = Notice(where, what, first, before + count)
        self._has_new_notices = True

    def take_changes(self) -> Changes:
        """Return the changes since the last call, which are to be saved in the file."""
        statements, self._statements = [*self._statements, *self.names.take_statements()], []
        notices = list(self.notices.values()) if self._has_new_notices else []
        self._has_new_notices = False
        columns, self._new_columns = self._new_columns, 0
        return Changes(statements, notices, columns)

    def _add(self, name: Name, added: list[str], is_new: bool) -> None:
        columns = self.tables[name]
        if not added:
            return
        if is_new:
            listed = ", ".join(f"{quoted(one)} {columns[one].sql}" for one in added)
            self._statements.append((f"CREATE SCHEMA IF NOT EXISTS {quoted(name[0])}", ()))
            self._statements.append((f"CREATE TABLE {quoted(*name)} ({listed})", ()))
        else:
            for one in added:
                self._statements.append(
                    (f"ALTER TABLE {quoted(*name)} ADD COLUMN {quoted(one)} {columns[one].sql}", ())
                )
        first = len(columns) - len(added)
        statement = f"INSERT INTO {OWN}.columns VALUES (?, ?, ?, ?, ?)"
        for place, one in enumerate(added, first):
            self._statements.append((statement, (*name, one, columns[one].name, place)))

    def _widen(self, name: Name, column: str, kind: ColumnType) -> None:
        old = self.tables[name][column]
        self.tables[name][column] = kind
        if old.sql != kind.sql:
            self._statements += [(one, ()) for one in widening(quoted(*name), quoted(column), old, kind)]
        statement = f"""UPDATE {OWN}.columns SET kind = ?
            WHERE schema_name = ? AND table_name = ? AND column_name = ?"""
        self._statements.append((statement, (kind.name, *name, column)))
