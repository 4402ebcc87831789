"""The routes of the worker that the collector passes on: these, by these methods, and nothing else.

Both processes hold themselves to it. Whoever gives the worker a new route adds it here, and says what has to be shown
before it is passed on, and how large a body it takes.
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
    """What a route asks for."""

    OPEN = "nothing"
    TOKEN = "the token"  # noqa: S105
    CONSOLE = "a login at the console, which the worker looks at"


@dataclass(frozen=True, slots=True)
class PublicRoute:
    """One route.

    Attributes:
        method: GET stands for HEAD too.
        path: from the collector's root on; ``{name}`` is one segment, whatever is percent-encoded in it.
        most: bytes of its body.
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
        """The beginnings of all paths, as ``/console`` and ``/v1/sql``: what lies below is the worker's alone."""
        return sorted({match[0] for route in self.routes if (match := _PREFIX.match(route.path))})

    def at(self, path: str) -> list[PublicRoute]:
        """Return what there is at a path as it was sent, whatever the method."""
        return [route for pattern, route in self._patterns if pattern.fullmatch(path)]

    def route(self, method: str, path: str) -> PublicRoute:
        """Return the route of a request; where two fit, the one that stands first.

        Raises:
            NotFoundError: there is none at this path.
            MethodError: there is one, but not for this method.
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
"""Bytes of a form: a token of 1,000 characters, or the ids of a person."""

SQL = 256 << 10
"""Bytes of a query; the console's 20,000 characters of SQL, each of which may take nine bytes in a form."""

TABLE = RouteTable(
    [
        PublicRoute("GET", "/v1/worker", Door.OPEN),
        PublicRoute("GET", "/v1/profiles", Door.TOKEN),
        PublicRoute("POST", "/v1/profiles/rebuild", Door.TOKEN),
        PublicRoute("GET", "/v1/profiles/merges/{number}", Door.TOKEN),
        PublicRoute("POST", "/v1/profiles/merges/{number}/undo", Door.TOKEN),
        # Also usage, totals and warnings, of all people.
        PublicRoute("GET", "/v1/profiles/{person}", Door.TOKEN),
        PublicRoute("GET", "/v1/profiles/{person}/{part}", Door.TOKEN),
        PublicRoute("GET", "/v1/people/{person}/export", Door.TOKEN),
        PublicRoute("POST", "/v1/sql", Door.TOKEN, SQL),
        PublicRoute("GET", "/v1/warehouse", Door.TOKEN),
        PublicRoute("GET", "/v1/warehouse/tables", Door.TOKEN),
        PublicRoute("GET", "/v1/warehouse/tables/{schema}/{table}", Door.TOKEN),
        PublicRoute("POST", "/v1/warehouse/load", Door.TOKEN),
        PublicRoute("POST", "/v1/warehouse/rebuild", Door.TOKEN),
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
        PublicRoute("GET", "/console/warehouse", Door.CONSOLE),
        PublicRoute("POST", "/console/warehouse/sql", Door.CONSOLE, SQL),
        PublicRoute("GET", "/console/warehouse/{schema}/{table}", Door.CONSOLE),
    ]
)


def guarded(app: ASGIApp) -> ASGIApp:
    """Return the worker's app behind the table: it answers nothing that the table doesn't name."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                TABLE.route(scope["method"], path_of(scope))
            except CollectorError as error:
                await error_response(error)(scope, receive, send)
                return
        await app(scope, receive, send)

    return answer
