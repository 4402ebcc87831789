"""Deletes rows that are kept no longer, and computes the latest values again from the calls that are left."""

from __future__ import annotations

from datetime import datetime

import duckdb

from satsuma_server.warehouse.database import OWN
from satsuma_server.warehouse.schema.catalog import Catalog, Name
from satsuma_server.warehouse.schema.names import ACCOUNTS, RESERVED_TABLES, USERS, quoted

from .latest_values import LATEST_VALUES, update_latest_values

ROWS_A_PORTION = 100_000
EXPIRED = "expired"


def expire(connection: duckdb.DuckDBPyConnection, catalog: Catalog, before: datetime) -> int:
    """Delete some of the rows of events that were received before a time, within a transaction.

    Args:
        connection: the connection that writes.
        catalog: the tables.
        before: the time, in UTC and without a zone.

    Returns:
        how many rows there were; 0 where none is left.
    """
    for name, columns in catalog.tables.items():
        if name[1] not in (USERS, ACCOUNTS) and columns and (count := _expire_in(connection, catalog, name, before)):
            return count
    return 0


def _expire_in(connection: duckdb.DuckDBPyConnection, catalog: Catalog, name: Name, before: datetime) -> int:
    table = quoted(*name)
    latest = LATEST_VALUES.get(name[1])
    key = latest[1] if latest else "NULL"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {EXPIRED} AS "
        f"SELECT rowid AS place, id, {key} AS key FROM {table} WHERE received_at < ? LIMIT {ROWS_A_PORTION}",
        (before,),
    )
    found = connection.execute(f"DELETE FROM {table} WHERE rowid IN (SELECT place FROM {EXPIRED})").fetchone()
    count = int(found[0]) if found else 0
    if count and name[1] in RESERVED_TABLES:
        # Rows of an event's own table have theirs in `tracks`, too.
        ids = f"SELECT md5_number_lower(id) FROM {EXPIRED}"
        connection.execute(f"DELETE FROM {OWN}.message_ids WHERE hash IN ({ids})")
    if count and latest:
        keys = f"SELECT DISTINCT key FROM {EXPIRED}"
        update_latest_values(connection, name, catalog.tables[name[0], latest[0]], keys)
    connection.execute(f"DROP TABLE {EXPIRED}")
    return count
