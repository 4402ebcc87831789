"""HTTP routes of the warehouse, ``/v1/sql`` and ``/v1/warehouse``. Both need the token."""

from __future__ import annotations

from typing import Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from satsuma_server.errors import BadRequestError
from satsuma_server.http.auth import check_token
from satsuma_server.settings import Settings

from . import Warehouse

UNCACHED = {"Cache-Control": "no-store"}


class Question(msgspec.Struct):
    """The body of ``POST /v1/sql``; with `fresh`, events that are not in the tables yet are loaded first."""

    query: str
    limit: int = 1000
    fresh: bool = False


class Rebuildable(Warehouse, Protocol):
    """A warehouse that can also be loaded and rebuilt on demand."""

    async def load_all(self) -> None: ...

    async def rebuild(self, *, even_without: bool = False) -> None: ...

    async def copy(self) -> None: ...

    async def allow(self, name: str) -> list[str]: ...

    async def drop(self, name: str) -> None: ...


class Routes:
    """Answers requests that show the token."""

    def __init__(self, settings: Settings, warehouse: Rebuildable) -> None:
        self._settings = settings
        self._warehouse = warehouse

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        return [
            Route("/v1/sql", self._sql, methods=["POST"]),
            Route("/v1/warehouse", self._status),
            Route("/v1/warehouse/tables", self._tables),
            Route("/v1/warehouse/tables/{schema}/{table}", self._rows),
            Route("/v1/warehouse/load", self._load, methods=["POST"]),
            Route("/v1/warehouse/rebuild", self._rebuild, methods=["POST"]),
            Route("/v1/warehouse/copy", self._copy, methods=["POST"]),
            Route("/v1/warehouse/allow", self._allow, methods=["POST"]),
            Route("/v1/warehouse/drop", self._drop, methods=["POST"]),
        ]

    async def _sql(self, request: Request) -> Response:
        check_token(request, self._settings)
        try:
            question = msgspec.json.decode(await request.body(), type=Question)
        except msgspec.DecodeError as error:
            raise BadRequestError(f'the body is not as {{"query": "select 1", "limit": 1000}}: {error}') from error
        if question.fresh:
            await self._warehouse.load_all()
        return _json(await self._warehouse.query(question.query, limit=question.limit))

    async def _status(self, request: Request) -> Response:
        check_token(request, self._settings)
        return _json(await self._warehouse.status())

    async def _tables(self, request: Request) -> Response:
        check_token(request, self._settings)
        return _json(await self._warehouse.tables())

    async def _rows(self, request: Request) -> Response:
        check_token(request, self._settings)
        limit, offset = (_number(request, name, default) for name, default in (("limit", 100), ("offset", 0)))
        path = request.path_params
        return _json(await self._warehouse.rows(path["schema"], path["table"], limit=limit, offset=offset))

    async def _load(self, request: Request) -> Response:
        check_token(request, self._settings)
        await self._warehouse.load_all()
        return _json(await self._warehouse.status())

    async def _rebuild(self, request: Request) -> Response:
        check_token(request, self._settings)
        await self._warehouse.rebuild(even_without=request.query_params.get("even_without") == "1")
        return _json(await self._warehouse.status())

    async def _copy(self, request: Request) -> Response:
        check_token(request, self._settings)
        await self._warehouse.copy()
        return _json(await self._warehouse.status())

    async def _allow(self, request: Request) -> Response:
        check_token(request, self._settings)
        await self._warehouse.allow(request.query_params.get("name", ""))
        return _json(await self._warehouse.status())

    async def _drop(self, request: Request) -> Response:
        check_token(request, self._settings)
        await self._warehouse.drop(request.query_params.get("name", ""))
        return _json(await self._warehouse.status())


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json", headers=UNCACHED)


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise BadRequestError(f"is not a whole number: {text[:50]!r}", path=f"?{name}")
    return int(text)
