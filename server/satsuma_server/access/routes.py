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
        action: what the audit log calls it.
        by_source: whether a token that is limited to some sources may use it, and gets what belongs to these alone.
    """

    method: str
    path: str
    scope: Scope | None
    action: str = "read"
    by_source: bool = False


ROUTES = [
    GuardedRoute(*route)
    for route in (
        ("GET", "/v1/events", Scope.READ_EVENTS, "read", True),
        ("GET", "/v1/refused", Scope.READ_EVENTS, "read", True),
        ("GET", "/v1/violations", Scope.READ_EVENTS, "read", True),
        ("GET", "/v1/audit-log", Scope.ADMIN),
        ("GET", "/v1/profiles", Scope.READ_PEOPLE),
        ("POST", "/v1/profiles/rebuild", Scope.ADMIN, "rebuild"),
        ("GET", "/v1/profiles/merges/{number}", Scope.READ_PEOPLE),
        ("POST", "/v1/profiles/merges/{number}/undo", Scope.ADMIN, "undo"),
        ("GET", "/v1/profiles/{person}", Scope.READ_PEOPLE, "read", True),
        ("GET", "/v1/profiles/{person}/{part}", Scope.READ_PEOPLE, "read", True),
        ("GET", "/v1/people/{person}/export", Scope.READ_PEOPLE, "export", True),
        ("DELETE", "/v1/people/{person}", Scope.DELETE, "delete"),
        ("DELETE", "/v1/people/{person}/suppression", Scope.DELETE, "end suppression"),
        ("POST", "/v1/sql", Scope.SQL, "sql"),
        ("GET", "/v1/warehouse", Scope.SQL),
        ("GET", "/v1/warehouse/tables", Scope.SQL),
        ("GET", "/v1/warehouse/tables/{schema}/{table}", Scope.SQL),
        ("POST", "/v1/warehouse/load", Scope.SQL, "load"),
        ("POST", "/v1/warehouse/rebuild", Scope.ADMIN, "rebuild"),
        ("POST", "/v1/warehouse/copy", Scope.ADMIN, "back up"),
        ("POST", "/v1/warehouse/allow", Scope.ADMIN, "allow"),
        ("POST", "/v1/warehouse/drop", Scope.ADMIN, "drop"),
        ("GET", "/metrics", Scope.METRICS),
        ("GET", "/v1/status", Scope.METRICS),
        ("GET", "/v1/destinations", Scope.ADMIN),
        ("GET", "/v1/destinations/{name}/failed", Scope.ADMIN),
        ("GET", "/v1/destinations/{name}/deletions", Scope.ADMIN),
        ("POST", "/v1/destinations/{name}/pause", Scope.ADMIN, "pause"),
        ("POST", "/v1/destinations/{name}/resume", Scope.ADMIN, "resume"),
        ("POST", "/v1/destinations/{name}/replay", Scope.ADMIN, "replay"),
        ("POST", "/v1/destinations/{name}/resend", Scope.ADMIN, "resend"),
        ("GET", "/console", None),
        ("GET", "/console/", None),
        ("POST", "/console/logout", None, "log out"),
        ("GET", "/console/live", Scope.READ_EVENTS),
        ("GET", "/console/live/stream", Scope.READ_EVENTS),
        ("GET", "/console/events/{seq}", Scope.READ_EVENTS),
        ("GET", "/console/people", Scope.READ_PEOPLE),
        ("POST", "/console/people/undo", Scope.ADMIN, "undo"),
        ("GET", "/console/people/{person}", Scope.READ_PEOPLE),
        ("GET", "/console/refused", Scope.READ_EVENTS),
        ("GET", "/console/refused/{number}", Scope.READ_EVENTS),
        ("GET", "/console/plan", Scope.READ_EVENTS),
        ("GET", "/console/sources", Scope.READ_EVENTS),
        ("GET", "/console/charts", Scope.READ_EVENTS),
        ("GET", "/console/health", Scope.READ_EVENTS),
        ("POST", "/console/health/audit", Scope.READ_EVENTS),
        ("GET", "/console/destinations", Scope.ADMIN),
        ("GET", "/console/destinations/{name}", Scope.ADMIN),
        ("POST", "/console/destinations/{name}", Scope.ADMIN, "change destination"),
        ("GET", "/console/warehouse", Scope.SQL),
        ("POST", "/console/warehouse/sql", Scope.SQL, "sql"),
        ("GET", "/console/warehouse/{schema}/{table}", Scope.SQL),
    )
]

_PATTERNS = [
    (re.compile("[^/]+".join(re.escape(part) for part in re.split(r"\{\w+\}", route.path))), route) for route in ROUTES
]


def route_of(method: str, path: str) -> GuardedRoute:
    """Return the route of a request; one that needs `Scope.ADMIN` where the table has none. Arguments: see
    `scope_of`."""
    method = "GET" if method == "HEAD" else method
    for pattern, route in _PATTERNS:
        if route.method == method and pattern.fullmatch(path):
            return route
    return GuardedRoute(method, "(unknown)", Scope.ADMIN)


def scope_of(method: str, path: str) -> Scope | None:
    """Return the scope that a token needs for a route; None where each valid token is enough.

    Args:
        method: the HTTP method.
        path: the path from the collector's root, percent-encoded as it was sent.
    """
    return route_of(method, path).scope
