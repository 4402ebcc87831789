"""Checks the token, which is needed to read data back."""

from __future__ import annotations

import hmac

from starlette.requests import Request

from satsuma_server.errors import UnauthorizedError
from satsuma_server.settings import Settings


def is_token(given: str, settings: Settings) -> bool:
    """Tell whether a text is the collector's token. The time that it takes doesn't reveal how much of the text is
    right."""
    return hmac.compare_digest(given.encode(), settings.token.encode())


def is_bearer(header: str, settings: Settings) -> bool:
    """Tell whether an Authorization header has the collector's token."""
    scheme, _, token = header.partition(" ")
    return scheme.lower() == "bearer" and is_token(token, settings)


def authorize(request: Request, settings: Settings) -> None:
    """Check that a request has the token.

    Raises:
        UnauthorizedError: it has no ``Authorization: Bearer TOKEN``, or another token.
    """
    if not is_bearer(request.headers.get("authorization", ""), settings):
        raise UnauthorizedError("the token is missing or wrong: send Authorization: Bearer TOKEN")
