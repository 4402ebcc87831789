"""Signs a userId, so that a page can prove to the collector who its visitor is.

A JSON Web Token (RFC 7519) by HS256, made of the standard library alone: to make one takes no more than a hash.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

from satsuma.errors import ArgumentError
from satsuma.platforms.cpython.ids import Id, id_of

LIFETIME = 3600
LONGEST_LIFETIME = 24 * 3600
"""Seconds that a signature can be used. The collector takes none that lives longer, which limits the damage of a stolen
one."""

SHORTEST_SECRET = 32
"""Characters of a secret: as many bytes as the hash of HS256 has (RFC 7518, section 3.2). The collector's settings take
no shorter one."""


def sign_user_id(
    user_id: Id, secret: str, write_key: str, *, seconds: float = LIFETIME, anonymous_id: Id | None = None
) -> str:
    """Return a signature for ``analytics.identify(userId, traits, {signature})``.

    Sign only the id of whom the site knows to be logged in, in a page that no cache keeps.

    Args:
        user_id: the visitor's, as the page gives it to ``identify``.
        secret: the first of the source's ``signing_secrets``.
        write_key: the source; the signature is worth nothing for another.
        seconds: how long it can be used, at most a day: from when the page is made until its event arrives.
        anonymous_id: binds the signature to one browser, where the server knows its anonymousId.

    Raises:
        ArgumentError: an argument can't be used.

    Examples:
        >>> sign_user_id("97980cfea0067", SIGNING_SECRET, "my-site")  # doctest: +SKIP
    """
    user = id_of(user_id)
    if not user or not write_key:
        raise ArgumentError("user_id and write_key are missing: give the logged-in user's and the source's")
    if len(secret) < SHORTEST_SECRET:
        raise ArgumentError(f"the secret has fewer than {SHORTEST_SECRET} characters: make a random one")
    if not 0 < seconds <= LONGEST_LIFETIME:
        raise ArgumentError(f"seconds is {seconds!r}: give more than 0 and at most {LONGEST_LIFETIME}")
    now = int(time.time())
    claims: dict[str, Any] = {"sub": user, "aud": write_key, "iat": now, "exp": now + max(1, int(seconds))}
    if anonymous_id is not None:
        claims["anonymousId"] = id_of(anonymous_id)
    signed = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
    return f"{signed}.{_encode(hmac.digest(secret.encode(), signed.encode(), hashlib.sha256))}"


def _part(value: dict[str, Any]) -> str:
    return _encode(json.dumps(value, separators=(",", ":")).encode())


def _encode(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
