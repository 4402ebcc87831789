"""The screen Warehouse: the tables, and a field for SQL queries."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from satsuma_server.console.forwarded_headers import PREFIX
from satsuma_server.errors import CollectorError
from satsuma_server.warehouse import Table, Warehouse
from satsuma_server.warehouse.schema.names import TRACKS, quoted

from .page import Pages

A_PAGE = 50
MOST_ROWS = 500
LONGEST_SQL = 20_000
LONGEST_CELL = 300
"""The most characters of one value that a table shows."""

LARGEST_OFFSET = 10_000_000


class Tables:
    """Shows the warehouse, which can only be read here."""

    def __init__(self, pages: Pages, warehouse: Warehouse) -> None:
        self._pages = pages
        self._warehouse = warehouse

    def routes(self) -> list[Route]:
        """Return its routes."""
        return [
            Route(f"{PREFIX}/warehouse", self._show),
            Route(f"{PREFIX}/warehouse/sql", self._sql, methods=["POST"]),
            Route(f"{PREFIX}/warehouse/{{schema}}/{{table}}", self._table),
        ]

    async def _show(self, request: Request) -> Response:
        tables = await self._warehouse.tables()
        example = _example(tables)
        return await self._page(request, tables, sql=request.query_params.get("sql", "")[:LONGEST_SQL] or example)

    async def _sql(self, request: Request) -> Response:
        form = await self._pages.form(request)
        sql = str(form.get("sql", ""))[:LONGEST_SQL]
        tables = await self._warehouse.tables()
        try:
            answer = await self._warehouse.query(sql, limit=MOST_ROWS)
        except CollectorError as error:
            return await self._page(request, tables, sql=sql, problem=str(error), status=error.status)
        return await self._page(request, tables, sql=sql, answer=answer)

    async def _table(self, request: Request) -> Response:
        schema, name = request.path_params["schema"], request.path_params["table"]
        text = request.query_params.get("offset", "0")
        offset = min(int(text), LARGEST_OFFSET) if text.isascii() and text.isdigit() and len(text) < 10 else 0
        answer = await self._warehouse.rows(schema, name, limit=A_PAGE, offset=offset)
        tables = await self._warehouse.tables()
        chosen = next((one for one in tables if (one.schema, one.name) == (schema, name)), None)
        sql = f"SELECT * FROM {quoted(schema, name)} LIMIT 20"  # noqa: S608
        return await self._page(request, tables, sql=sql, answer=answer, chosen=chosen, offset=offset)

    async def _page(self, request: Request, tables: Sequence[Table], status: int = 200, **more: Any) -> Response:
        schemas = [(name, list(found)) for name, found in groupby(tables, key=lambda table: table.schema)]
        context = {"answer": None, "problem": "", "chosen": None, "offset": 0, **more}
        state = await self._warehouse.status()
        return self._pages.show(
            request, "warehouse.html", status, schemas=schemas, state=state, a_page=A_PAGE, cell=cell, **context
        )


def _example(tables: Sequence[Table]) -> str:
    """Return a query that has a result, as a first example."""
    tracks = next((one for one in tables if one.name == TRACKS), None)
    if tracks is None:
        return "SELECT 42 AS answer"
    place = quoted(tracks.schema, tracks.name)
    return f"SELECT event_text, count(*) AS events\nFROM {place}\nGROUP BY 1 ORDER BY 2 DESC"


def cell(value: Any) -> tuple[str, str]:
    """Return a value's text, cut where it is long, and its kind: ``null``, ``number`` or ``text``."""
    if value is None:
        return "null", "null"
    if isinstance(value, bool | int | float):
        return str(value), "number"
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return (text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL]}…"), "text"
