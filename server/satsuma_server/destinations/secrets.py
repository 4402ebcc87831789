"""Reads secrets from the environment and from files, and keeps them out of everything that people see."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from urllib.parse import quote, quote_plus

from satsuma_server.errors import SettingsError
from satsuma_server.forwarding import SecretReference

SHORTEST = 6
"""Shorter secrets are not looked for in texts: they would be found everywhere."""

LONGEST = 64 << 10
HIDDEN = "•••"


class Secrets:
    """The secrets of one destination."""

    def __init__(self) -> None:
        self._values: set[str] = set()

    def read(self, given: str | SecretReference) -> str:
        """Return a secret, or a text that is none.

        Raises:
            SettingsError: it isn't there, or is empty. The message has no part of it.
        """
        if isinstance(given, str):
            return given
        if bool(given.env) is bool(given.file):
            raise SettingsError('a secret is {env = "NAME"} or {file = "PATH"}')
        value = _from_file(given.file) if given.file else os.environ.get(given.env, "")
        if not value:
            raise SettingsError(f"the secret in {given.file or given.env} is missing or empty")
        self.add(value)
        return value

    def add(self, value: str) -> str:
        """Treat a text that was made from a secret as one, and return it."""
        self._values |= {value, quote(value, safe=""), quote_plus(value)}
        return value

    def basic_auth(self, user: str, password: str = "") -> str:
        """Return the value of an Authorization header (RFC 7617)."""
        return "Basic " + self.add(base64.b64encode(f"{user}:{password}".encode()).decode())

    def hide(self, text: str) -> str:
        """Return a text without the secrets."""
        for value in sorted(self._values, key=len, reverse=True):
            if len(value) >= SHORTEST:
                text = text.replace(value, HIDDEN)
        return text


def _from_file(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            return file.read(LONGEST).decode().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"the secret in {path} can't be read: {type(error).__name__}") from None
