"""Deletes a person's rows, and the latest values that were computed from them."""

from __future__ import annotations

from collections.abc import Container, Iterable

import duckdb

from satsuma_server.warehouse.schema.catalog import Catalog, Name
from satsuma_server.warehouse.schema.names import quoted

from .latest_values import LATEST_VALUES, update_latest_values

PEOPLE, DEVICES, LEFT = "forgotten_users", "forgotten_anonymous", "left_over"


def forget(
    connection: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    schemas: Container[str],
    user_ids: Iterable[str],
    anonymous_ids: Iterable[str],
) -> int:
    """Delete the rows of these ids from all tables of these schemas, within a transaction; return how many there were.

    This follows the log's rule: where a device was shared, another user's rows stay, without the device's anonymousId.
    """
    for table, ids in ((PEOPLE, user_ids), (DEVICES, anonymous_ids)):
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT unnest(?::VARCHAR[]) AS id", (list(ids),))
    count = 0
    for name, columns in catalog.tables.items():
        if name[0] in schemas and name[1] not in ("users", "accounts") and columns:
            count += _forget_in(connection, catalog, name)
    for schema in {schema for schema, table in catalog.tables if schema in schemas and table == "users"}:
        count += _delete(connection, (schema, "users"), f"id IN (FROM {PEOPLE})")
    for table in (PEOPLE, DEVICES):
        connection.execute(f"DROP TABLE {table}")
    return count


def _forget_in(connection: duckdb.DuckDBPyConnection, catalog: Catalog, name: Name) -> int:
    where = condition(catalog.tables[name], f"FROM {PEOPLE}", f"FROM {DEVICES}")
    count = _delete_rows(connection, catalog, name, where)
    connection.execute(f"UPDATE {quoted(*name)} SET anonymous_id = NULL WHERE anonymous_id IN (FROM {DEVICES})")
    return count


def condition(columns: Container[str], people: str, devices: str) -> str:
    """Return an SQL condition that selects the rows to delete; `people` and `devices` are SQL that lists their ids."""
    where = f"user_id IN ({people}) OR (user_id IS NULL AND anonymous_id IN ({devices}))"
    if "previous_id" in columns:
        where += f" OR previous_id IN ({people}) OR previous_id IN ({devices})"
    return where


def _delete_rows(connection: duckdb.DuckDBPyConnection, catalog: Catalog, name: Name, where: str) -> int:
    if name[1] not in LATEST_VALUES:
        return _delete(connection, name, where)
    table, key = LATEST_VALUES[name[1]]
    affected = f"SELECT DISTINCT {key} FROM {quoted(*name)} WHERE {where}"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {LEFT} AS {affected}")
    count = _delete(connection, name, where)
    update_latest_values(connection, name, catalog.tables[name[0], table], f"FROM {LEFT}")
    connection.execute(f"DROP TABLE {LEFT}")
    return count


def _delete(connection: duckdb.DuckDBPyConnection, name: Name, where: str) -> int:
    found = connection.execute(f"DELETE FROM {quoted(*name)} WHERE {where}").fetchone()
    return int(found[0]) if found else 0
