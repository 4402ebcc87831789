"""HTTP routes of the destinations, ``/v1/destinations``. They need the token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from satsuma_server.errors import BadRequestError
from satsuma_server.http.auth import check_token
from satsuma_server.http.parameters import number
from satsuma_server.http.responses import UNCACHED
from satsuma_server.settings import Settings
from satsuma_server.times import parse_time

from . import DestinationReader, DestinationStatus, Failed

FAR = (1 << 63) - 1
MOST_IDS = 1_000


class Replay(msgspec.Struct):
    """The body of ``POST /v1/destinations/{name}/replay``: from where on events are delivered again. One of the two is
    given; `since` is a time in ISO 8601 at which, or after which, an event was received."""

    seq: int | None = None
    since: str | None = None


class Resend(msgspec.Struct):
    """The body of ``POST /v1/destinations/{name}/resend``: the ids of failed messages; without `ids`, all of them, and
    deletions of people that failed."""

    ids: list[int] | None = None


class Resent(msgspec.Struct, frozen=True):
    """How many failed messages are sent again."""

    resending: int


class Changeable(DestinationReader, Protocol):
    """Destinations that can also be changed."""

    async def pause(self, name: str) -> DestinationStatus: ...

    async def resume(self, name: str) -> DestinationStatus: ...

    async def replay(self, name: str, seq: int | None, since: float | None) -> DestinationStatus: ...

    async def resend(self, name: str, ids: Sequence[int] | None) -> int: ...


class Routes:
    """Answers requests that show the token."""

    def __init__(self, settings: Settings, destinations: Changeable) -> None:
        self._settings = settings
        self._destinations = destinations

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        one = "/v1/destinations/{name}"
        return [
            Route("/v1/destinations", self._list),
            Route(f"{one}/failed", self._failed),
            Route(f"{one}/deletions", self._deletions),
            Route(f"{one}/pause", self._pause, methods=["POST"]),
            Route(f"{one}/resume", self._resume, methods=["POST"]),
            Route(f"{one}/replay", self._replay, methods=["POST"]),
            Route(f"{one}/resend", self._resend, methods=["POST"]),
        ]

    async def _list(self, request: Request) -> Response:
        check_token(request, self._settings)
        return _json(await self._destinations.statuses())

    async def _failed(self, request: Request) -> Response:
        check_token(request, self._settings)
        limit, before = number(request, "limit", 100, 1_000), number(request, "before", FAR, FAR)
        found: list[Failed] = await self._destinations.failed(_name(request), limit, before)
        return _json(found)

    async def _deletions(self, request: Request) -> Response:
        check_token(request, self._settings)
        return _json(await self._destinations.deletions(_name(request), number(request, "limit", 100, 1_000)))

    async def _pause(self, request: Request) -> Response:
        check_token(request, self._settings)
        return _json(await self._destinations.pause(_name(request)))

    async def _resume(self, request: Request) -> Response:
        check_token(request, self._settings)
        return _json(await self._destinations.resume(_name(request)))

    async def _replay(self, request: Request) -> Response:
        check_token(request, self._settings)
        asked = await _body(request, Replay)
        since = None if asked.since is None else parse_time(asked.since)
        if asked.since is not None and since is None:
            raise BadRequestError("is no time such as 2026-04-23T22:38:48Z", path=".since")
        if asked.seq is not None and not 0 <= asked.seq <= FAR:
            raise BadRequestError("is no seq", path=".seq")
        return _json(await self._destinations.replay(_name(request), asked.seq, since))

    async def _resend(self, request: Request) -> Response:
        check_token(request, self._settings)
        asked = await _body(request, Resend)
        if asked.ids is not None and (len(asked.ids) > MOST_IDS or any(not 0 <= id <= FAR for id in asked.ids)):
            raise BadRequestError(f"has more than {MOST_IDS} ids, or one that is none", path=".ids")
        return _json(Resent(await self._destinations.resend(_name(request), asked.ids)))


def _name(request: Request) -> str:
    return str(request.path_params["name"])


async def _body[T](request: Request, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(await request.body() or b"{}", type=kind)
    except msgspec.DecodeError as error:
        raise BadRequestError(f"the body can't be read: {error}") from error


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json", headers=UNCACHED)
