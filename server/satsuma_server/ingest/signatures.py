"""Signed userIds: a JSON Web Token (RFC 7519) by HS256, made by the site's server, for one source and a short time."""

from __future__ import annotations

import re
import time
from typing import Any

import jwt

from satsuma_server.settings import Source
from satsuma_server.verification import FIELD, SIGNATURE, Verification

ALGORITHMS = ("HS256",)
LEEWAY = 60
"""Seconds that two machines' clocks may be apart."""

LONGEST_LIFE = 24 * 3600
"""Seconds that a signature may live: one that somebody has stolen is worth no more."""

LONGEST = 2048
"""Characters of a signature."""

MOST_FAILURES = 16
"""Wrong signatures of one request, beyond which no others are looked at: a visitor has one."""

LIKE_A_SIGNATURE = re.compile(rb"eyJ[\w-]{4,}\.[\w-]+\.[\w-]+")

UNUSABLE = (jwt.InvalidTokenError, ValueError, TypeError, ArithmeticError, RecursionError)
"""What the library raises at a text that is no signature of ours, whatever it is."""


class Verifier:
    """Says of the events of one request how well it is known whose they are."""

    def __init__(self, source: Source, *, is_server: bool) -> None:
        """Take the source, and whether a secret key or the token came with the request."""
        self._source = source
        self._is_server = is_server
        self._subjects: dict[str, dict[str, Any] | None] = {}
        self._failures = 0

    @classmethod
    def of(cls, source: Source, *, is_server: bool) -> Verifier | None:
        """Return what verifies a request's events; None where they are taken at their word."""
        return cls(source, is_server=is_server) if is_server or source.identify != "open" else None

    def verify(self, user_id: str | None, anonymous_id: str | None, signature: object) -> Verification:
        """Return what an event with these ids and this signature is worth."""
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
    """Return the claims of a signature that holds for a source now; None for any other text."""
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
            if int(claims["exp"]) <= time.time() + LONGEST_LIFE + LEEWAY:
                return claims
        except UNUSABLE:
            continue
    return None


def take_signature(context: Any) -> Any:
    """Take the signature, and what only the collector may note, out of an event's context; return the signature."""
    if not context:
        return None
    context.pop(FIELD, None)
    return context.pop(SIGNATURE, None)


def without_signatures(raw: bytes) -> bytes:
    """Return a refused event's text, which need not even be JSON, without what looks like a signature."""
    return LIKE_A_SIGNATURE.sub(b"(a signature)", raw)
