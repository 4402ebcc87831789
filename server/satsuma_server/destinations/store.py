"""The SQLite file of all destinations: cursors, counts, failed messages, and links that a destination was told.

The cursors are not in the log, because the log keeps all events that a follower hasn't read: a destination that was
taken out of the settings, or is paused, must not keep them beyond the time of retention.

No event is in this file, and ids of people are only there as hashes. Answers of destinations may have more; `forget`
removes those about a person.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import msgspec

from . import Counts, Failed
from .database import Database
from .lane import Dead

FILE = "destinations.sqlite3"
MOST_FAILED = 10_000
"""How many failed messages of one destination are kept: the newest. Their events stay in the log in any case."""

MOST_EXPIRED = 1_000
"""How many old messages are removed in one transaction."""

MOST_PAIRED = 200
"""Of how many ids of a person the links between any two are looked for."""

TABLES = """
CREATE TABLE IF NOT EXISTS destinations (
    name TEXT PRIMARY KEY, cursor INTEGER NOT NULL, paused INTEGER NOT NULL DEFAULT 0, delivered_at INTEGER,
    delivered INTEGER NOT NULL DEFAULT 0, retried INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0,
    skipped INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS failed (
    id INTEGER PRIMARY KEY AUTOINCREMENT, destination TEXT NOT NULL, seq INTEGER NOT NULL, key TEXT NOT NULL,
    reason TEXT NOT NULL, status INTEGER, answer TEXT NOT NULL, tries INTEGER NOT NULL, at INTEGER NOT NULL,
    resending INTEGER NOT NULL DEFAULT 0);
CREATE UNIQUE INDEX IF NOT EXISTS failed_by_key ON failed (destination, seq, key);
CREATE INDEX IF NOT EXISTS failed_resending ON failed (destination, id) WHERE resending;
CREATE TABLE IF NOT EXISTS failed_people (
    person BLOB NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (person, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS failed_people_by_id ON failed_people (id);
CREATE TABLE IF NOT EXISTS links (
    destination TEXT NOT NULL, link BLOB NOT NULL, PRIMARY KEY (destination, link)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS linked_people (
    person BLOB NOT NULL, link BLOB NOT NULL, PRIMARY KEY (person, link)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS linked_people_by_link ON linked_people (link);
CREATE INDEX IF NOT EXISTS links_by_link ON links (link);
"""

STEPS = (TABLES,)
"""What makes each version of the file from the one before; see `schema_version.migrate`."""

FAILED_COLUMNS = "id, seq, key, reason, status, answer, tries, at, resending"


class State(msgspec.Struct, frozen=True):
    """What is stored of one destination."""

    cursor: int
    paused: bool
    delivered_at: int | None
    counts: Counts


class Progress(msgspec.Struct):
    """What one round of work has changed; it is stored in one transaction, or not at all.

    Attributes:
        cursor: the new one; None where it stays.
        counts: to be added.
        dead: messages that are set aside.
        links: hashes of links that the destination was told, each with the ids that it links.
        done: ids of failed messages that are not failed any more.
    """

    cursor: int | None = None
    counts: Counts = msgspec.field(default_factory=Counts)
    dead: list[Dead] = []
    links: dict[bytes, tuple[str, ...]] = msgspec.field(default_factory=dict)
    done: list[int] = []


class Store:
    """One SQLite file. It may be used from any thread. All methods raise `UnavailableError` where it can't be used."""

    def __init__(self, data: Path) -> None:
        """Open the file in the folder `data`, or create it."""
        self._database = Database(data / FILE, STEPS)
        self._run, self._transaction = self._database.run, self._database.transaction

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def add(self, name: str, cursor: int) -> None:
        """Make a destination's state, where there is none yet."""
        self._run("INSERT OR IGNORE INTO destinations (name, cursor) VALUES (?, ?)", name, cursor)

    def state(self, name: str) -> State:
        """Return a destination's state."""
        cursor, paused, at, *counts = self._run(
            "SELECT cursor, paused, delivered_at, delivered, retried, failed, skipped FROM destinations WHERE name = ?",
            name,
        )[0]
        return State(cursor, bool(paused), at, Counts(*counts))

    def pause(self, name: str, paused: bool) -> None:
        """Remember whether a destination is paused."""
        self._run("UPDATE destinations SET paused = ? WHERE name = ?", paused, name)

    def move(self, name: str, cursor: int) -> None:
        """Set a destination's cursor."""
        self._run("UPDATE destinations SET cursor = ? WHERE name = ?", cursor, name)

    def save(self, name: str, progress: Progress) -> None:
        """Store what a round of work has changed."""
        counts = progress.counts
        now = _now()
        with self._transaction() as run:
            run(
                "UPDATE destinations SET cursor = coalesce(?, cursor), delivered = delivered + ?, retried = retried + ?"
                ", failed = failed + ?, skipped = skipped + ?, delivered_at = iif(?, ?, delivered_at) WHERE name = ?",
                (
                    progress.cursor,
                    counts.delivered,
                    counts.retried,
                    counts.failed,
                    counts.skipped,
                    counts.delivered > 0,
                    now,
                    name,
                ),
            )
            for id in progress.done:
                _remove(run, id)
            for one in progress.dead:
                self._set_aside(run, name, one, now)
            for link, ids in progress.links.items():
                run("INSERT OR IGNORE INTO links VALUES (?, ?)", (name, link))
                for person in ids:
                    run("INSERT OR IGNORE INTO linked_people VALUES (?, ?)", (digest(person), link))
            self._trim(run, name)

    def failed(self, name: str, limit: int, before: int | None = None) -> list[Failed]:
        """Return failed messages, the newest first, with ids below `before`."""
        rows = self._run(
            f"SELECT {FAILED_COLUMNS} FROM failed WHERE destination = ? AND id < ? ORDER BY id DESC LIMIT ?",  # noqa: S608
            name,
            1 << 62 if before is None else before,
            limit,
        )
        return [_failed(row) for row in rows]

    def count_failed(self, name: str) -> int:
        """Return how many failed messages of a destination are kept."""
        return int(self._run("SELECT count(*) FROM failed WHERE destination = ?", name)[0][0])

    def resend(self, name: str, ids: Sequence[int] | None) -> int:
        """Mark failed messages to be sent again, all of them where `ids` is None; return how many there are."""
        where, values = ("", ()) if ids is None else (" AND id IN (SELECT value FROM json_each(?))", (_json(ids),))
        statement = f"UPDATE failed SET resending = 1 WHERE destination = ?{where} RETURNING id"  # noqa: S608
        return len(self._run(statement, name, *values))

    def resending(self, name: str, limit: int) -> list[Failed]:
        """Return messages that are to be sent again, the oldest first."""
        rows = self._run(
            f"SELECT {FAILED_COLUMNS} FROM failed WHERE destination = ? AND resending ORDER BY seq, id LIMIT ?",  # noqa: S608
            name,
            limit,
        )
        return [_failed(row) for row in rows]

    def gone(self, ids: Iterable[int], reason: str) -> None:
        """Note that failed messages can't be sent again."""
        with self._transaction() as run:
            for id in ids:
                run("UPDATE failed SET resending = 0, reason = ? WHERE id = ?", (reason, id))

    def knows(self, name: str, link: bytes) -> bool:
        """Tell whether a destination was told a link."""
        return bool(self._run("SELECT 1 FROM links WHERE destination = ? AND link = ?", name, link))

    def forget(self, ids: Iterable[str]) -> int:
        """Remove what is kept about people, also from the file: their failed messages, and the hashes of their links.
        Return how many failed messages there were."""
        people = [*ids]
        count, links = 0, 0
        with self._transaction() as run:
            for name in people:
                for (id,) in run("SELECT id FROM failed_people WHERE person = ?", (digest(name),)).fetchall():
                    count += _remove(run, id)
                for (link,) in run("SELECT link FROM linked_people WHERE person = ?", (digest(name),)).fetchall():
                    links += _remove_link(run, link)
            links += sum(_remove_link(run, link) for link in _links_of(people))
        if count or links:
            self.clean()
        return count

    def expire(self, before: int) -> int:
        """Remove some of the messages that failed before a time, in milliseconds since 1970; return how many there
        were. Those that are being sent again stay."""
        with self._transaction() as run:
            found = "SELECT id FROM failed WHERE at < ? AND NOT resending LIMIT ?"
            return sum(_remove(run, id) for (id,) in run(found, (before, MOST_EXPIRED)).fetchall())

    def clean(self) -> None:
        """Remove what was deleted from the files as well."""
        self._database.clean()

    def _set_aside(self, run: Any, name: str, one: Dead, now: int) -> None:
        message, outcome = one.message, one.outcome
        id = run(
            "INSERT INTO failed (destination, seq, key, reason, status, answer, tries, at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (destination, seq, key) DO UPDATE SET resending = 0, "
            "reason = excluded.reason, status = excluded.status, answer = excluded.answer, at = excluded.at, "
            "tries = tries + excluded.tries RETURNING id",
            (
                name,
                message.seq,
                message.key,
                outcome.reason,
                outcome.status,
                outcome.answer,
                one.tries,
                now,
            ),
        ).fetchone()[0]
        for person in message.names:
            run("INSERT OR IGNORE INTO failed_people VALUES (?, ?)", (digest(person), id))

    def _trim(self, run: Any, name: str) -> None:
        old = run(
            "SELECT id FROM failed WHERE destination = ? ORDER BY id DESC LIMIT -1 OFFSET ?", (name, MOST_FAILED)
        ).fetchall()
        for (id,) in old:
            _remove(run, id)


def digest(text: str) -> bytes:
    """Return a hash of an id, by which it is found again, and which doesn't say it."""
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest()


def link_digest(ids: Sequence[str]) -> bytes:
    """Return a hash of ids that a destination was told to be the same person."""
    return digest("\0".join(ids))


def _links_of(people: Sequence[str]) -> Iterator[bytes]:
    """Yield the hashes of all links between these ids: a file of an earlier version doesn't say whose a link is."""
    some = people[:MOST_PAIRED]
    return (link_digest(pair) for pair in permutations(some, 2))


def _remove_link(run: Any, link: bytes) -> int:
    run("DELETE FROM linked_people WHERE link = ?", (link,))
    return int(run("DELETE FROM links WHERE link = ?", (link,)).rowcount)


def _remove(run: Any, id: int) -> int:
    run("DELETE FROM failed_people WHERE id = ?", (id,))
    return int(run("DELETE FROM failed WHERE id = ?", (id,)).rowcount)


def _failed(row: Sequence[Any]) -> Failed:
    names = FAILED_COLUMNS.split(", ")
    return msgspec.convert({**dict(zip(names, row, strict=True)), "resending": bool(row[-1])}, Failed)


def _json(values: Sequence[int]) -> str:
    return msgspec.json.encode(list(values)).decode()


def _now() -> int:
    return int(time.time() * 1000)
