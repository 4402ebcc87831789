"""Lists the tables, and reads their rows."""

from __future__ import annotations

import duckdb

from satsuma_server.errors import QueryError
from satsuma_server.warehouse import Answer, Column, Table
from satsuma_server.warehouse.database import Database
from satsuma_server.warehouse.schema.names import OWN_SCHEMA, SEQ, quoted

from .sql import Queries

COLUMNS = f"""SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns()
    WHERE database_name = current_database() AND NOT internal AND schema_name <> '{OWN_SCHEMA}'
    ORDER BY schema_name, table_name, column_index"""


def list_tables(database: Database) -> list[Table]:
    """Return all tables with their columns and numbers of rows."""
    with database.reading() as connection:
        columns: dict[tuple[str, str], list[Column]] = {}
        for schema, table, column, kind in connection.execute(COLUMNS).fetchall():
            columns.setdefault((schema, table), []).append(Column(column, kind))
        return [Table(*name, _count(connection, *name), found) for name, found in columns.items()]


def read_rows(database: Database, queries: Queries, schema: str, table: str, limit: int, offset: int) -> Answer:
    """Return rows of a table, the newest first where it has a seq."""
    with database.reading() as connection:
        listed = f"SELECT column_name FROM ({COLUMNS}) WHERE schema_name = ? AND table_name = ?"
        columns = [name for (name,) in connection.execute(listed, (schema, table)).fetchall()]
    if not columns:
        raise QueryError(f"there is no table {schema}.{table}")
    order = f"ORDER BY {SEQ} DESC" if SEQ in columns else ""
    return queries.run(f"SELECT * FROM {quoted(schema, table)} {order} LIMIT {limit} OFFSET {offset}", limit)


def _count(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> int:
    found = connection.execute(f"SELECT count(*) FROM {quoted(schema, table)}").fetchone()
    return int(found[0]) if found else 0
