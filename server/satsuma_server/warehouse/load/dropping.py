"""Removes tables of events, and columns, that nobody wants."""

from __future__ import annotations

import duckdb

from satsuma_server.errors import BadRequestError
from satsuma_server.warehouse.database import OWN
from satsuma_server.warehouse.schema.catalog import Catalog
from satsuma_server.warehouse.schema.names import ACCOUNTS, RESERVED_COLUMNS, RESERVED_TABLES, USERS, quoted
from satsuma_server.warehouse.schema.new_names import Decision, FullName, save_decision

from .latest_values import LATEST_VALUES


def parts_of(name: str) -> tuple[str, ...]:
    """Return the parts of ``schema.table.column``, of which the last may be missing.

    Raises:
        BadRequestError: it isn't such a name.
    """
    parts = tuple(name.split("."))
    if len(parts) > 3 or not all(parts):
        raise BadRequestError(f"{name[:200]!r} is no name as schema.table or schema.table.column")
    return parts


def check_droppable(name: str, parts: tuple[str, ...], catalog: Catalog) -> None:
    """Raise `BadRequestError` where a table or column can't be dropped."""
    if len(parts) < 2 or parts[0] not in catalog.source_schemas():
        raise BadRequestError(f"{name[:200]!r} is no table or column of a source: name it as schema.table.column")
    schema, table, *column = parts
    is_held = (*parts, "")[:3] in catalog.names.decisions
    if (schema, table) not in catalog.tables and not is_held:
        raise BadRequestError(f"there is no table {schema}.{table}")
    if not column and table in RESERVED_TABLES:
        raise BadRequestError(f"every source has the table {table}: drop columns of it")
    if column and (column[0] in RESERVED_COLUMNS or table in (USERS, ACCOUNTS)):
        raise BadRequestError(f"{name} can't be dropped: it is there in every source, or made of identifies or groups")
    if column and column[0] not in catalog.tables.get((schema, table), {}) and not is_held:
        raise BadRequestError(f"there is no column {name}")


def drop(connection: duckdb.DuckDBPyConnection, catalog: Catalog, name: FullName) -> None:
    """Remove a table, or a column where the name has one, and note that it isn't wanted."""
    schema, table, column = name
    if not column:
        connection.execute(f"DROP TABLE IF EXISTS {quoted(schema, table)}")
        connection.execute(f"DELETE FROM {OWN}.columns WHERE (schema_name, table_name) = (?, ?)", (schema, table))
    else:
        tables = [table, LATEST_VALUES[table][0]] if table in LATEST_VALUES else [table]
        for one in tables:
            if column in catalog.tables.get((schema, one), {}):
                connection.execute(f"ALTER TABLE {quoted(schema, one)} DROP COLUMN {quoted(column)}")
                where = "(schema_name, table_name, column_name) = (?, ?, ?)"
                connection.execute(f"DELETE FROM {OWN}.columns WHERE {where}", (schema, one, column))
    save_decision(connection, name, Decision.DROPPED)
