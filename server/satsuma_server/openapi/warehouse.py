"""Describes the routes of the warehouse: its tables, and SQL."""

from __future__ import annotations

import msgspec

from satsuma_server.warehouse import Answer, Status, Table
from satsuma_server.warehouse.routes import Question

from .parts import JSON, TEXT, Schema, in_path, in_query, listed, named, told, whole_number

ANSWERED = (Answer, Question, Status, Table)


def schemas() -> Schema:
    """Return the schemas of queries and answers."""
    _, components = msgspec.json.schema_components(ANSWERED, ref_template="#/components/schemas/{name}")
    return components


def paths() -> Schema:
    """Return the paths."""
    ask = told("sql", "Ask the tables in SQL. Nothing can be changed.", named("Answer"))
    ask["requestBody"] = {"required": True, "content": {JSON: {"schema": named("Question")}}}
    table = [in_path("schema", "The source's.", TEXT), in_path("table", "Its name.", TEXT)]
    page = [whole_number("limit", "At most so many."), whole_number("offset", "Rows that are passed over.")]
    even = in_query("even_without", "1 to leave out what the log has no more.", {"enum": ["0", "1"]})
    name = in_query("name", "As schema.table.column, schema.table or schema.", TEXT)
    return {
        "/v1/sql": {"post": ask},
        "/v1/warehouse": {"get": told("warehouse", "How the warehouse is doing.", named("Status"))},
        "/v1/warehouse/tables": {"get": told("tables", "Its tables and their columns.", listed(named("Table")))},
        "/v1/warehouse/tables/{schema}/{table}": {
            "get": told("rows", "Rows of a table.", named("Answer"), *table, *page)
        },
        "/v1/warehouse/load": {"post": told("load", "Put in what the log has now.", named("Status"))},
        "/v1/warehouse/rebuild": {"post": told("rebuild", "Build all tables anew.", named("Status"), even)},
        "/v1/warehouse/copy": {"post": told("copy", "Copy the file beside itself, for a backup.", named("Status"))},
        "/v1/warehouse/allow": {"post": told("allow", "Let held tables and columns come.", named("Status"), name)},
        "/v1/warehouse/drop": {"post": told("drop", "Remove a table or column for good.", named("Status"), name)},
    }
