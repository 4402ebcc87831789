"""The screen Destinations: where events go on to, how that goes, and what has failed."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from satsuma_server.console.forwarded_headers import PREFIX
from satsuma_server.destinations import DestinationStatus
from satsuma_server.destinations.routes import Changeable
from satsuma_server.errors import BadRequestError, NotFoundError

from .page import Pages

A_PAGE = 50
LONGEST_ANSWER = 300
"""The most characters of an answer that a list shows."""

STATES = {"running": "live", "starting": "paused", "waiting": "paused", "paused": "paused", "broken": "broken"}
"""Which colour a state has."""


class DestinationsScreen:
    """Shows destinations, pauses and resumes them, and has failed messages sent again."""

    def __init__(self, pages: Pages, destinations: Changeable) -> None:
        self._pages = pages
        self._destinations = destinations

    def routes(self) -> list[Route]:
        """Return its routes."""
        one = f"{PREFIX}/destinations/{{name}}"
        return [
            Route(f"{PREFIX}/destinations", self._show),
            Route(one, self._one),
            Route(one, self._change, methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        found = await self._destinations.statuses()
        return self._pages.show(request, "destinations.html", destinations=found, states=STATES)

    async def _one(self, request: Request) -> Response:
        name = request.path_params["name"]
        status = await self._status(name)
        return self._pages.show(
            request,
            "destination.html",
            one=status,
            states=STATES,
            sent=self._destinations.sent(name),
            failed=await self._destinations.failed(name, A_PAGE),
            deletions=await self._destinations.deletions(name, A_PAGE) if status.deletions else [],
            brief=lambda text: text[:LONGEST_ANSWER],
        )

    async def _change(self, request: Request) -> Response:
        name = request.path_params["name"]
        form = await self._pages.form(request)
        match form.get("do"):
            case "pause":
                await self._destinations.pause(name)
            case "resume":
                await self._destinations.resume(name)
            case "resend":
                await self._destinations.resend(name, _ids(str(form.get("id", ""))))
            case _:
                raise BadRequestError("is none of pause, resume and resend", path="do")
        return self._pages.go(request, f"destinations/{name}")

    async def _status(self, name: str) -> DestinationStatus:
        for one in await self._destinations.statuses():
            if one.name == name:
                return one
        raise NotFoundError(f"the settings have no destination {name[:80]!r}")


def _ids(text: str) -> list[int] | None:
    """Return the id in a form; None for all of them, where it has none."""
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise BadRequestError("is no id of a failed message", path="id")
    return [int(text)]
