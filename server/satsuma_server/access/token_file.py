"""The file of named tokens in the data folder, which ``satsuma token`` writes and the collector reads.

It has a hash of each token and never the token itself. Tokens are random numbers of 256 bits, which nobody can guess
from a hash, so a fast hash is enough; a slow one is for passwords that people choose.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from satsuma_server.errors import TokenError

from .scopes import SEPARABLE, Scope

FILE, LOCK = "tokens.json", ".tokens.lock"
PREFIX = "satsuma_"
"""The first characters of each token, by which scanners for leaked secrets can know it."""

MOST_TOKENS = 1000
LONGEST_NAME = 100
FROM_SETTINGS = "settings"
"""The name of the token in the settings, which no other may have."""


class Secret(msgspec.Struct):
    """The hash of one token (SHA-256, as hexadecimal digits), and until when it is valid; None for ever."""

    sha256: str
    until: datetime | None = None


class NamedToken(msgspec.Struct):
    """A token with a name. Just after a rotation it has two secrets, the new one first.

    Attributes:
        sources: the write keys of the sources that it is limited to; empty for all.
    """

    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    secrets: list[Secret]
    expires_at: datetime | None = None
    sources: tuple[str, ...] = ()

    def valid(self, now: datetime) -> list[Secret]:
        """Return the secrets that are valid at a time."""
        if self.expires_at is not None and self.expires_at <= now:
            return []
        return [one for one in self.secrets if one.until is None or one.until > now]


class _File(msgspec.Struct):
    tokens: list[NamedToken]
    version: int = 1


def digest_of(token: str) -> str:
    """Return the hash of a token."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


class TokenFile:
    """The tokens in one data folder."""

    def __init__(self, data: Path) -> None:
        self.path = data / FILE

    def read(self) -> list[NamedToken]:
        """Return the tokens.

        Raises:
            TokenError: the file can't be read.
        """
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=_File).tokens
        except FileNotFoundError:
            return []
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise TokenError(f"{self.path} can't be read: {error}") from error

    def create(
        self,
        name: str,
        scopes: Sequence[Scope],
        *,
        lifetime: timedelta | None = None,
        sources: Sequence[str] = (),
    ) -> str:
        """Add a token, and return it. It can't be shown a second time.

        Args:
            name: its name.
            scopes: what it may do.
            lifetime: how long it is valid; None for ever.
            sources: the write keys of the sources that it is limited to; empty for all.

        Raises:
            TokenError: there is one of that name, the name or the scopes are not valid, one of them can't be limited to
                sources, or the file can't be written.
        """
        _check_name(name)
        if not scopes:
            raise TokenError(f"name at least one scope: {', '.join(Scope)}")
        _check_sources(sources, scopes)
        token, now = _new(), datetime.now(UTC)
        with self._changed() as tokens:
            if any(one.name == name for one in tokens):
                raise TokenError(f"there is a token of the name {name!r} already: rotate or revoke it")
            if len(tokens) >= MOST_TOKENS:
                raise TokenError(f"there are {MOST_TOKENS} tokens already: revoke some")
            expires = now + lifetime if lifetime else None
            kept = [Secret(digest_of(token))]
            tokens.append(NamedToken(name, (*dict.fromkeys(scopes),), now, kept, expires, (*dict.fromkeys(sources),)))
        return token

    def rotate(self, name: str, *, overlap: timedelta) -> str:
        """Give a token a new secret, and return it. The one before stays valid for the time of `overlap`.

        Raises:
            TokenError: there is no such token, or the file can't be written.
        """
        token, now = _new(), datetime.now(UTC)
        with self._changed() as tokens:
            found = _find(tokens, name)
            before = found.valid(now)[:1] if overlap else []
            found.secrets = [Secret(digest_of(token)), *(Secret(one.sha256, now + overlap) for one in before)]
        return token

    def revoke(self, name: str) -> None:
        """Remove a token. Raises the errors of `rotate`."""
        with self._changed() as tokens:
            tokens.remove(_find(tokens, name))

    @contextmanager
    def _changed(self) -> Iterator[list[NamedToken]]:
        """Yield the tokens to be changed, and write them afterwards. Only one process at a time can do so."""
        folder = self.path.parent
        if not folder.is_dir():
            raise TokenError(f"there is no folder {folder}: name that of the collector by --data")
        try:
            # Not the folder itself, which a running collector has locked.
            descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise TokenError(f"{folder / LOCK} can't be opened: {error.strerror}") from error
        try:
            self._give_to_owner(descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            tokens = self.read()
            yield tokens
            self._write(tokens)
            self._sync_folder()
        finally:
            os.close(descriptor)

    def _give_to_owner(self, descriptor: int) -> None:
        """Give a file to the folder's owner: a collector that runs as another user has to use what root makes here."""
        if os.geteuid() == 0:
            owner = self.path.parent.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)

    def _sync_folder(self) -> None:
        descriptor = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _write(self, tokens: list[NamedToken]) -> None:
        beside = self.path.with_suffix(".new")
        try:
            beside.unlink(missing_ok=True)
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                self._give_to_owner(file.fileno())
                file.write(msgspec.json.format(msgspec.json.encode(_File(tokens))) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self.path)
        except OSError as error:
            raise TokenError(f"{self.path} can't be written: {error.strerror}") from error


def _new() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def _check_name(name: str) -> None:
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or name != name.strip() or name == FROM_SETTINGS:
        raise TokenError(
            f"{name[:LONGEST_NAME]!r} can't be the name of a token: that has 1 to {LONGEST_NAME} printable characters, "
            f"no spaces around them, and is not {FROM_SETTINGS!r}"
        )


def _check_sources(sources: Sequence[str], scopes: Sequence[Scope]) -> None:
    whole = [scope for scope in scopes if scope not in SEPARABLE]
    if sources and whole:
        raise TokenError(
            f"a token for some sources can't have the scope {whole[0]}, which is about all of them: it may have "
            f"{' and '.join(sorted(SEPARABLE))}"
        )
    if not all(sources):
        raise TokenError("a source is named by its write key, which is not empty")


def _find(tokens: list[NamedToken], name: str) -> NamedToken:
    for one in tokens:
        if one.name == name:
            return one
    names = ", ".join(one.name for one in tokens) or "none yet"
    raise TokenError(f"there is no token of the name {name!r}; there are: {names}")
