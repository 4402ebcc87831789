"""The screen People: which ids are one person, since when, and which event linked them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from satsuma_server.console.forwarded_headers import PREFIX, base_of
from satsuma_server.console.presenters.graph import RULES, elements
from satsuma_server.console.presenters.template_filters import segment, short, term
from satsuma_server.console.presenters.timeline import tell
from satsuma_server.errors import BadRequestError, CollectorError
from satsuma_server.identity.identifiers import ANONYMOUS_ID, PREVIOUS_ID, USER_ID, Key
from satsuma_server.identity.links import VERIFIED, LinkWarning, Outcome, Rule
from satsuma_server.profiles import Identifier, Link, Profile, ProfileReader

from .page import Pages

A_PAGE = 50
LONGEST_KEY = 1200
BECAUSE = {
    Rule.SAME_EVENT: "one event carried both",
    Rule.ALIAS: "an alias says so",
    Rule.PREVIOUS: "an alias had named the one before",
    Rule.SIGNED: "one event carried both, and its userId was signed",
    Rule.SERVER: "one event of a server carried both",
}
WARNED = {
    LinkWarning.LIMIT: "A person may not have so many ids of this kind.",
    LinkWarning.TWO_USERS: "Two userIds are two people: what they share stays with the one it was linked to first.",
    LinkWarning.USER_ID_CHANGE: "A userId can't be changed: the old one keeps its events.",
    LinkWarning.UNDONE: "Somebody has said here that they are two people.",
    LinkWarning.RATE_LIMIT: "Too many ids came for this userId from one address within an hour: somebody may be "
    "guessing ids.",
    LinkWarning.DISPLACED: "Nothing verifies it, and it gave way to what is verified or was seen later.",
    LinkWarning.LATE_ALIAS: "The alias came after the identify: Mixpanel and Kissmetrics need it before, and lose "
    "the anonymous history otherwise.",
}
UNDOABLE = (Outcome.ADDED, Outcome.MERGED)


class NobodyError(CollectorError):
    """No profile has this identifier."""

    status = 404


class People:
    """Shows profiles."""

    def __init__(self, pages: Pages, profiles: ProfileReader, spaces: Callable[[], Sequence[str]]) -> None:
        """Take the renderer, the profiles, and a function that returns the sources where each has people of its own."""
        self._pages = pages
        self._spaces = spaces
        self._profiles = profiles
        pages.know(brief=brief, address=address)

    def routes(self) -> list[Route]:
        """Return its routes."""
        return [
            Route(f"{PREFIX}/people", self._list),
            Route(f"{PREFIX}/people/undo", self._undo, methods=["POST"]),
            Route(f"{PREFIX}/people/{{key:text}}", self._one),
        ]

    async def _list(self, request: Request) -> Response:
        wanted = request.query_params.get("q", "").strip()[:LONGEST_KEY]
        if wanted and (key := await self._find(wanted)):
            return RedirectResponse(f"{base_of(request)}/{address(key)}", 303)
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
        key = _key(request.path_params["key"], request.query_params.get("in", ""))
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
            links=[link for link in reversed(links) if link.left.value != link.right.value],
            ids=ids_of(profile),
            rules=RULES,
            verified=VERIFIED,
            # Where nothing is verified, the word would only raise questions.
            verifies=any(link.rule in VERIFIED for link in links),
            undoable=UNDOABLE,
            graph=elements([one.key for one in profile.identifiers], links),
            undone=request.query_params.get("undone", ""),
        )

    async def _undo(self, request: Request) -> Response:
        form = await self._pages.form(request)
        number, back = str(form.get("number", "")), _key(str(form.get("back", "")), str(form.get("in", "")))
        if not number.isascii() or not number.isdigit() or len(number) > 18:
            raise BadRequestError("is not a link's number", path=".number")
        await self._profiles.undo(int(number))
        return self._pages.go(request, f"{address(back)}{'&' if back.space else '?'}undone={number}")

    async def _find(self, wanted: str) -> Key | None:
        kind, colon, value = wanted.partition(":")
        asked = [(kind, value)] if colon and kind.isidentifier() else []
        for space in self._spaces():
            for one in (*asked, *((kind, wanted) for kind in (USER_ID, ANONYMOUS_ID, PREVIOUS_ID, "email"))):
                if await self._profiles.find(Key(*one, space)):
                    return Key(*one, space)
        return None


def _key(text: str, space: str) -> Key:
    kind, _, value = text.partition(":")
    if not kind.isidentifier() or not value:
        raise NobodyError("an address of a person ends like user_id:97980cfea0067")
    return Key(kind, value[:LONGEST_KEY], space[:LONGEST_KEY])


def address(key: Key) -> str:
    """Return the path of a person's page, below the console."""
    space = f"?in={quote(key.space, safe='')}" if key.space else ""
    return f"people/{key.type}:{segment(key.value)}{space}"


def brief(link: Link) -> str:
    """Return the outcome of a link and its warnings, without what the page shows next to it."""
    return " ".join([_outcome(link), *(WARNED[warning] for warning in link.warnings)])


def _outcome(link: Link) -> str:
    both = f"{_called(link.right)} and {_called(link.left)}"
    what = BECAUSE[link.rule]
    return {
        Outcome.MERGED: f"Two people are one from here on, with all that came before, since {what}.",
        Outcome.ADDED: f"From here on {both} are the same person, since {what}.",
        Outcome.KNOWN: f"{both} were one person already.",
        Outcome.REFUSED: f"{both} are not taken for one person, although {what}.",
    }[link.outcome]


def _called(key: Key) -> str:
    return f"{term(key.type)} {short(key.value)}"


def ids_of(profile: Profile) -> list[Identifier]:
    """Return a person's ids, each value once. The previous id of an alias is usually also there as an anonymousId."""
    values = {one.key.value for one in profile.identifiers if one.key.type != PREVIOUS_ID}
    return [one for one in profile.identifiers if one.key.type != PREVIOUS_ID or one.key.value not in values]


def best_key(profile: Profile) -> Key:
    """Return the identifier for a person's address: the userId, or else the one that was seen first."""
    keys = [one.key for one in profile.identifiers]
    return next((key for key in keys if key.type == USER_ID), keys[0])


def name_of(profile: Profile) -> str:
    """Return a person's name from their traits; empty where they have none."""
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
