"""Finds out whose token a request shows, and what that token may do."""

from __future__ import annotations

import contextlib
import hmac
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from satsuma_server.errors import TokenError

from .scopes import SEPARABLE, Scope
from .token_file import FROM_SETTINGS, NamedToken, TokenFile, digest_of

logger = logging.getLogger("satsuma.access")

FINGERPRINT = 16
"""How many digits of a token's hash name it where the hash itself has no place: 64 bits."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who showed a token.

    Attributes:
        name: the token's name.
        scopes: what it may do.
        fingerprint: tells one secret of the token from others; empty for the token in the settings.
        sources: the sources that it is limited to; empty for all.
    """

    name: str
    scopes: frozenset[Scope]
    fingerprint: str = ""
    sources: frozenset[str] = frozenset()

    def may(self, scope: Scope | None) -> bool:
        """Tell whether the token has a scope. One with `Scope.ADMIN` has all, and None is no scope, which all have."""
        if self.sources:
            return scope is None or (scope in self.scopes and scope in SEPARABLE)
        return scope is None or scope in self.scopes or Scope.ADMIN in self.scopes


class Tokens:
    """The token in the settings, and the named ones in the data folder. A change of the file counts at once."""

    def __init__(self, data: Path, token: str) -> None:
        self._file = TokenFile(data)
        self._from_settings = digest_of(token)
        self._admin = Holder(FROM_SETTINGS, frozenset({Scope.ADMIN}))
        self._version: tuple[int, ...] | None = None
        self._by_digest: dict[str, NamedToken] = {}

    def holder(self, token: str) -> Holder | None:
        """Return the holder of a token; None where it is not valid.

        Tokens are compared by their hashes: so the time that it takes doesn't tell how much of one was right.
        """
        digest = digest_of(token)
        if hmac.compare_digest(digest, self._from_settings):
            return self._admin
        return self._named(self._current().get(digest), digest)

    def by_fingerprint(self, fingerprint: str) -> Holder | None:
        """Return the holder of the token with a fingerprint; None where it is no longer valid."""
        if not fingerprint:
            return self._admin
        found = [(named, digest) for digest, named in self._current().items() if digest[:FINGERPRINT] == fingerprint]
        return self._named(*found[0]) if len(found) == 1 else None

    def _named(self, named: NamedToken | None, digest: str) -> Holder | None:
        if named is None or all(one.sha256 != digest for one in named.valid(datetime.now(UTC))):
            return None
        return Holder(named.name, frozenset(named.scopes), digest[:FINGERPRINT], frozenset(named.sources))

    def _current(self) -> dict[str, NamedToken]:
        version: tuple[int, ...] = ()
        with contextlib.suppress(OSError):
            told = self._file.path.stat()
            version = (told.st_mtime_ns, told.st_size, told.st_ino)
        if version != self._version:
            try:
                self._by_digest = {one.sha256: named for named in self._file.read() for one in named.secrets}
            except TokenError as error:
                # A token that was revoked must not be valid again because of a damaged file, so none is.
                self._by_digest = {}
                logger.error("no named token is valid", extra={"error": str(error)})
            self._version = version
        return self._by_digest
