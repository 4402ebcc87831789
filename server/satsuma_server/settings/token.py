"""What a token must be like, so that it can't be guessed."""

from __future__ import annotations

from satsuma.platforms.server.signing import SHORTEST_SECRET

from satsuma_server.errors import SettingsError

MIN_TOKEN_SIGNS = 8
"""How many different characters a token has at least. A random one of 32 hexadecimal digits has 14 on average."""


def weakness_of(token: str) -> str | None:
    """Return why a token could be guessed, as the end of a sentence; None where it couldn't."""
    if len(token) < SHORTEST_SECRET:
        return f"has fewer than {SHORTEST_SECRET} characters"
    if len(set(token)) < MIN_TOKEN_SIGNS:
        return f"has fewer than {MIN_TOKEN_SIGNS} different characters"
    return None


def check_token(token: str) -> None:
    """Check that a token can't be guessed. Raises `SettingsError` where it could."""
    if (weakness := weakness_of(token)) is not None:
        raise SettingsError(
            f"the token {weakness}, so it could be guessed: leave it out, and a random one is made at each start, or "
            "make one that stays with: openssl rand -hex 32"
        )
