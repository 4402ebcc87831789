"""The screen People: who is who, since when, and which event made it so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from satsuma_server.errors import BadRequestError, CollectorError
from satsuma_server.profiles import ANONYMOUS_ID, PREVIOUS_ID, USER_ID, Key, Outcome, Profile, ProfileReader

from .graph import RULES, elements
from .pages import Pages
from .place import PREFIX, base_of
from .story import tell
from .words import segment

A_PAGE = 50
LONGEST_KEY = 1200
UNDOABLE = (Outcome.ADDED, Outcome.MERGED)


class NobodyError(CollectorError):
    """No profile has this identifier."""

    status = 404


class People:
    """Shows profiles."""

    def __init__(self, pages: Pages, profiles: ProfileReader) -> None:
        self._pages = pages
        self._profiles = profiles

    def routes(self) -> list[Route]:
        """Return its routes."""
        return [
            Route(f"{PREFIX}/people", self._list),
            Route(f"{PREFIX}/people/undo", self._undo, methods=["POST"]),
            Route(f"{PREFIX}/people/{{key:path}}", self._one),
        ]

    async def _list(self, request: Request) -> Response:
        wanted = request.query_params.get("q", "").strip()[:LONGEST_KEY]
        if wanted and (key := await self._find(wanted)):
            return RedirectResponse(f"{base_of(request)}/people/{key.type}:{segment(key.value)}", 303)
        recent = await self._profiles.recent(A_PAGE, request.query_params.get("after", ""))
        noted = await self._profiles.warnings(10)
        return self._pages.show(
            request,
            "people.html",
            wanted=wanted,
            people=[(one, name_of(one), best_key(one)) for one in recent.items],
            next=recent.next,
            noted=noted.items,
        )

    async def _one(self, request: Request) -> Response:
        key = _key(request.path_params["key"])
        profile = await self._profiles.find(key)
        if profile is None:
            raise NobodyError(f"nobody has the {key.type} {key.value[:100]!r}, or their events are not read yet")
        links = await self._profiles.links(profile.number)
        timeline = await self._profiles.timeline(profile.number, A_PAGE, request.query_params.get("after", ""))
        return self._pages.show(
            request,
            "person.html",
            key=key,
            profile=profile,
            name=name_of(profile),
            best=best_key(profile),
            story=tell(timeline.items, links),
            next=timeline.next,
            links=list(reversed(links)),
            rules=RULES,
            undoable=UNDOABLE,
            graph=elements([one.key for one in profile.identifiers], links),
            undone=request.query_params.get("undone", ""),
        )

    async def _undo(self, request: Request) -> Response:
        form = await self._pages.form(request)
        number, back = str(form.get("number", "")), _key(str(form.get("back", "")))
        if not number.isascii() or not number.isdigit() or len(number) > 18:
            raise BadRequestError("is not a link's number", path=".number")
        await self._profiles.undo(int(number))
        return self._pages.go(request, f"people/{back.type}:{segment(back.value)}?undone={number}")

    async def _find(self, wanted: str) -> Key | None:
        kind, colon, value = wanted.partition(":")
        asked = [Key(kind, value)] if colon and kind.isidentifier() else []
        for key in (*asked, *(Key(one, wanted) for one in (USER_ID, ANONYMOUS_ID, PREVIOUS_ID, "email"))):
            if await self._profiles.find(key):
                return key
        return None


def _key(text: str) -> Key:
    kind, _, value = text.partition(":")
    if not kind.isidentifier() or not value:
        raise NobodyError("an address of a person ends like user_id:97980cfea0067")
    return Key(kind, value[:LONGEST_KEY])


def best_key(profile: Profile) -> Key:
    """Return the identifier that a person is asked for by: the userId, or the first that was seen."""
    keys = [one.key for one in profile.identifiers]
    return next((key for key in keys if key.type == USER_ID), keys[0])


def name_of(profile: Profile) -> str:
    """Return what people call a person, from the traits that say so; empty where none does."""
    traits = profile.traits
    for name in ("name", "firstName", "first_name", "username", "email"):
        told = _said(traits, name)
        if told and name in ("firstName", "first_name"):
            return f"{told} {_said(traits, 'lastName') or _said(traits, 'last_name')}".strip()
        if told:
            return told
    return profile.user_id or ""


def _said(traits: Mapping[str, Any], name: str) -> str:
    value = traits.get(name)
    return value.strip()[:200] if isinstance(value, str) else ""
