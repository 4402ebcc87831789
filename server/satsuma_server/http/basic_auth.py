"""Reads the Basic authorization header, in which Segment's and RudderStack's libraries send their write key."""

from __future__ import annotations

import base64
import binascii


def basic_user(header: bytes) -> str | None:
    """Return the user name in a Basic authorization header; None where there is none."""
    scheme, _, credentials = header.partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        user = base64.b64decode(credentials, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return None
    return user or None
