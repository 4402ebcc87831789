"""Salted hashes of identifiers, for files that must not say whom they are about.

A file of them has the salt in its first line. Whoever can read it could try out identifiers, since the salt is there,
too. So each hash can be wrapped in another one, whose key, the secret, lies elsewhere:
``HMAC(secret, hash(salt, identifier))``. Hashes that were made without a secret are wrapped as they are, since nobody
knows the identifiers any more. The first line then also has a check of the secret, because with another one no hash
would ever be found again.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path

from satsuma_server.errors import UnavailableError
from satsuma_server.identity.identifiers import Key

SALT_BYTES = 16
DIGEST_BYTES = 16
WRAPPED = "hmac-sha256:"
"""What comes before the check of the secret in the first line of a wrapped file."""


class Hashing:
    """How the identifiers of one file are hashed.

    Attributes:
        must_wrap: whether the file's hashes have to be wrapped first.
    """

    def __init__(self, head: str, secret: bytes, path: Path) -> None:
        """Read the first line of a file; of an empty one, a new salt is made.

        Args:
            secret: what hashes are wrapped with; empty for files that are not wrapped.
            path: the file, for messages.

        Raises:
            UnavailableError: the hashes were wrapped with another secret.
            ValueError: it is no first line of ours.
        """
        salt, _, check = head.partition(" ")
        self._salt = bytes.fromhex(salt) or os.urandom(SALT_BYTES)
        self._secret = secret
        if check and not secret:
            raise UnavailableError(f"{path} can't be used without its secret: set suppression_secret_file")
        if check and not hmac.compare_digest(check, self._check()):
            raise UnavailableError(f"{path} was made with another secret than suppression_secret_file has")
        self.must_wrap = bool(secret) and not check

    @property
    def head(self) -> str:
        """The first line of the file."""
        return f"{self._salt.hex()} {self._check()}" if self._secret else self._salt.hex()

    def digest(self, key: Key) -> str:
        """Return the hash of an identifier."""
        text = "\0".join(key).encode(errors="replace")
        digest = hashlib.blake2b(text, key=self._salt, digest_size=DIGEST_BYTES).hexdigest()
        return self.wrap(digest) if self._secret else digest

    def wrap(self, digest: str) -> str:
        """Wrap a hash that was made without the secret."""
        return hmac.digest(self._secret, bytes.fromhex(digest), hashlib.sha256)[:DIGEST_BYTES].hex()

    def _check(self) -> str:
        return WRAPPED + hmac.digest(self._secret, b"satsuma suppression list", hashlib.sha256)[:DIGEST_BYTES].hex()


def write_anew(path: Path, text: str) -> None:
    """Put a text in place of a file of hashes, durably: after a crash it is the old one or the new one, and whole.
    Raises `OSError`."""
    beside = path.with_suffix(".new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    beside.replace(path)
