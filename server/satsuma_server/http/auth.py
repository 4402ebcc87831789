"""Checks tokens, which are needed to read data back, and their scopes."""

from __future__ import annotations

from urllib.parse import unquote

from starlette.requests import Request

from satsuma_server.access import GuardedRoute, Holder, Scope, route_of
from satsuma_server.errors import ForbiddenError, UnauthorizedError
from satsuma_server.paths import path_of
from satsuma_server.settings import Settings

from .addresses import address_of


def bearer(header: str, settings: Settings) -> Holder | None:
    """Return who holds the token in an Authorization header; None where it has no valid one."""
    scheme, _, token = header.partition(" ")
    return settings.tokens.holder(token) if scheme.lower() == "bearer" else None


def is_admin(header: str, settings: Settings) -> bool:
    """Tell whether an Authorization header has a token with the scope `admin`."""
    holder = bearer(header, settings)
    return holder is not None and holder.may(Scope.ADMIN)


def authorize(request: Request, settings: Settings) -> Holder:
    """Do as `check_token`, and note in the audit log who asked for what. Raises the errors of `check_token`.

    The collector does so for each request. The second process only checks again, since it gets the same requests.
    """
    holder = _holder(request, settings)
    route = route_of(request.method, _path(request))
    note(request, settings, holder, refused=not may_use(holder, route))
    check_route(holder, route)
    return holder


def check_token(request: Request, settings: Settings) -> Holder:
    """Check that a request has a token with the scope that its route needs, and return who holds it.

    Raises:
        UnauthorizedError: it has no ``Authorization: Bearer TOKEN``, or no valid token.
        ForbiddenError: the token doesn't have the scope, or is limited to some sources where the route is not.
    """
    holder = _holder(request, settings)
    check_route(holder, route_of(request.method, _path(request)))
    return holder


def note(request: Request, settings: Settings, holder: Holder, *, action: str = "", refused: bool = False) -> None:
    """Note in the audit log who asked for what.

    Args:
        action: what the log calls it, of a route that is open; empty for what the table of routes says.
    """
    path = _path(request)
    route = GuardedRoute(request.method, path, None, action) if action else route_of(request.method, path)
    segment = unquote(path.split("/")[3]) if "{person}" in route.path else ""
    # The second process is asked through a socket without addresses, by the collector, which has determined this one.
    forwarded = request.headers.get("x-forwarded-for", "")
    address = (address_of(request.scope, settings) or "") if request.scope.get("client") else forwarded
    settings.audit_log.note(
        holder.name,
        route.action,
        f"{route.method} {route.path}",
        address,
        person=segment if ":" in segment else "",
        refused=refused,
    )


def _holder(request: Request, settings: Settings) -> Holder:
    holder = bearer(request.headers.get("authorization", ""), settings)
    if holder is None:
        raise UnauthorizedError("the token is missing or wrong: send Authorization: Bearer TOKEN")
    return holder


def still_authorized(request: Request, settings: Settings) -> bool:
    """Tell whether a request that was let in would still be, for answers that go on without an end."""
    holder = bearer(request.headers.get("authorization", ""), settings)
    return holder is not None and may_use(holder, route_of(request.method, _path(request)))


def _path(request: Request) -> str:
    # A mount of ours changes `root_path`; the table has paths from where the collector begins.
    root = request.scope.get("app_root_path", request.scope.get("root_path", ""))
    return path_of({**request.scope, "root_path": root})


def may_use(holder: Holder, route: GuardedRoute) -> bool:
    """Tell whether a token opens a route."""
    return holder.may(route.scope) and (route.by_source or not holder.sources)


def check_route(holder: Holder, route: GuardedRoute) -> None:
    """Check that a token opens a route. Raises `ForbiddenError` otherwise."""
    if holder.sources and not route.by_source:
        raise _limited(holder, "this is about all sources")
    if not holder.may(route.scope):
        raise ForbiddenError(
            f"the token {holder.name!r} doesn't have the scope {route.scope}: `satsuma token create` makes one that "
            "has it"
        )


def check_source(holder: Holder, source: str | None) -> None:
    """Check that a token may have what belongs to a source. Raises `ForbiddenError` otherwise.

    Args:
        holder: whose token it is.
        source: the source's write key; None for what belongs to several, or can't be told apart.
    """
    if holder.sources and source is None:
        raise _limited(holder, "this is about all sources")
    if holder.sources and source not in holder.sources:
        raise _limited(holder, f"{str(source)[:80]!r} is none of them")


def _limited(holder: Holder, why: str) -> ForbiddenError:
    sources = ", ".join(sorted(holder.sources))[:200]
    return ForbiddenError(f"the token {holder.name!r} is limited to the sources {sources}, and {why}")
