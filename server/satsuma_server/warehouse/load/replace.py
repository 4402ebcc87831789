"""Replaces the tables that other projections, such as profiles, add to the warehouse."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from satsuma_server.warehouse.database import Database
from satsuma_server.warehouse.schema.catalog import OTHERS, Catalog
from satsuma_server.warehouse.schema.names import OWN_SCHEMA, quoted

GIVEN = "given"


def replace_tables(database: Database, catalog: Catalog, schema: str, tables: Mapping[str, pa.Table]) -> None:
    """Replace the tables of a schema, all in one transaction.

    Raises:
        ValueError: the schema belongs to a source.
    """
    if schema in (OWN_SCHEMA, OTHERS) or schema in catalog.source_schemas():
        raise ValueError(f"the schema {schema} is one of a source")
    with database.writing() as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {quoted(schema)} CASCADE")
        connection.execute(f"CREATE SCHEMA {quoted(schema)}")
        for name, table in tables.items():
            connection.register(GIVEN, table)
            connection.execute(f"CREATE TABLE {quoted(schema, name)} AS FROM {GIVEN}")
            connection.unregister(GIVEN)
