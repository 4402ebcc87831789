"""The embedded log: one SQLite file with one writing thread.

An append is acknowledged when the commit that has it was synced to disk (WAL, synchronous=FULL).
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from satsuma_server.errors import BusyError, UnavailableError

from . import Arrivals, DeadLetter, Erased, EventMatcher, Lease, Stored
from .database import CLEAN, FILE, INSERT_LETTER, SAVE_HEARTBEAT, Block, letter_of, open_database, set_state
from .dedupe import KEYS_AN_EVENT, MOST, MessageIds
from .erasure import Erasure, compact, empty_wal
from .folder_lock import FolderLock
from .job_queue import Job, Task
from .maintenance import Upkeep
from .reader import Reader, off_loop
from .repetitions import keys_to_remember
from .writer import Outcome, Writer

FOLLOW_READ = 1_000
FOLLOW_BYTES = 8 << 20
MS_AN_HOUR = 3_600_000


class SqliteLog:
    """A log in the folder `data`. Use it from one event loop only."""

    lease: Lease | None = None

    def __init__(
        self,
        data: Path,
        *,
        dedupe_hours: float = 24,
        retention_days: float | None = None,
        max_pending: int = 50_000,
        max_pending_bytes: int = 64 << 20,
    ) -> None:
        """Open the log, or create its folder and file.

        Args:
            data: the folder.
            dedupe_hours: how long a messageId is remembered; at most 12 million are.
            retention_days: how long events are kept; None for ever.
            max_pending: the most events that may wait to be written.
            max_pending_bytes: the most bytes that may.

        Raises:
            UnavailableError: the file can't be opened or isn't a log, or another collector writes to it.
        """
        self._path = data / FILE
        self._limits = (max_pending, max_pending_bytes)
        self._pending, self._pending_bytes = 0, 0
        self._lock = FolderLock(data)
        try:
            writing = open_database(data)
            self._reader = Reader(data)
            last = self._reader.last()
            seen = _remembered(self._reader.connection, dedupe_hours * MS_AN_HOUR, last)
        except sqlite3.Error as error:
            self._lock.release()
            raise UnavailableError(f"the log {data / FILE} can't be read: {error}") from error
        except BaseException:
            self._lock.release()
            raise
        self._writing = writing
        self._loop: asyncio.AbstractEventLoop | None = None
        self._more = asyncio.Event()
        self.last = last
        self._writer = Writer(writing, seen, last, self._settle)
        retention = None if retention_days is None else retention_days * 24 * MS_AN_HOUR
        self._upkeep = Upkeep(data / FILE, self._writer, self._submit_task, retention)
        self._closed = False

    @property
    def pending(self) -> int:
        """How many events wait to be written."""
        return self._pending

    @property
    def filled(self) -> float:
        """The part of the disk that is taken, by whatever is on it."""
        usage = shutil.disk_usage(self._path.parent)
        return usage.used / usage.total

    async def ready(self) -> None: ...

    async def append(self, arrivals: Arrivals) -> int:
        count, size = arrivals.count(), arrivals.size()
        most, most_bytes = self._limits
        if self._pending + count > most or self._pending_bytes + size > most_bytes:
            raise BusyError("the log falls behind: try again in a second")
        self._pending += count
        self._pending_bytes += size
        try:
            return await self._submit(arrivals=arrivals)
        finally:
            self._pending -= count
            self._pending_bytes -= size

    async def check(self) -> None:
        await self._submit(task=lambda connection: connection.execute(SAVE_HEARTBEAT, (time.time(),)))

    async def cursor(self, name: str) -> int:
        return await self._reader.cursor(name)

    async def cursors(self) -> dict[str, int]:
        return await self._reader.cursors()

    async def save_cursor(self, name: str, seq: int) -> None:
        statement = "INSERT OR REPLACE INTO cursors VALUES (?, ?)"
        await self._submit(task=lambda connection: connection.execute(statement, (name, seq)))

    async def read(self, after: int = 0, limit: int = 1000, most_bytes: int | None = None) -> list[Stored]:
        return await self._reader.events(after, limit, most_bytes)

    async def pick(self, seqs: Sequence[int]) -> list[Stored]:
        return await self._reader.pick(seqs)

    async def follow(self, after: int = 0) -> AsyncIterator[list[Stored]]:
        self._loop = asyncio.get_running_loop()
        while True:
            # Asked before the read: events that arrive during the read are not in it, and must not be skipped.
            more, last = self._more, self.last
            found = await self.read(after, FOLLOW_READ, FOLLOW_BYTES)
            if found:
                after = found[-1].seq
                yield found
            elif after >= last:
                await more.wait()
            else:
                # Only a damaged block is there, which was logged when it was read.
                after = last

    async def dead_letters(self, after: int = 0, limit: int = 1000) -> list[DeadLetter]:
        return await self._reader.dead_letters(after, limit)

    async def set_aside(self, event: Stored, reason: str) -> None:
        letter = letter_of(event, reason, time.time() * 1000)
        await self._submit(task=lambda connection: connection.execute(INSERT_LETTER, letter))

    async def erase(self, matcher: EventMatcher) -> Erased:
        erasing = Erasure(self._path, matcher)
        # Everything that was appended before the check is written when the check is.
        await self.check()
        erasing.erased.last = self.last
        candidates = erasing.candidates()
        while (lasts := await off_loop(lambda: next(candidates, None))) is not None:
            await self._submit(task=erasing.rewrite(lasts))
        await self._submit(task=erasing.drop_refused)
        while await off_loop(erasing.has_free_pages):
            await self._submit(task=erasing.vacuum)
        await off_loop(lambda: empty_wal(self._path))
        return erasing.erased

    async def compact(self) -> None:
        def work() -> None:
            with self._writer.waiting():
                compact(self._path)
            empty_wal(self._path)

        await off_loop(work)

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._upkeep.close()
        self._writer.close()
        # A full disk is no reason to fail here. It only means that the next start checks the file for damage.
        with contextlib.suppress(sqlite3.Error):
            set_state(self._writing, CLEAN)
        self._reader.close()
        self._writing.close()
        self._lock.release()

    # Between the event loop and the writing thread

    async def _submit(self, arrivals: Arrivals | None = None, task: Task | None = None) -> int:
        if self._closed:
            raise UnavailableError("the log is closed")
        self._loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = self._loop.create_future()
        self._writer.put(Job(arrivals, task, future))
        return await future

    def _submit_task(self, task: Task) -> None:
        self._writer.put(Job(task=task))

    def _settle(self, jobs: list[Job], outcomes: list[Outcome], seq: int) -> None:
        # One call for a whole commit, because each call wakes the event loop.
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._tell, jobs, outcomes, seq)

    def _tell(self, jobs: list[Job], outcomes: list[Outcome], seq: int) -> None:
        for job, outcome in zip(jobs, outcomes, strict=True):
            if job.future is None or job.future.done():
                continue
            if isinstance(outcome, Exception):
                job.future.set_exception(outcome)
            else:
                job.future.set_result(outcome)
        if seq > self.last:
            self.last = seq
            woken, self._more = self._more, asyncio.Event()
            woken.set()


def _remembered(reader: sqlite3.Connection, window: float, last: int) -> MessageIds:
    """Return the messageIds of the deduplication window, read from the log."""
    seen = MessageIds(window)
    since = time.time() * 1000 - window
    columns = "last, first, received_at, sources, message_ids, 0, x''"
    query = f"SELECT {columns} FROM blocks WHERE received_at >= ? AND last > ? ORDER BY last"  # noqa: S608
    for row in reader.execute(query, (since, last - MOST // KEYS_AN_EVENT)):
        block = Block(*row)
        seen.remember(keys_to_remember([*block.ids()]), block.received_at)
    return seen
