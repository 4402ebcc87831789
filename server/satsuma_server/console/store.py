"""The console's own SQLite file: counts of events by time, and the sessions that were ended."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from satsuma_server.schema_version import migrate

FILE = "console.sqlite3"
CURSOR = "console"
"""Name of the console's cursor in the log."""

TABLES = """
CREATE TABLE IF NOT EXISTS volume (
    width INTEGER NOT NULL, at INTEGER NOT NULL, source TEXT NOT NULL, type TEXT NOT NULL, events INTEGER NOT NULL,
    PRIMARY KEY (width, at, source, type)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS progress (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS ended (session TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID;
"""

STEPS = (TABLES,)
"""What makes each version of the file from the one before; see `schema_version.migrate`."""

MINUTE, HOUR = 60, 3600
"""Lengths, in seconds, of the intervals for which events are counted."""

KEPT = {MINUTE: 2 * 86_400, HOUR: 400 * 86_400}
"""For each length of interval, how many seconds its counts are kept."""

MOST_SOURCES = 200
OTHERS = "(others)"

type Counts = dict[tuple[int, int, str, str], int]
"""Numbers of events by length of interval, its start in seconds since 1970, source and type."""


class Store:
    """One SQLite file. It may be used from any thread."""

    def __init__(self, data: Path) -> None:
        """Open the file in the folder `data`, or create it."""
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(data / FILE, isolation_level=None, check_same_thread=False, timeout=10)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        migrate(self._connection, STEPS, f"{data / FILE}")
        self._ended = {row[0] for row in self._connection.execute("SELECT session FROM ended")}
        self._sources = {row[0] for row in self._connection.execute("SELECT DISTINCT source FROM volume")}

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def counted(self) -> int:
        """Return the seq up to which events are counted."""
        with self._lock:
            row = self._connection.execute("SELECT seq FROM progress").fetchone()
        return int(row[0]) if row else 0

    def count(self, counts: Counts, seq: int) -> None:
        """Add counts of events and save `seq`, up to which they are counted, in one transaction."""
        rows = [(width, at, self._known(source), kind, n) for (width, at, source, kind), n in counts.items()]
        add = """INSERT INTO volume VALUES (?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET events = events + excluded.events"""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.executemany(add, rows)
                self._connection.execute("INSERT OR REPLACE INTO progress VALUES (1, ?)", (seq,))
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise

    def volume(self, width: int, since: int) -> list[tuple[int, str, str, int]]:
        """Return start, source, type and number of events for each interval of a length, from the time `since` on."""
        query = "SELECT at, source, type, events FROM volume WHERE width = ? AND at >= ? ORDER BY at"
        with self._lock:
            return self._connection.execute(query, (width, since)).fetchall()

    def trim(self) -> None:
        """Remove what is older than it may be kept."""
        now = int(time.time())
        with self._lock:
            for width, seconds in KEPT.items():
                self._connection.execute("DELETE FROM volume WHERE width = ? AND at < ?", (width, now - seconds))
            gone = self._connection.execute("DELETE FROM ended WHERE until < ? RETURNING session", (now,)).fetchall()
        self._ended -= {row[0] for row in gone}

    def end(self, session: str, until: int) -> None:
        """Remember that a session was ended."""
        with self._lock:
            self._connection.execute("INSERT OR REPLACE INTO ended VALUES (?, ?)", (session, until))
        self._ended.add(session)

    def is_ended(self, session: str) -> bool:
        """Tell whether a session was ended."""
        return session in self._ended

    def sources(self) -> Iterable[str]:
        """Return the sources whose events were counted."""
        return sorted(self._sources)

    def _known(self, source: str) -> str:
        # Otherwise anybody could fill the file with rows by inventing write keys, where a collector accepts any.
        if source not in self._sources and len(self._sources) >= MOST_SOURCES:
            return OTHERS
        self._sources.add(source)
        return source
