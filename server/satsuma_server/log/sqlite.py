"""The embedded log: one SQLite file, one writing thread, many appends a commit.

An append is acknowledged when the commit that holds it has been synced (WAL, synchronous=FULL). A sync takes
milliseconds whatever it holds, so everything that arrives during one goes into the next.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from satsuma_server.errors import BusyError, UnavailableError
from satsuma_server.log import Entry, Refused, Stored

SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, received_at REAL NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS seen (
    source TEXT NOT NULL, message_id TEXT NOT NULL, received_at REAL NOT NULL,
    PRIMARY KEY (source, message_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seen_by_time ON seen (received_at);
CREATE TABLE IF NOT EXISTS refused (
    id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, reason TEXT NOT NULL, received_at REAL NOT NULL,
    raw BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS heartbeat (id INTEGER PRIMARY KEY CHECK (id = 1), at REAL NOT NULL);
"""

MAX_EVENTS_A_COMMIT = 5000
MAX_READ = 10_000
"""Most events that one read returns."""


@dataclass(slots=True)
class _Job:
    entries: Sequence[Entry]
    refused: Sequence[Refused]
    done: Callable[[int | Exception], None]
    size: int


class SqliteLog:
    """A log in the folder `data`. Use from one event loop."""

    def __init__(self, data: Path, *, dedupe_hours: float = 24, max_pending: int = 20_000) -> None:
        """Open the log, making folder and file where they are missing.

        Raises:
            UnavailableError: the file can't be opened or isn't a log.
        """
        self._path = data / "events.sqlite3"
        self._dedupe_ms = dedupe_hours * 3_600_000
        self._max_pending = max_pending
        self._pending = 0
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        try:
            data.mkdir(parents=True, exist_ok=True)
            self._writer = self._connect()
            self._writer.executescript(SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise UnavailableError(f"the log {self._path} can't be opened: {error}") from error
        self._reader = self._connect()
        self._reading = threading.Lock()
        self._thread = threading.Thread(target=self._write_on, name="satsuma-log", daemon=True)
        self._thread.start()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=10)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        return connection

    async def append(self, entries: Sequence[Entry], refused: Sequence[Refused] = ()) -> int:
        size = len(entries) + len(refused)
        if self._pending + size > self._max_pending:
            raise BusyError("the log falls behind: try again in a second")
        return await self._submit(entries, refused, size)

    async def check(self) -> None:
        await self._submit((), (), 0)

    async def _submit(self, entries: Sequence[Entry], refused: Sequence[Refused], size: int) -> int:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = loop.create_future()

        def done(outcome: int | Exception) -> None:
            loop.call_soon_threadsafe(self._settle, future, outcome, size)

        self._pending += size
        self._jobs.put(_Job(entries, refused, done, size))
        return await future

    def _settle(self, future: asyncio.Future[int], outcome: int | Exception, size: int) -> None:
        self._pending -= size
        if future.cancelled():
            return
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)

    async def read(self, after: int = 0, limit: int = 1000) -> list[Stored]:
        return await asyncio.to_thread(self._read, after, min(limit, MAX_READ))

    def _read(self, after: int, limit: int) -> list[Stored]:
        query = "SELECT seq, source, body FROM events WHERE seq > ? ORDER BY seq LIMIT ?"
        with self._reading:
            return [Stored(*row) for row in self._reader.execute(query, (after, limit))]

    async def close(self) -> None:
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)
        self._reader.close()
        self._writer.close()

    # The writing thread

    def _write_on(self) -> None:
        while (job := self._jobs.get()) is not None:
            jobs = [job]
            last = self._gather(jobs)
            self._commit(jobs)
            if last:
                return

    def _gather(self, jobs: list[_Job]) -> bool:
        """Add what else waits; tell whether the log is to be closed after it."""
        size = jobs[0].size
        while size < MAX_EVENTS_A_COMMIT:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return False
            if job is None:
                return True
            jobs.append(job)
            size += job.size
        return False

    def _commit(self, jobs: list[_Job]) -> None:
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            counts = [self._write(job) for job in jobs]
            self._writer.execute("COMMIT")
        except sqlite3.Error as error:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            failure = UnavailableError(f"the log can't write: {error}")
            for job in jobs:
                job.done(failure)
            return
        for job, count in zip(jobs, counts, strict=True):
            job.done(count)

    def _write(self, job: _Job) -> int:
        new = 0
        for entry in job.entries:
            key = (entry.source, entry.message_id, entry.received_at)
            if not self._writer.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", key).rowcount:
                continue
            row = (entry.source, entry.received_at, entry.body)
            self._writer.execute("INSERT INTO events (source, received_at, body) VALUES (?, ?, ?)", row)
            new += 1
        for one in job.refused:
            fault = (one.source, one.reason, one.received_at, one.raw)
            self._writer.execute("INSERT INTO refused (source, reason, received_at, raw) VALUES (?, ?, ?, ?)", fault)
        if job.entries:
            self._forget(job.entries[-1].received_at)
        elif not job.refused:
            self._writer.execute("INSERT OR REPLACE INTO heartbeat VALUES (1, julianday('now'))")
        return new

    def _forget(self, now: float) -> None:
        # A few at each write: never a long pause, and always more than come in.
        oldest = now - self._dedupe_ms
        old = "SELECT source, message_id FROM seen WHERE received_at < ? ORDER BY received_at LIMIT 200"
        self._writer.execute(f"DELETE FROM seen WHERE (source, message_id) IN ({old})", (oldest,))  # noqa: S608
