"""Verifies signed userIds: JSON Web Tokens (RFC 7519, HS256) from the site's server, for one source and a short
time."""

from __future__ import annotations

import re
import time
from typing import Any

import jwt
from satsuma.platforms.server.signing import LONGEST_LIFETIME

from satsuma_server.settings import Source
from satsuma_server.verification import FIELD, SENDER_IP, SIGNATURE, Verification

ALGORITHMS = ("HS256",)
LEEWAY = 60
"""Seconds by which the clocks of two machines may differ."""

LONGEST = 2048
"""The most characters of a signature."""

MOST_FAILURES = 16
"""After so many wrong signatures in one request, no others are checked. A visitor has only one."""

LIKE_A_SIGNATURE = re.compile(rb"eyJ[\w-]{4,}\.[\w-]+\.[\w-]+")

UNUSABLE = (jwt.InvalidTokenError, ValueError, TypeError, ArithmeticError, RecursionError)
"""The exceptions that the library raises for a text that is not a valid signature."""


class Verifier:
    """Decides how far the ids of the events of one request can be trusted."""

    def __init__(self, source: Source, *, is_server: bool) -> None:
        """Take the source, and whether the request has a secret key or the token."""
        self._source = source
        self._is_server = is_server
        self._subjects: dict[str, dict[str, Any] | None] = {}
        self._failures = 0

    @classmethod
    def of(cls, source: Source, *, is_server: bool) -> Verifier | None:
        """Return a verifier for the events of a request; None where all of them are trusted."""
        return cls(source, is_server=is_server) if is_server or source.identify != "open" else None

    def verify(self, user_id: str | None, anonymous_id: str | None, signature: object) -> Verification:
        """Return how far an event with these ids and this signature can be trusted."""
        if self._is_server:
            return Verification.SERVER
        if user_id and self._is_signed(user_id, anonymous_id, signature):
            return Verification.SIGNED
        if self._source.identify == "server":
            return Verification.PUBLIC
        return Verification.CLAIMED if user_id else Verification.ANONYMOUS

    def _is_signed(self, user_id: str, anonymous_id: str | None, signature: object) -> bool:
        if self._source.identify != "signed" or not isinstance(signature, str) or len(signature) > LONGEST:
            return False
        if signature not in self._subjects:
            if self._failures >= MOST_FAILURES:
                return False
            self._subjects[signature] = claims = read_signature(signature, self._source)
            self._failures += claims is None
        claims = self._subjects[signature]
        return claims is not None and claims["sub"] == user_id and claims.get("anonymousId") in (None, anonymous_id)


def read_signature(signature: str, source: Source) -> dict[str, Any] | None:
    """Return the claims of a signature that is valid for a source now; None for any other text."""
    for secret in source.signing_secrets:
        try:
            claims: dict[str, Any] = jwt.decode(
                signature,
                secret,
                algorithms=ALGORITHMS,
                audience=source.write_key,
                leeway=LEEWAY,
                options={"require": ["sub", "aud", "exp"]},
            )
            if int(claims["exp"]) <= time.time() + LONGEST_LIFETIME + LEEWAY:
                return claims
        except UNUSABLE:
            continue
    return None


def take_signature(context: Any) -> Any:
    """Remove the signature, and the field that only the collector may set, from an event's context; return the
    signature."""
    if not context:
        return None
    context.pop(FIELD, None)
    context.pop(SENDER_IP, None)
    return context.pop(SIGNATURE, None)


def without_signatures(raw: bytes) -> bytes:
    """Return the text of a refused event, which may not even be JSON, without anything that looks like a signature."""
    return LIKE_A_SIGNATURE.sub(b"(a signature)", raw)
