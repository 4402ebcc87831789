"""The suppression list: people whose events are not accepted any more.

The file has a hash of each identifier, as `hashed_ids` makes them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from satsuma_server.errors import SettingsError, UnavailableError
from satsuma_server.identity.identifiers import ANONYMOUS_ID, USER_ID, Key
from satsuma_server.identity.rules import Rules
from satsuma_server.log import WITHHELD, Arrivals

from .hashed_ids import Hashing, write_anew
from .person_matcher import PersonMatcher, ids_in

FILE = "suppressed.txt"
SHORTEST_SECRET = 32


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
            self._hashing = Hashing(head, secret, self._path)
        except (OSError, ValueError) as error:
            raise UnavailableError(f"{self._path} can't be read, so nobody can be kept out: {error}") from error
        self._digests = set(digests)
        if self._hashing.must_wrap and digests:
            self._write({self._hashing.wrap(digest) for digest in digests})

    def __len__(self) -> int:
        return len(self._digests)

    def __contains__(self, key: Key) -> bool:
        return key.type in (USER_ID, ANONYMOUS_ID) and self._hashing.digest(key) in self._digests

    def add(self, keys: Iterable[Key]) -> None:
        """Suppress identifiers. Raises `UnavailableError` where the list can't be written."""
        self._write(self._digests | {self._hashing.digest(key) for key in keys if key.type in (USER_ID, ANONYMOUS_ID)})

    def remove(self, keys: Iterable[Key]) -> None:
        """Suppress identifiers no longer. Raises the errors of `add`."""
        self._write(self._digests - {self._hashing.digest(key) for key in keys})

    def filter(self, arrivals: Arrivals) -> None:
        """Empty what belongs to people on the list in a request's events. The log doesn't keep it, and treats it like
        others in everything that a sender notices: otherwise anybody could find out who is on the list."""
        for index, body in enumerate(arrivals.bodies):
            kept = arrivals.bodies[index] = self._matcher.redact(arrivals.source, body)
            if kept and kept != body:
                arrivals.redacted.add(index)
        arrivals.refused = [WITHHELD if self._names(arrivals.source, one.raw) else one for one in arrivals.refused]

    def _names(self, source: str, raw: bytes) -> bool:
        return any(key in self for key in ids_in(raw, source if self._per_source else ""))

    def _write(self, digests: set[str]) -> None:
        lines = [self._hashing.head, *sorted(digests)]
        try:
            write_anew(self._path, "\n".join(lines) + "\n")
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
