"""The audit log: who read, exported, deleted and undid what, and who logged in.

Each entry is one line of JSON in a file of mode 0600 that is only appended to. Both processes write to it. When the
file is full, it takes the place of the one before, so that the newest entries are kept and the disk isn't filled.

A person is named by a keyed hash alone: otherwise the log would keep the ids of people who were deleted. The key is
derived from the token in the settings, so that whoever has that token can ask for a person's entries.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

FILE, BEFORE = "audit-log.ndjson", "audit-log.before.ndjson"
MOST_BYTES = 16 << 20
"""The most bytes of each of the two files."""

LONGEST_LINE = 4 << 10
"""The most bytes of an entry. None is nearly so long, since all of its parts are bounded."""

HASH_BYTES = 16

logger = logging.getLogger("satsuma.access")


class Entry(msgspec.Struct, omit_defaults=True):
    """One entry.

    Attributes:
        at: when, in UTC.
        token: the name of the token.
        action: ``read``, ``export``, ``delete``, ``undo``, ``sql``, ``load``, ``rebuild``, ``log in`` or ``log out``.
        route: method and path, with ``{person}`` in place of a person's id.
        address: the IP address that the request came from.
        person: the hash of the person's id; empty where the request is about nobody in particular.
        refused: whether the token didn't have the scope.
    """

    at: datetime
    token: str
    action: str
    route: str
    address: str = ""
    person: str = ""
    refused: bool = False


class AuditLog:
    """The audit log in one data folder."""

    def __init__(self, data: Path, token: str, most_bytes: int = MOST_BYTES) -> None:
        """Take the folder, and the token in the settings."""
        self._file, self._before = data / FILE, data / BEFORE
        self._key = hmac.digest(token.encode(), b"satsuma audit log", hashlib.sha256)
        self._most = most_bytes

    def hash_of(self, person: str) -> str:
        """Return the hash by which entries name a person, given as ``TYPE:ID``."""
        return hmac.digest(self._key, person.encode(errors="replace"), hashlib.sha256)[:HASH_BYTES].hex()

    def note(
        self, token: str, action: str, route: str, address: str = "", *, person: str = "", refused: bool = False
    ) -> None:
        """Add an entry. Where the disk is full, this is told in the process's log, and the request goes on."""
        named = self.hash_of(person) if person else ""
        entry = Entry(datetime.now(UTC), token, action, route, address[:64], named, refused)
        line = msgspec.json.encode(entry) + b"\n"
        try:
            with self._opened() as descriptor:
                os.write(descriptor, line[:LONGEST_LINE])
        except OSError as error:
            logger.error("an entry of the audit log could not be written", extra={"error": str(error)})

    def newest(self, most: int, person: str = "") -> list[bytes]:
        """Return the newest entries as lines, the oldest of them first; only those about a person where one is given.

        Raises:
            OSError: a file can't be read.
        """
        wanted = f'"person":"{self.hash_of(person)}"'.encode() if person else b""
        lines = [
            line
            for file in (self._before, self._file)
            if file.exists()
            for line in file.read_bytes().splitlines(keepends=True)
            if wanted in line
        ]
        return lines[-most:] if most else []

    @contextmanager
    def _opened(self) -> Iterator[int]:
        """Yield a descriptor to append to, after making room where the file is full. One process at a time."""
        descriptor = self._open()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            while not self._is_current(descriptor):
                # The other process has made room meanwhile.
                os.close(descriptor)
                descriptor = self._open()
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_size >= self._most:
                self._file.replace(self._before)
                os.close(descriptor)
                descriptor = self._open()
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)

    def _open(self) -> int:
        return os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _is_current(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self._file.stat())
        except FileNotFoundError:
            return False
