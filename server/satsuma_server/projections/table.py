"""The table of public routes of the second process. The collector forwards these, by these methods, and nothing else.

Both processes check it. A new route must be added here, with what a request has to show before it is forwarded, and
how large its body may be.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from starlette.types import ASGIApp, Receive, Scope, Send

from satsuma_server.errors import CollectorError, MethodError, NotFoundError
from satsuma_server.http.responses import error_response
from satsuma_server.paths import path_of


class Door(Enum):
    """What a request has to show for a route to be reached."""

    OPEN = "nothing"
    TOKEN = "the token"  # noqa: S105
    CONSOLE = "a login at the console, which the worker looks at"


@dataclass(frozen=True, slots=True)
class PublicRoute:
    """One route.

    Attributes:
        method: the HTTP method; GET includes HEAD.
        path: the path from the collector's root; ``{name}`` is one segment, with whatever is percent-encoded in it.
        most: the most bytes of the request's body.
    """

    method: str
    path: str
    door: Door
    most: int = 0

    def takes(self, method: str) -> bool:
        return method == self.method or (method == "HEAD" and self.method == "GET")


class RouteTable:
    """Finds a route by method and path."""

    def __init__(self, routes: Sequence[PublicRoute]) -> None:
        self.routes = routes
        self._patterns = [(re.compile(_pattern(route.path)), route) for route in routes]

    @property
    def prefixes(self) -> list[str]:
        """The first parts of all paths, such as ``/console`` and ``/v1/sql``. All paths below belong to the second
        process."""
        return sorted({match[0] for route in self.routes if (match := _PREFIX.match(route.path))})

    def at(self, path: str) -> list[PublicRoute]:
        """Return the routes at a path, for any method. The path is percent-encoded, as it was sent."""
        return [route for pattern, route in self._patterns if pattern.fullmatch(path)]

    def route(self, method: str, path: str) -> PublicRoute:
        """Return the route of a request. Where two match, the first one in the table counts.

        Raises:
            NotFoundError: no route has this path.
            MethodError: there is a route at this path, but not for this method.
        """
        there = self.at(path)
        if not there:
            raise NotFoundError("there is nothing at this path: /openapi.json lists what there is")
        for route in there:
            if route.takes(method):
                return route
        raise MethodError({route.method for route in there}, method)


_PREFIX = re.compile(r"(?:/v1)?/\w+")


def _pattern(path: str) -> str:
    return "[^/]+".join(re.escape(part) for part in re.split(r"\{\w+\}", path))


A_FORM = 16 << 10
"""The most bytes of a form, which has a token of 1,000 characters, or the ids of a person."""

SQL = 256 << 10
"""The most bytes of a query. The console allows 20,000 characters of SQL, each of which may take nine bytes in a
form."""

TABLE = RouteTable(
    [
        PublicRoute("GET", "/v1/worker", Door.OPEN),
        PublicRoute("GET", "/v1/profiles", Door.TOKEN),
        PublicRoute("POST", "/v1/profiles/rebuild", Door.TOKEN),
        PublicRoute("GET", "/v1/profiles/merges/{number}", Door.TOKEN),
        PublicRoute("POST", "/v1/profiles/merges/{number}/undo", Door.TOKEN),
        # This path also has usage, totals and warnings, which are about all people.
        PublicRoute("GET", "/v1/profiles/{person}", Door.TOKEN),
        PublicRoute("GET", "/v1/profiles/{person}/{part}", Door.TOKEN),
        PublicRoute("GET", "/v1/people/{person}/export", Door.TOKEN),
        PublicRoute("POST", "/v1/sql", Door.TOKEN, SQL),
        PublicRoute("GET", "/v1/warehouse", Door.TOKEN),
        PublicRoute("GET", "/v1/warehouse/tables", Door.TOKEN),
        PublicRoute("GET", "/v1/warehouse/tables/{schema}/{table}", Door.TOKEN),
        PublicRoute("POST", "/v1/warehouse/load", Door.TOKEN),
        PublicRoute("POST", "/v1/warehouse/rebuild", Door.TOKEN),
        PublicRoute("POST", "/v1/warehouse/copy", Door.TOKEN),
        PublicRoute("POST", "/v1/warehouse/allow", Door.TOKEN),
        PublicRoute("POST", "/v1/warehouse/drop", Door.TOKEN),
        PublicRoute("GET", "/v1/destinations", Door.TOKEN),
        PublicRoute("GET", "/v1/destinations/{name}/failed", Door.TOKEN),
        PublicRoute("GET", "/v1/destinations/{name}/deletions", Door.TOKEN),
        PublicRoute("POST", "/v1/destinations/{name}/pause", Door.TOKEN),
        PublicRoute("POST", "/v1/destinations/{name}/resume", Door.TOKEN),
        PublicRoute("POST", "/v1/destinations/{name}/replay", Door.TOKEN, A_FORM),
        PublicRoute("POST", "/v1/destinations/{name}/resend", Door.TOKEN, A_FORM),
        PublicRoute("GET", "/console", Door.CONSOLE),
        PublicRoute("GET", "/console/", Door.CONSOLE),
        PublicRoute("GET", "/console/login", Door.OPEN),
        PublicRoute("POST", "/console/login", Door.OPEN, A_FORM),
        PublicRoute("POST", "/console/logout", Door.CONSOLE, A_FORM),
        PublicRoute("GET", "/console/assets/{digest}/{name}", Door.OPEN),
        PublicRoute("GET", "/console/live", Door.CONSOLE),
        PublicRoute("GET", "/console/live/stream", Door.CONSOLE),
        PublicRoute("GET", "/console/events/{seq}", Door.CONSOLE),
        PublicRoute("GET", "/console/people", Door.CONSOLE),
        PublicRoute("POST", "/console/people/undo", Door.CONSOLE, A_FORM),
        PublicRoute("GET", "/console/people/{person}", Door.CONSOLE),
        PublicRoute("GET", "/console/refused", Door.CONSOLE),
        PublicRoute("GET", "/console/refused/{number}", Door.CONSOLE),
        PublicRoute("GET", "/console/plan", Door.CONSOLE),
        PublicRoute("GET", "/console/sources", Door.CONSOLE),
        PublicRoute("GET", "/console/charts", Door.CONSOLE),
        PublicRoute("GET", "/console/health", Door.CONSOLE),
        PublicRoute("POST", "/console/health/audit", Door.CONSOLE, A_FORM),
        PublicRoute("GET", "/console/destinations", Door.CONSOLE),
        PublicRoute("GET", "/console/destinations/{name}", Door.CONSOLE),
        PublicRoute("POST", "/console/destinations/{name}", Door.CONSOLE, A_FORM),
        PublicRoute("GET", "/console/warehouse", Door.CONSOLE),
        PublicRoute("POST", "/console/warehouse/sql", Door.CONSOLE, SQL),
        PublicRoute("GET", "/console/warehouse/{schema}/{table}", Door.CONSOLE),
    ]
)


def guarded(app: ASGIApp) -> ASGIApp:
    """Return an app that passes only requests for routes in the table to the second process's app."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                TABLE.route(scope["method"], path_of(scope))
            except CollectorError as error:
                await error_response(error)(scope, receive, send)
                return
        await app(scope, receive, send)

    return answer
