"""The second process's part of deletion and export: finds a person's identifiers, exports and forgets them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from satsuma_server.errors import BadRequestError, NotFoundError
from satsuma_server.http.auth import check_source, check_token
from satsuma_server.identity.identifiers import ANONYMOUS_ID, USER_ID, Key
from satsuma_server.identity.reach import Reach
from satsuma_server.profiles.api.paths import key_in, source_of
from satsuma_server.profiles.projection import Profiles
from satsuma_server.settings import Settings

from . import FORGET, RESOLVE, Forgetful, reach_in
from .export import FORMS, Exported, export_person


class People:
    """A projection that uses `Profiles`."""

    def __init__(
        self,
        settings: Settings,
        profiles: Profiles,
        warehouse: Forgetful | None = None,
        destinations: Forgetful | None = None,
    ) -> None:
        """Take the profiles, and the other projections that have to forget people.

        The destinations do it first. Where they can't, the profile is still there when the deletion is repeated, and
        says which identifiers other services have to delete.
        """
        self._settings = settings
        self._profiles = profiles
        self._warehouse = warehouse
        self._destinations = destinations

    def routes(self) -> Sequence[BaseRoute]:
        return [
            Route("/v1/people/{rest:text}", self._export),
        ]

    def internal_routes(self) -> Sequence[BaseRoute]:
        """Return the routes for the collector alone; see `projections.internal`."""
        return [
            Route(RESOLVE, self._resolve, methods=["POST"]),
            Route(FORGET, self._forget, methods=["POST"]),
        ]

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    async def _export(self, request: Request) -> Response:
        holder = check_token(request, self._settings)
        key, rest = key_in(request, "/v1/people/", self._profiles.rules)
        check_source(holder, source_of(key))
        if rest != ["export"]:
            raise NotFoundError("a person can be exported (GET …/export) or deleted (DELETE)")
        form = request.query_params.get("format", "ndjson")
        if form not in FORMS:
            raise BadRequestError(f"is none of {', '.join(FORMS)}", path="?format")
        found, left_out = await self._profiles.reach(key, reach_in(request))
        only = found if left_out else None
        profile = await self._profiles.get(key, only)
        return await export_person(Exported(self._profiles, profile, only), key, form)

    async def _resolve(self, request: Request) -> Response:
        asked = msgspec.json.decode(await request.body())
        keys, left_out = await self._profiles.resolve(Key(*asked["key"]), asked["seq"], Reach(asked["reach"]))
        return JSONResponse({"keys": sorted(keys), "left_out": sorted(left_out)})

    async def _forget(self, request: Request) -> Response:
        asked = msgspec.json.decode(await request.body())
        start = Key(*asked["start"]) if asked["start"] else None
        given = [Key(*one) for one in asked["keys"]]
        # All identifiers of a person are of one space.
        space = given[0].space if given else ""
        rows = await _forget(self._destinations, given, space)
        # Where these are more than were given, the collector asks again, with all of them.
        keys = await self._profiles.forget(given, asked["seq"], start)
        rows += await _forget(self._warehouse, keys, space)
        return JSONResponse({"keys": sorted(keys), "rows": rows})


async def _forget(part: Forgetful | None, keys: Iterable[Key], space: str) -> int:
    if part is None:
        return 0
    known = list(keys)
    users = [key.value for key in known if key.type == USER_ID]
    return await part.forget(users, [key.value for key in known if key.type == ANONYMOUS_ID], space)
