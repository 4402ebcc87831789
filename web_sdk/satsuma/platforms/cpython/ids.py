"""Ids from the system's cryptographic source."""

from __future__ import annotations

import os


def new_id() -> str:
    """Return a random UUID (version 4), from the system's cryptographic source: unique also after a fork."""
    text = os.urandom(16).hex()
    variant = "89ab"[int(text[16], 16) & 3]
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"
