"""The routes ``/v1/profiles`` and below, which need the token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from satsuma_server.errors import NotFoundError
from satsuma_server.http.auth import check_source, check_token
from satsuma_server.http.parameters import number
from satsuma_server.http.responses import UNCACHED
from satsuma_server.log import ReadableLog
from satsuma_server.profiles import Profile
from satsuma_server.settings import Settings

from . import serializers
from .paths import key_in, segments, source_of
from .serializers import Form

if TYPE_CHECKING:
    from satsuma_server.profiles.projection import Profiles

PROFILES = "/v1/profiles/"
DEFAULT_LIMIT, MAX_LIMIT = 100, 1000


class Routes:
    """Answers questions about profiles, and undoes links."""

    def __init__(self, settings: Settings, profiles: Profiles, log: ReadableLog) -> None:
        self._settings = settings
        self._profiles = profiles
        self._log = log
        self._whole: Mapping[str, Callable[[Request], Awaitable[Form]]] = {
            "usage": self._usage,
            "totals": self._totals,
            "warnings": self._warnings,
        }
        self._parts: Mapping[str, Callable[[Profile, Request], Awaitable[Form]]] = {
            "": self._profile,
            "traits": self._traits,
            "events": self._events,
            "external_ids": self._external_ids,
            "metadata": self._metadata,
            "merges": self._merges,
        }

    def all(self) -> list[Route]:
        """Return the routes, from the collector's root on."""
        return [
            Route("/v1/profiles", self._recent),
            Route("/v1/profiles/{rest:text}", self._get),
            Route("/v1/profiles/{rest:text}", self._post, methods=["POST"]),
        ]

    async def _recent(self, request: Request) -> Response:
        check_token(request, self._settings)
        page = await self._profiles.recent(*_range(request))
        return _told({"data": [serializers.summary(one) for one in page.items], **_cursor(page.next, request)})

    async def _get(self, request: Request) -> Response:
        holder = check_token(request, self._settings)
        first, *rest = segments(request, PROFILES) or [""]
        if first in (*self._whole, "merges"):
            check_source(holder, None)
        if first in self._whole and not rest:
            return _told(await self._whole[first](request))
        if first == "merges" and len(rest) == 1:
            return _told({"merge": serializers.link(await self._profiles.link(_merge(rest[0])))})
        key, rest = key_in(request, PROFILES, self._profiles.rules)
        check_source(holder, source_of(key))
        part = self._parts.get("/".join(rest))
        if part is None:
            raise NotFoundError(f"a profile has {', '.join(filter(None, self._parts))}, but no {'/'.join(rest)[:80]!r}")
        return _told(await part(await self._profiles.get(key), request))

    async def _post(self, request: Request) -> Response:
        check_token(request, self._settings)
        match segments(request, PROFILES):
            case ["merges", text, "undo"]:
                return _told({"merge": serializers.link(await self._profiles.undo(_merge(text)))})
            case ["rebuild"]:
                await self._profiles.start_anew()
                return _told({"success": True})
        raise NotFoundError("post to merges/NUMBER/undo, or to rebuild")

    # The whole

    async def _usage(self, request: Request) -> Form:
        return {"data": [serializers.usage(one) for one in await self._profiles.usage()]}

    async def _totals(self, request: Request) -> Form:
        totals = await self._profiles.totals()
        return {**msgspec.to_builtins(totals), "behind": max(0, self._log.last - totals.seq)}

    async def _warnings(self, request: Request) -> Form:
        page = await self._profiles.warnings(*_range(request))
        return {"data": [serializers.link(one) for one in page.items], **_cursor(page.next, request)}

    # One profile

    async def _profile(self, profile: Profile, request: Request) -> Form:
        return serializers.whole(profile)

    async def _traits(self, profile: Profile, request: Request) -> Form:
        limit, cursor = _range(request)
        wanted = [name for name in request.query_params.get("include", "").split(",") if name]
        names = [name for name in profile.traits if name > cursor and (not wanted or name in wanted)]
        shown = names[:limit]
        following = shown[-1] if len(names) > limit else ""
        return {"traits": {name: profile.traits[name] for name in shown}, **_cursor(following, request)}

    async def _events(self, profile: Profile, request: Request) -> Form:
        page = await self._profiles.timeline(profile.number, *_range(request))
        return {"data": [serializers.moment(one) for one in page.items], **_cursor(page.next, request)}

    async def _external_ids(self, profile: Profile, request: Request) -> Form:
        limit, cursor = _range(request)
        start = int(cursor) if cursor.isascii() and cursor.isdigit() else 0
        shown = profile.identifiers[start : start + limit]
        following = str(start + limit) if start + limit < len(profile.identifiers) else ""
        return {"data": [serializers.identifier(one) for one in shown], **_cursor(following, request)}

    async def _metadata(self, profile: Profile, request: Request) -> Form:
        return {"metadata": serializers.metadata(profile)}

    async def _merges(self, profile: Profile, request: Request) -> Form:
        return {"data": [serializers.link(one) for one in await self._profiles.links(profile.number)]}


def _merge(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise NotFoundError(f"there is no merge {text[:50]!r}: merges have numbers")
    return int(text)


def _range(request: Request) -> tuple[int, str]:
    limit = max(1, number(request, "limit", DEFAULT_LIMIT, MAX_LIMIT))
    return limit, request.query_params.get("cursor", "")


def _cursor(following: str, request: Request) -> Form:
    limit = _range(request)[0]
    return {"cursor": {"limit": limit, "has_more": bool(following), "next": following}}


def _told(form: Form) -> Response:
    return Response(msgspec.json.encode(form), media_type="application/json", headers=UNCACHED)
