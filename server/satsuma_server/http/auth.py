"""Checks tokens, which are needed to read data back, and their scopes."""

from __future__ import annotations

from starlette.requests import Request

from satsuma_server.access import Holder, Scope, scope_of
from satsuma_server.errors import ForbiddenError, UnauthorizedError
from satsuma_server.paths import path_of
from satsuma_server.settings import Settings


def bearer(header: str, settings: Settings) -> Holder | None:
    """Return who holds the token in an Authorization header; None where it has no valid one."""
    scheme, _, token = header.partition(" ")
    return settings.tokens.holder(token) if scheme.lower() == "bearer" else None


def is_admin(header: str, settings: Settings) -> bool:
    """Tell whether an Authorization header has a token with the scope `admin`."""
    holder = bearer(header, settings)
    return holder is not None and holder.may(Scope.ADMIN)


def authorize(request: Request, settings: Settings) -> Holder:
    """Check that a request has a token with the scope that its route needs, and return who holds it.

    Raises:
        UnauthorizedError: it has no ``Authorization: Bearer TOKEN``, or no valid token.
        ForbiddenError: the token doesn't have the scope.
    """
    holder = bearer(request.headers.get("authorization", ""), settings)
    if holder is None:
        raise UnauthorizedError("the token is missing or wrong: send Authorization: Bearer TOKEN")
    check_scope(holder, needed(request))
    return holder


def still_authorized(request: Request, settings: Settings) -> bool:
    """Tell whether a request that was let in would still be, for answers that go on without an end."""
    holder = bearer(request.headers.get("authorization", ""), settings)
    return holder is not None and holder.may(needed(request))


def needed(request: Request) -> Scope | None:
    """Return the scope that a request's route needs."""
    # A mount of ours changes `root_path`; the table has paths from where the collector begins.
    root = request.scope.get("app_root_path", request.scope.get("root_path", ""))
    return scope_of(request.method, path_of({**request.scope, "root_path": root}))


def check_scope(holder: Holder, scope: Scope | None) -> None:
    """Check that a token has a scope. Raises `ForbiddenError` otherwise."""
    if not holder.may(scope):
        raise ForbiddenError(
            f"the token {holder.name!r} doesn't have the scope {scope}: `satsuma token create` makes one that has it"
        )
