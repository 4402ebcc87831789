"""The screen Refused: events that were not accepted, the reasons, and how to fix them."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from satsuma_server.console.forwarded_headers import PREFIX
from satsuma_server.console.presenters.refusals import BY_SLUG, KINDS, Refusals, kind_of
from satsuma_server.errors import NotFoundError

from .page import Pages

A_KIND = 50
"""How many events of one kind are listed."""

NEWEST = 5
"""How many events of each kind the overview lists."""


class Refused:
    """Shows refused events by kind."""

    def __init__(self, pages: Pages, refusals: Refusals) -> None:
        self._pages = pages
        self._refusals = refusals

    def routes(self) -> list[Route]:
        """Return its routes."""
        return [
            Route(f"{PREFIX}/refused", self._show),
            Route(f"{PREFIX}/refused/{{number:int}}", self._one),
        ]

    async def _show(self, request: Request) -> Response:
        chosen = request.query_params.get("kind", "")
        kinds = [kind for kind in KINDS if self._refusals.counts.get(kind.slug)]
        if chosen in BY_SLUG:
            kinds = [BY_SLUG[chosen]]
        kinds.sort(key=lambda kind: -self._refusals.counts.get(kind.slug, 0))
        most = A_KIND if chosen else NEWEST
        groups = [
            (kind, self._refusals.counts.get(kind.slug, 0), self._refusals.newest(kind.slug, most)) for kind in kinds
        ]
        return self._pages.show(request, "refused.html", groups=groups, chosen=chosen)

    async def _one(self, request: Request) -> Response:
        letter = self._refusals.get(request.path_params["number"])
        if letter is None:
            raise NotFoundError("only the newest refused events are shown here; /v1/refused of the collector has more")
        raw = letter.raw.decode("utf-8", "backslashreplace")
        return self._pages.show(request, "refusal.html", letter=letter, raw=raw, kind=kind_of(letter.reason))
