"""The suppression list: people whose events are not accepted any more.

The file has a salt in its first line, and a hash of each identifier. Whoever can read it could try out identifiers,
since the salt is there, too. So each hash can be wrapped in another one, whose key, the secret, lies elsewhere:
``HMAC(secret, hash(salt, identifier))``. A list that was made without a secret is wrapped as it is, since nobody knows
the identifiers any more. The first line then also has a check of the secret, because with another one the list would
silently be empty.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from satsuma_server.errors import SettingsError, UnavailableError
from satsuma_server.identity.identifiers import ANONYMOUS_ID, USER_ID, Key
from satsuma_server.identity.rules import Rules
from satsuma_server.log import WITHHELD, Arrivals

from .person_matcher import PersonMatcher

FILE = "suppressed.txt"
SALT_BYTES = 16
DIGEST_BYTES = 16
WRAPPED = "hmac-sha256:"
"""What comes before the check of the secret in the first line of a wrapped list."""

SHORTEST_SECRET = 32


class _Ids(msgspec.Struct):
    userId: Any = None  # noqa: N815
    anonymousId: Any = None  # noqa: N815


class Suppressed:
    """The suppression list in the data folder. It has salted hashes, so that nobody can read identifiers in it."""

    def __init__(self, data: Path, rules: Rules, secret: bytes = b"") -> None:
        """Read the list in the folder `data`, if it exists.

        Args:
            secret: what hashes are wrapped with; empty for lists that are not wrapped.

        Raises:
            UnavailableError: the list can't be read, or was wrapped with another secret.
        """
        self._path = data / FILE
        self._per_source = rules.per_source
        self._matcher = PersonMatcher(rules, self.__contains__)
        try:
            text = self._path.read_text("ascii") if self._path.exists() else ""
            head, *digests = text.splitlines() or [""]
            salt, _, check = head.partition(" ")
            self._salt = bytes.fromhex(salt) or os.urandom(SALT_BYTES)
        except (OSError, ValueError) as error:
            raise UnavailableError(f"{self._path} can't be read, so nobody can be kept out: {error}") from error
        self._secret = secret
        self._digests = set(digests)
        self._open(check)

    def __len__(self) -> int:
        return len(self._digests)

    def __contains__(self, key: Key) -> bool:
        return key.type in (USER_ID, ANONYMOUS_ID) and self._digest(key) in self._digests

    def add(self, keys: Iterable[Key]) -> None:
        """Suppress identifiers. Raises `UnavailableError` where the list can't be written."""
        self._write(self._digests | {self._digest(key) for key in keys if key.type in (USER_ID, ANONYMOUS_ID)})

    def remove(self, keys: Iterable[Key]) -> None:
        """Suppress identifiers no longer. Raises the errors of `add`."""
        self._write(self._digests - {self._digest(key) for key in keys})

    def filter(self, arrivals: Arrivals) -> None:
        """Empty what belongs to people on the list in a request's events. The log doesn't keep it, and treats it like
        others in everything that a sender notices: otherwise anybody could find out who is on the list."""
        for index, body in enumerate(arrivals.bodies):
            kept = arrivals.bodies[index] = self._matcher.redact(arrivals.source, body)
            if kept and kept != body:
                arrivals.redacted.add(index)
        arrivals.refused = [WITHHELD if self._names(arrivals.source, one.raw) else one for one in arrivals.refused]

    def _names(self, source: str, raw: bytes) -> bool:
        try:
            ids = msgspec.json.decode(raw, type=_Ids)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            return False
        told = ((USER_ID, ids.userId), (ANONYMOUS_ID, ids.anonymousId))
        space = source if self._per_source else ""
        return any(isinstance(id, str) and Key(type, id, space) in self for type, id in told)

    def _open(self, check: str) -> None:
        """Compare the check in the file's first line with the secret, and wrap a list that is not wrapped yet."""
        if check and not self._secret:
            raise UnavailableError(f"{self._path} can't be used without its secret: set suppression_secret_file")
        if check and not hmac.compare_digest(check, self._check()):
            raise UnavailableError(f"{self._path} was made with another secret than suppression_secret_file has")
        if self._secret and self._digests and not check:
            self._write({self._wrap(digest) for digest in self._digests})

    def _digest(self, key: Key) -> str:
        text = "\0".join(key).encode()
        digest = hashlib.blake2b(text, key=self._salt, digest_size=DIGEST_BYTES).hexdigest()
        return self._wrap(digest) if self._secret else digest

    def _wrap(self, digest: str) -> str:
        return hmac.digest(self._secret, bytes.fromhex(digest), hashlib.sha256)[:DIGEST_BYTES].hex()

    def _check(self) -> str:
        return WRAPPED + hmac.digest(self._secret, b"satsuma suppression list", hashlib.sha256)[:DIGEST_BYTES].hex()

    def _write(self, digests: set[str]) -> None:
        head = f"{self._salt.hex()} {self._check()}" if self._secret else self._salt.hex()
        lines = [head, *sorted(digests)]
        beside = self._path.with_suffix(".new")
        try:
            with beside.open("w", encoding="ascii") as file:
                file.write("\n".join(lines) + "\n")
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        except OSError as error:
            raise UnavailableError(f"{self._path} can't be written, so nobody was kept out: {error}") from error
        self._digests = digests


def read_secret(file: Path | None, data: Path) -> bytes:
    """Return the secret in a file; empty where there is no file.

    Raises:
        SettingsError: it can't be read, is too short, or lies in the data folder, beside the hashes.
    """
    if file is None:
        return b""
    make = f"make one with: openssl rand -hex 32 > {file}"
    try:
        secret = file.read_bytes().strip()
    except OSError as error:
        raise SettingsError(f"suppression_secret_file: {file} can't be read ({error.strerror}): {make}") from error
    if file.resolve().is_relative_to(data.resolve()):
        raise SettingsError(
            f"suppression_secret_file: {file} lies in the data folder, beside the list: put it elsewhere"
        )
    if len(secret) < SHORTEST_SECRET:
        raise SettingsError(f"suppression_secret_file: {file} has fewer than {SHORTEST_SECRET} bytes: {make}")
    return secret
