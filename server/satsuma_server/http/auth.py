"""Who may read back: whoever holds the token."""

from __future__ import annotations

import hmac

from starlette.requests import Request

from satsuma_server.errors import UnauthorizedError
from satsuma_server.settings import Settings


def is_token(given: str, settings: Settings) -> bool:
    """Tell whether a text is the collector's token, in a time that doesn't tell how much of it is right."""
    return hmac.compare_digest(given.encode(), settings.token.encode())


def is_bearer(header: str, settings: Settings) -> bool:
    """Tell whether an Authorization header carries the collector's token."""
    scheme, _, token = header.partition(" ")
    return scheme.lower() == "bearer" and is_token(token, settings)


def authorize(request: Request, settings: Settings) -> None:
    """Let pass whoever sends the token.

    Raises:
        UnauthorizedError: the request has no ``Authorization: Bearer TOKEN``, or another token.
    """
    if not is_bearer(request.headers.get("authorization", ""), settings):
        raise UnauthorizedError("the token is missing or wrong: send Authorization: Bearer TOKEN")
