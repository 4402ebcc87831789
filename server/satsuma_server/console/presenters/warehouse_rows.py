"""Finds the rows of an event in the warehouse."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from satsuma_server.errors import CollectorError, QueryError
from satsuma_server.settings import Settings
from satsuma_server.warehouse import Warehouse
from satsuma_server.warehouse.schema.names import (
    CALL_TABLES,
    SEQ,
    TRACKS,
    USERS,
    quoted,
    schema_name,
    table_name,
)

from .feed_entry import Entry


class TableRow(NamedTuple):
    """One row of one table; columns without a value are left out."""

    table: str
    row: dict[str, Any]


class Rows:
    """Queries the warehouse for the rows of an event."""

    def __init__(self, settings: Settings, warehouse: Warehouse | None) -> None:
        self._settings = settings
        self._warehouse = warehouse

    async def of(self, entry: Entry) -> tuple[list[TableRow], str]:
        """Return an event's rows, and an explanation where some are missing."""
        if self._warehouse is None:
            return [], ""
        try:
            if (await self._warehouse.status()).cursor < entry.seq:
                return [], "not loaded yet: look again in a moment"
            found = await asyncio.gather(*(self._row(table, where) for table, where in self._places(entry)))
        except CollectorError as error:
            return [], f"the warehouse can't be asked: {error}"
        rows = [one for one in found if one is not None]
        return rows, "" if rows else "in no table: it came twice, or is of a source that has none"

    def _places(self, entry: Entry) -> list[tuple[str, str]]:
        """Return the tables of an event, each with the SQL condition that finds its row."""
        known = self._settings.source(entry.source)
        schema = schema_name((known and known.name) or entry.source)
        mine = f"{quoted(SEQ)} = {entry.seq:d}"
        if entry.type == "track":
            return [(quoted(schema, TRACKS), mine), (quoted(schema, table_name(entry.name)), mine)]
        places = [(quoted(schema, CALL_TABLES[entry.type]), mine)]
        if entry.type == "identify" and entry.user_id:
            literal = "'" + entry.user_id.replace("'", "''") + "'"
            places.append((quoted(schema, USERS), f"{quoted('id')} = {literal}"))
        return places

    async def _row(self, table: str, where: str) -> TableRow | None:
        assert self._warehouse is not None
        try:
            answer = await self._warehouse.query(f"SELECT * FROM {table} WHERE {where}", limit=1)  # noqa: S608
        except QueryError:
            return None
        if not answer.rows:
            return None
        names = (column.name for column in answer.columns)
        row = {name: value for name, value in zip(names, answer.rows[0], strict=True) if value is not None}
        return TableRow(table.replace('"', ""), row)
