"""Who may read back: whoever holds the token."""

from __future__ import annotations

import hmac

from starlette.requests import Request

from .errors import UnauthorizedError
from .settings import Settings


def is_token(given: str, settings: Settings) -> bool:
    """Tell whether a text is the collector's token, in a time that doesn't tell how much of it is right."""
    return hmac.compare_digest(given.encode(), settings.token.encode())


def authorize(request: Request, settings: Settings) -> None:
    """Let pass whoever sends the token.

    Raises:
        UnauthorizedError: the request has no ``Authorization: Bearer TOKEN``, or another token.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not is_token(token, settings):
        raise UnauthorizedError("the token is missing or wrong: send Authorization: Bearer TOKEN")
