"""Routes of the shop's server for the tester's drawer and the lab.

They return stored events without showing the collector's token. They exist in a demo only, since they show every
visitor what the collector stored of all visitors.
"""

from __future__ import annotations

import json

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .devices import Devices
from .handling import visited
from .mistakes import COOKIE as MISTAKES_COOKIE
from .rendering import CONSENT_COOKIE, Renderer
from .safety import policy
from .served_cookies import COOKIE as SERVER_COOKIE
from .users import Users
from .visit import Visit
from .weather import COOKIE as WEATHER_COOKIE

MAX_EVENTS = 500
OTHERS = (("Milton Waddams", "milton@initech.example"), ("Joanna Flair", "joanna@chotchkies.example"))


class Qa:
    """The routes for testers."""

    def __init__(self, users: Users, render: Renderer, collector_url: str, token: str) -> None:
        self.users = users
        self.render = render
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx.AsyncClient(base_url=collector_url, headers=headers, timeout=5, trust_env=False)

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/qa/events", self.events),
            Route("/qa/other-user", self.other_user, methods=["POST"]),
            Route("/qa/forget", self.forget, methods=["POST"]),
            Route("/qa/blank", self.blank),
        ]

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def events(self, request: Request) -> Response:
        """Answer with stored events: those after ``?after=SEQ``, or the newest ones with ``?last=N``."""
        name = "last" if "last" in request.query_params else "after"
        number = request.query_params.get(name, "0")
        if not (number.isascii() and number.isdigit()):
            return JSONResponse({"error": f"{name} is not a number"}, 400)
        try:
            answer = await self._http.get("/v1/events", params={name: number[:18], "limit": MAX_EVENTS})
            answer.raise_for_status()
        except httpx.HTTPError as error:
            return JSONResponse({"error": f"the collector can't be asked: {type(error).__name__}"}, 502)
        events = [json.loads(line) for line in answer.content.splitlines()]
        return JSONResponse({"events": events}, headers={"Cache-Control": "no-store"})

    @visited
    async def other_user(self, request: Request, visit: Visit) -> Response:
        """Log another user in, as the login form does."""
        now = visit.user
        name, email = next(other for other in OTHERS if now is None or other[1] != now.email)
        user = self.users.stand_in(name, email)
        visit.log_in(user)
        visit.later(["identify", user.id, user.traits()], ["track", "Signed In"])
        return JSONResponse({"userId": user.id})

    async def forget(self, request: Request) -> Response:
        """Remove the cookies that scripts can't remove, as a visitor does who clears all cookies."""
        request.session.clear()
        answer = JSONResponse({"success": True})
        for name in (WEATHER_COOKIE, CONSENT_COOKIE, MISTAKES_COOKIE, SERVER_COOKIE):
            answer.delete_cookie(name)
        return answer

    async def blank(self, request: Request) -> Response:
        """Answer with the page of a device on which no page of the shop was opened yet."""
        devices = Devices.of(request.url)
        context = {"about": self.render.about(devices), "here": devices.here}
        return self.render.page(request, "blank.html", context, policy(parents=["'self'", devices.lab]))
