"""Sessions of people who logged in to the console with a token.

The cookie doesn't contain the token. It has a random id, the fingerprint of a named token and a time of expiry, signed
with a key that is derived from the token in the settings. So a stolen cookie opens nothing but the console, a session
ends with its token, and a new token in the settings ends all sessions.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from typing import Literal, TypedDict

from starlette.requests import Request
from starlette.responses import Response

from satsuma_server.access import Holder, Tokens
from satsuma_server.errors import ForbiddenError

from .forwarded_headers import base_of, is_https
from .store import Store

COOKIE = "satsuma_console"
SESSION_SECONDS = 7 * 86_400


@dataclass(frozen=True, slots=True)
class Session:
    """One session.

    Attributes:
        ends: when it expires, in seconds since 1970.
        csrf: the token against cross-site requests that each of its forms must send.
        holder: whose token it began with.
    """

    id: str
    ends: int
    csrf: str
    holder: Holder


class Sessions:
    """Begins, reads and ends sessions."""

    def __init__(self, tokens: Tokens, token: str, store: Store) -> None:
        """Take all tokens, the one in the settings, and the store that remembers sessions that were ended."""
        self._tokens = tokens
        self._key = hmac.digest(token.encode(), b"satsuma console", hashlib.sha256)
        self._store = store

    def begin(self, holder: Holder, response: Response, request: Request) -> None:
        """Begin the session of a token's holder: set its cookie on the response."""
        name, ends = secrets.token_urlsafe(16), int(time.time()) + SESSION_SECONDS
        # With the token in the settings it has three parts, as it had before there were others.
        told = ".".join(filter(None, (name, holder.fingerprint, str(ends))))
        value = f"{told}.{self._sign(told)}"
        response.set_cookie(COOKIE, value, SESSION_SECONDS, **_attributes(request))

    def of(self, request: Request) -> Session | None:
        """Return the session of a request; None where it has no valid one."""
        told, _, signature = request.cookies.get(COOKIE, "").rpartition(".")
        if not hmac.compare_digest(self._sign(told).encode(), signature.encode()):
            return None
        name, *fingerprint, ends = told.split(".")
        if int(ends) < time.time() or self._store.is_ended(name):
            return None
        holder = self._tokens.by_fingerprint(fingerprint[0] if fingerprint else "")
        return Session(name, int(ends), self._sign(f"csrf {name}"), holder) if holder else None

    def end(self, session: Session, response: Response, request: Request) -> None:
        """End a session, also for every copy of its cookie."""
        self._store.end(session.id, session.ends)
        response.delete_cookie(COOKIE, **_attributes(request))

    def _sign(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()


class _Attributes(TypedDict):
    path: str
    httponly: bool
    samesite: Literal["strict"]
    secure: bool


def _attributes(request: Request) -> _Attributes:
    return {"path": base_of(request), "httponly": True, "samesite": "strict", "secure": is_https(request)}


def check_origin(request: Request) -> None:
    """Check that a request was sent by a page of the console.

    Raises:
        ForbiddenError: the browser says that a page of another site sent it.
    """
    site = request.headers.get("sec-fetch-site", "none")
    if site not in ("same-origin", "none"):
        raise ForbiddenError("this must be sent by a page of the console")
