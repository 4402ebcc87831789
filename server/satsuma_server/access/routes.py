"""The table of all routes that need a token, each with the scope that it needs.

Both processes check requests against it. A route that is missing here needs `Scope.ADMIN`, so a forgotten entry opens
nothing.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .scopes import Scope


class GuardedRoute(NamedTuple):
    """One route.

    Attributes:
        method: the HTTP method; GET includes HEAD.
        path: the path from the collector's root; ``{name}`` is one segment.
        scope: the scope that a token needs; None where each valid token is enough.
    """

    method: str
    path: str
    scope: Scope | None


ROUTES = [
    GuardedRoute(*route)
    for route in (
        ("GET", "/v1/events", Scope.READ_EVENTS),
        ("GET", "/v1/refused", Scope.READ_EVENTS),
        ("GET", "/v1/violations", Scope.READ_EVENTS),
        ("GET", "/v1/profiles", Scope.READ_PEOPLE),
        ("POST", "/v1/profiles/rebuild", Scope.ADMIN),
        ("GET", "/v1/profiles/merges/{number}", Scope.READ_PEOPLE),
        ("POST", "/v1/profiles/merges/{number}/undo", Scope.ADMIN),
        ("GET", "/v1/profiles/{person}", Scope.READ_PEOPLE),
        ("GET", "/v1/profiles/{person}/{part}", Scope.READ_PEOPLE),
        ("GET", "/v1/people/{person}/export", Scope.READ_PEOPLE),
        ("DELETE", "/v1/people/{person}", Scope.DELETE),
        ("DELETE", "/v1/people/{person}/suppression", Scope.DELETE),
        ("POST", "/v1/sql", Scope.SQL),
        ("GET", "/v1/warehouse", Scope.SQL),
        ("GET", "/v1/warehouse/tables", Scope.SQL),
        ("GET", "/v1/warehouse/tables/{schema}/{table}", Scope.SQL),
        ("POST", "/v1/warehouse/load", Scope.SQL),
        ("POST", "/v1/warehouse/rebuild", Scope.ADMIN),
        ("GET", "/console", None),
        ("GET", "/console/", None),
        ("POST", "/console/logout", None),
        ("GET", "/console/live", Scope.READ_EVENTS),
        ("GET", "/console/live/stream", Scope.READ_EVENTS),
        ("GET", "/console/events/{seq}", Scope.READ_EVENTS),
        ("GET", "/console/people", Scope.READ_PEOPLE),
        ("POST", "/console/people/undo", Scope.ADMIN),
        ("GET", "/console/people/{person}", Scope.READ_PEOPLE),
        ("GET", "/console/refused", Scope.READ_EVENTS),
        ("GET", "/console/refused/{number}", Scope.READ_EVENTS),
        ("GET", "/console/plan", Scope.READ_EVENTS),
        ("GET", "/console/sources", Scope.READ_EVENTS),
        ("GET", "/console/charts", Scope.READ_EVENTS),
        ("GET", "/console/warehouse", Scope.SQL),
        ("POST", "/console/warehouse/sql", Scope.SQL),
        ("GET", "/console/warehouse/{schema}/{table}", Scope.SQL),
    )
]

_PATTERNS = [
    (re.compile("[^/]+".join(re.escape(part) for part in re.split(r"\{\w+\}", route.path))), route) for route in ROUTES
]


def scope_of(method: str, path: str) -> Scope | None:
    """Return the scope that a token needs for a route; None where each valid token is enough.

    Args:
        method: the HTTP method.
        path: the path from the collector's root, percent-encoded as it was sent.
    """
    method = "GET" if method == "HEAD" else method
    for pattern, route in _PATTERNS:
        if route.method == method and pattern.fullmatch(path):
            return route.scope
    return Scope.ADMIN
