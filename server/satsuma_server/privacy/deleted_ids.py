"""The record of who was deleted, by which a deletion is repeated after an older backup was restored.

Each line has a time and the hash of an identifier, as the suppression list has them: nobody can read in it who that
was, but whoever meets the identifier again can tell.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable
from pathlib import Path

from satsuma.clock import iso_time

from satsuma_server.errors import UnavailableError
from satsuma_server.identity.identifiers import Key

from .hashed_ids import Hashing, write_anew

FILE = "deleted.txt"

LINE = re.compile(r"\S{1,40} [0-9a-f]{32}")
"""Others are what a crash has left of one."""


class DeletedIds:
    """One record.

    Attributes:
        lines: its lines, each with a time and a hash.
    """

    def __init__(self, path: Path, secret: bytes = b"") -> None:
        """Read a record, if it exists.

        Args:
            secret: what hashes are wrapped with, as those of the suppression list are.

        Raises:
            UnavailableError: it can't be read, or was wrapped with another secret.
        """
        self._path = path
        try:
            text = path.read_text("ascii") if path.exists() else ""
            head, *lines = text.splitlines() or [""]
            self._hashing = Hashing(head, secret, path)
        except (OSError, ValueError) as error:
            raise UnavailableError(f"{path} can't be read, so nobody knows who was deleted: {error}") from error
        self.lines = [line for line in lines if LINE.fullmatch(line)]
        if self._hashing.must_wrap:
            split = (line.split(" ") for line in self.lines)
            self.lines = [f"{at} {self._hashing.wrap(digest)}" for at, digest in split]
        self._is_stored = bool(text) and not self._hashing.must_wrap

    def save(self) -> None:
        """Write the record anew where its hashes were wrapped. Raises `UnavailableError` where it can't be written."""
        if self.lines and not self._is_stored:
            self.add(())

    def add(self, keys: Iterable[Key]) -> None:
        """Note that identifiers are being deleted. Raises `UnavailableError` where the record can't be written."""
        at = iso_time(time.time() * 1000)
        new = [f"{at} {self._hashing.digest(key)}" for key in sorted(keys)]
        try:
            if self._is_stored:
                self._append("".join(f"\n{line}" for line in new))
            else:
                write_anew(self._path, "\n".join([self._hashing.head, *self.lines, *new]))
        except OSError as error:
            raise UnavailableError(f"{self._path} can't be written, so nobody was deleted: {error}") from error
        self._is_stored = True
        self.lines += new

    def since(self, earlier: DeletedIds) -> frozenset[str]:
        """Return the hashes of the lines that an earlier state of this record doesn't have."""
        return frozenset(line.split(" ")[1] for line in {*self.lines}.difference(earlier.lines))

    def digest(self, key: Key) -> str:
        """Return an identifier's hash in this record."""
        return self._hashing.digest(key)

    def _append(self, text: str) -> None:
        # Each line begins with its line break, so that what a crash has left of a line spoils no other.
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
