"""The SQLite file of requests that ask destinations to delete people.

It is a file of its own, because it alone has to keep the identifiers of people who are deleted here: until a
destination has acknowledged that it deletes them, too. A request that is done is kept as evidence, without the person.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from satsuma_server.errors import UnavailableError

from . import DeletedPerson, DeletionCounts, DeletionRequest, Outcome
from .database import Database

FILE = "deletions.sqlite3"

MOST_OPEN = 100_000
"""How many requests of one destination may wait or have failed. No further person can be deleted then."""

MOST_DONE = 10_000
"""How many requests of one destination that are done are kept: the newest."""

TABLES = """
CREATE TABLE IF NOT EXISTS deletions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, destination TEXT NOT NULL, key TEXT NOT NULL, person TEXT,
    state TEXT NOT NULL DEFAULT 'waiting', asked_at INTEGER NOT NULL, ended_at INTEGER,
    tries INTEGER NOT NULL DEFAULT 0, status INTEGER, reason TEXT NOT NULL DEFAULT '', answer TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS deletions_by_state ON deletions (destination, state, id);
"""

STEPS = (TABLES,)
"""What makes each version of the file from the one before; see `schema_version.migrate`."""

COLUMNS = "id, key, state, asked_at, ended_at, tries, status, reason, answer"

Ids = tuple[tuple[str, ...], tuple[str, ...]]


class DeletionStore:
    """One SQLite file. It may be used from any thread. All methods raise `UnavailableError` where it can't be used."""

    def __init__(self, data: Path) -> None:
        """Open the file in the folder `data`, or create it."""
        self._database = Database(data / FILE, STEPS)
        self._run, self._transaction = self._database.run, self._database.transaction

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def ask(self, destinations: Iterable[str], user_ids: Sequence[str], anonymous_ids: Sequence[str]) -> None:
        """Have destinations delete a person. A request about the same identifiers that waits already stays as it is.

        Raises:
            UnavailableError: also where too many requests wait or have failed. None was added then.
        """
        person = msgspec.json.encode((sorted(user_ids), sorted(anonymous_ids))).decode()
        now = int(time.time() * 1000)
        with self._transaction() as run:
            for name in destinations:
                self._check_room(run, name)
                run(
                    "INSERT INTO deletions (destination, key, person, asked_at) SELECT ?, ?, ?, ? WHERE NOT EXISTS ("
                    "SELECT 1 FROM deletions WHERE destination = ? AND state = 'waiting' AND person = ?)",
                    (name, f"deletion_{uuid.uuid4()}", person, now, name, person),
                )

    def waiting(self, name: str, limit: int) -> list[tuple[int, DeletedPerson]]:
        """Return the people whom a destination is still to delete, the oldest first, with the ids of the requests."""
        rows = self._run(
            "SELECT id, key, person, asked_at FROM deletions WHERE destination = ? AND state = 'waiting' "
            "ORDER BY id LIMIT ?",
            name,
            limit,
        )
        found = []
        for id, key, person, at in rows:
            users, devices = msgspec.json.decode(person, type=Ids)
            found.append((id, DeletedPerson(key, users, devices, at)))
        return found

    def end(self, name: str, id: int, tries: int, outcome: Outcome, *, is_done: bool) -> None:
        """Note that a request was acknowledged, or is set aside. Of one that is done, the person is removed."""
        state = "done" if is_done else "failed"
        told = (state, int(time.time() * 1000), tries, outcome.status, outcome.reason, outcome.answer, is_done, id)
        with self._transaction() as run:
            run(
                "UPDATE deletions SET state = ?, ended_at = ?, tries = tries + ?, status = ?, reason = ?, answer = ?, "
                "person = iif(?, NULL, person) WHERE id = ?",
                told,
            )
            run(
                "DELETE FROM deletions WHERE id IN (SELECT id FROM deletions WHERE destination = ? AND state = 'done' "
                "ORDER BY id DESC LIMIT -1 OFFSET ?)",
                (name, MOST_DONE),
            )
        if is_done:
            self._database.clean()

    def resend(self, name: str) -> int:
        """Have failed requests of a destination sent again; return how many there are."""
        statement = "UPDATE deletions SET state = 'waiting' WHERE destination = ? AND state = 'failed' RETURNING id"
        return len(self._run(statement, name))

    def requests(self, name: str, limit: int) -> list[DeletionRequest]:
        """Return requests of a destination, the newest first."""
        statement = f"SELECT {COLUMNS} FROM deletions WHERE destination = ? ORDER BY id DESC LIMIT ?"  # noqa: S608
        names = COLUMNS.split(", ")
        rows = self._run(statement, name, limit)
        return [msgspec.convert(dict(zip(names, row, strict=True)), DeletionRequest) for row in rows]

    def counts(self, name: str) -> DeletionCounts:
        """Return how many requests of a destination are in each state."""
        rows = self._run("SELECT state, count(*) FROM deletions WHERE destination = ? GROUP BY state", name)
        return DeletionCounts(**dict(rows))

    def expire(self, before: int) -> int:
        """Remove requests that were done, or set aside, before a time in milliseconds since 1970; return how many."""
        return len(self._run("DELETE FROM deletions WHERE ended_at < ? AND state != 'waiting' RETURNING id", before))

    def clean(self) -> None:
        """Remove what was deleted from the files as well."""
        self._database.clean()

    def _check_room(self, run: Any, name: str) -> None:
        counted = "SELECT count(*) FROM deletions WHERE destination = ? AND state IN ('waiting', 'failed')"
        if run(counted, (name,)).fetchone()[0] >= MOST_OPEN:
            raise UnavailableError(
                f"{name} has {MOST_OPEN} people still to delete: see why with satsuma destinations deletions {name}"
            )
