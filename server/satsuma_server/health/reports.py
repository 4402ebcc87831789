"""Keeps the newest report and the scores of all earlier ones, in a SQLite file of the data folder."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from satsuma_server.audit import Example, Finding, Report, Severity
from satsuma_server.schema_version import migrate
from satsuma_server.times import parse_time

FILE = "health.sqlite3"
TABLES = """
CREATE TABLE IF NOT EXISTS report (id INTEGER PRIMARY KEY CHECK (id = 1), last INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS scores (
    made_at TEXT PRIMARY KEY, score INTEGER NOT NULL, wrong INTEGER NOT NULL, hints INTEGER NOT NULL,
    events INTEGER NOT NULL) WITHOUT ROWID;
"""

STEPS = (TABLES,)
"""What makes each version of the file from the one before; see `schema_version.migrate`."""

MOST_SCORES = 10_000
"""Scores that are kept; one an hour lasts for more than a year."""


class Score(NamedTuple):
    """The outcome of one audit.

    Attributes:
        made_at: ISO 8601 time in UTC.
        score: from 0 to 100.
        wrong, hints: how many findings of these severities there were.
        events: how many events were read.
    """

    made_at: str
    score: int
    wrong: int
    hints: int
    events: int


class Reports:
    """One SQLite file. It may be used from any thread.

    Attributes:
        newest: the newest report that can still be read; None before the first audit.
        last: seq of the newest event of the log when that report was made; 0 before the first audit.
    """

    def __init__(self, data: Path) -> None:
        """Open the file in the folder `data`, or create it."""
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(data / FILE, isolation_level=None, check_same_thread=False, timeout=10)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        # What is deleted of a person must not be found in the file afterwards.
        self._connection.execute("PRAGMA secure_delete=ON")
        migrate(self._connection, STEPS, f"{data / FILE}")
        self.newest, self.last = self._read()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def keep(self, report: Report, last: int) -> None:
        """Keep a report in place of the one before, and add its score."""
        counts = report.counts()
        score = Score(report.made_at, report.score, counts[Severity.WRONG], counts[Severity.HINT], report.input.events)
        with self._lock:
            self._replace(report, last)
            self._connection.execute("INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?, ?)", score)
            self._connection.execute(
                "DELETE FROM scores WHERE made_at <= "
                "(SELECT made_at FROM scores ORDER BY made_at DESC LIMIT 1 OFFSET ?)",
                (MOST_SCORES,),
            )
        self.newest, self.last = report, last

    def scores(self, most: int) -> list[Score]:
        """Return the newest scores, the oldest of them first."""
        with self._lock:
            rows = self._connection.execute("SELECT * FROM scores ORDER BY made_at DESC LIMIT ?", (most,)).fetchall()
        return [Score(*row) for row in reversed(rows)]

    def forget(self, people: Collection[str]) -> int:
        """Remove examples, and pages of findings, that have any of these ids in them; return how many there were."""
        if self.newest is None or not people:
            return 0
        ids = re.compile("|".join(rf"(?<!\w){re.escape(person)}(?!\w)" for person in people))
        findings = [_without(one, ids) for one in self.newest.findings]
        gone = _count(self.newest.findings) - _count(findings)
        if gone:
            report = msgspec.structs.replace(self.newest, findings=findings)
            with self._lock:
                self._replace(report, self.last)
                # Until then the older report stays in the write-ahead file.
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self.newest = report
        return gone

    def expire(self, before: float) -> int:
        """Remove the report with its examples, where it was made before a time, in milliseconds since 1970; return how
        many reports there were. Scores stay."""
        if self.newest is None or (parse_time(self.newest.made_at) or 0.0) >= before:
            return 0
        with self._lock:
            self._connection.execute("DELETE FROM report")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.newest, self.last = None, 0
        return 1

    def _replace(self, report: Report, last: int) -> None:
        self._connection.execute("INSERT OR REPLACE INTO report VALUES (1, ?, ?)", (last, msgspec.json.encode(report)))

    def _read(self) -> tuple[Report | None, int]:
        row = self._connection.execute("SELECT last, body FROM report").fetchone()
        try:
            return (msgspec.json.decode(row[1], type=Report), int(row[0])) if row else (None, 0)
        except msgspec.MsgspecError:
            # Another version has written it. The next audit replaces it.
            return None, 0


def _without(finding: Finding, ids: re.Pattern[str]) -> Finding:
    return msgspec.structs.replace(
        finding,
        examples=[one for one in finding.examples if not _has(one, ids)],
        parts=[one for one in finding.parts if not ids.search(one.value)],
    )


def _has(example: Example, ids: re.Pattern[str]) -> bool:
    return any(map(ids.search, (example.person, example.message_id, example.name, example.detail)))


def _count(findings: Sequence[Finding]) -> int:
    return sum(len(one.examples) + len(one.parts) for one in findings)
