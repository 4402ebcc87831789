"""The suppression list: people whose events are not accepted any more."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from satsuma_server.errors import UnavailableError
from satsuma_server.identity.identifiers import ANONYMOUS_ID, USER_ID, Key
from satsuma_server.identity.rules import Rules
from satsuma_server.log import WITHHELD, Arrivals

from .person_matcher import PersonMatcher

FILE = "suppressed.txt"
SALT_BYTES = 16
DIGEST_BYTES = 16


class _Ids(msgspec.Struct):
    userId: Any = None  # noqa: N815
    anonymousId: Any = None  # noqa: N815


class Suppressed:
    """The suppression list in the data folder. It has salted hashes, so that nobody can read identifiers in it."""

    def __init__(self, data: Path, rules: Rules) -> None:
        """Read the list in the folder `data`, if it exists. Raises `UnavailableError` where it can't be read."""
        self._path = data / FILE
        self._per_source = rules.per_source
        self._matcher = PersonMatcher(rules, self.__contains__)
        try:
            lines = self._path.read_text("ascii").split() if self._path.exists() else []
            self._salt = bytes.fromhex(lines[0]) if lines else os.urandom(SALT_BYTES)
        except (OSError, ValueError) as error:
            raise UnavailableError(f"{self._path} can't be read, so nobody can be kept out: {error}") from error
        self._digests = set(lines[1:])

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

    def _digest(self, key: Key) -> str:
        text = "\0".join(key).encode()
        return hashlib.blake2b(text, key=self._salt, digest_size=DIGEST_BYTES).hexdigest()

    def _write(self, digests: set[str]) -> None:
        lines = [self._salt.hex(), *sorted(digests)]
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
