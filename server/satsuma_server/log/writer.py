"""The log's writing thread, which writes many appends in one commit, with one sync to disk.

A sync takes milliseconds, however much it writes, so everything that arrives during one goes into the next.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress

from satsuma_server.errors import UnavailableError

from . import WITHHELD, Arrivals
from .database import INSERT_BLOCK, INSERT_LETTER, LONGEST_RAW, SAVE_HEARTBEAT, Block
from .dedupe import MessageIds
from .job_queue import Job, JobQueue
from .repetitions import UNKNOWN, sort_out

BLOCK_BYTES = 1 << 20
"""Bytes of events after which a new block begins."""

GROWTH = 4 << 20
"""Bytes of events, also of refused ones, after which a checkpoint is due. The disk writes them at once there, and
commits wait meanwhile, so that what one checkpoint has to write is kept small."""

logger = logging.getLogger("satsuma.log")

Outcome = int | UnavailableError
Settle = Callable[[list[Job], list[Outcome], int], None]


@dataclass(slots=True)
class _Commit:
    """Everything that one commit adds.

    Attributes:
        withheld: whether something of it may not be kept. Something else is written then, since otherwise its sender
            would be answered sooner than others, and could tell that somebody is on the suppression list.
    """

    seq: int
    newest: float = 0.0
    sources: list[tuple[str, int]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    size: int = 0
    blocks: list[Block] = field(default_factory=list)
    withheld: bool = False

    def add(self, source: str, at: float, ids: Sequence[str], hashes: Sequence[str], lines: Sequence[bytes]) -> None:
        self.sources.append((source, len(lines)))
        self.newest = max(self.newest, at)
        self.ids += ids
        self.hashes += hashes
        self.lines += lines
        self.size += sum(map(len, lines))
        if self.size >= BLOCK_BYTES:
            self.cut()

    def cut(self) -> None:
        if not self.lines:
            return
        self.blocks.append(Block.of(self.seq + 1, self.newest, self.sources, self.ids, self.hashes, self.lines))
        self.seq = self.blocks[-1].last
        self.sources, self.ids, self.hashes, self.lines, self.size = [], [], [], [], 0


class Writer:
    """Writes jobs, as `JobQueue` gives them.

    Attributes:
        has_grown: set where so much has been written that there should be a checkpoint.
    """

    def __init__(self, connection: sqlite3.Connection, seen: MessageIds, seq: int, settle: Settle) -> None:
        """Take the connection, which nobody else may use from now on.

        Args:
            connection: a connection to the log.
            seen: messageIds whose events are not kept again.
            seq: the seq of the newest event.
            settle: called from the writing thread after each commit, with its jobs, their outcomes and the newest seq.
        """
        self._connection = connection
        self._seen = seen
        self._seq = seq
        self._settle = settle
        self.has_grown = threading.Event()
        self._grown_bytes = 0
        self._finishes = False
        self._at_work = threading.Lock()
        self._jobs = JobQueue()
        self._thread = threading.Thread(target=self._write_on, name="satsuma-log", daemon=True)
        self._thread.start()

    def put(self, job: Job) -> None:
        """Add a job to those that wait to be written."""
        self._jobs.put(job)

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Hold all jobs back for the duration of this context."""
        with self._at_work:
            yield

    def finish_checkpoint(self) -> None:
        """Have a checkpoint reach the end of the write-ahead log, after the commit that comes next or is under way.

        Only between two commits does nobody add to it. The commit after that begins at its beginning, unless somebody
        is reading in it then.
        """
        self._finishes = True

    def close(self) -> None:
        """Write the jobs that wait, then stop."""
        self._jobs.close()
        self._thread.join()

    def _write_on(self) -> None:
        while jobs := self._jobs.take():
            with self._at_work:
                self._commit(jobs)
                if self._finishes:
                    self._finishes = False
                    with contextlib.suppress(sqlite3.Error):
                        self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def _commit(self, jobs: list[Job]) -> None:
        outcomes: list[Outcome]
        try:
            outcomes = [*self._write(jobs)]
        except sqlite3.Error as error:
            self._roll_back()
            outcomes = [UnavailableError(f"the log can't write: {error}") for _ in jobs]
        except Exception:
            # A job that fails must not stop the other jobs or this thread.
            self._roll_back()
            if len(jobs) > 1:
                for job in jobs:
                    self._commit([job])
                return
            logger.exception("what can't be written")
            outcomes = [UnavailableError("the log can't write this")]
        self._settle(jobs, outcomes, self._seq)

    def _roll_back(self) -> None:
        # Where the disk fails, the rollback may fail too. The start of the next transaction then reports it.
        with contextlib.suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _write(self, jobs: list[Job]) -> list[int]:
        fresh, keys = sort_out([job.arrivals for job in jobs if job.arrivals], self._seen)
        commit = _Commit(self._seq)
        counts, at = [], 0
        for job in jobs:
            counts.append(self._take(commit, job.arrivals, fresh[at : at + job.events]) if job.arrivals else 0)
            at += job.events
        commit.cut()
        self._execute(jobs, commit)
        self._note_growth(sum(len(block.body) for block in commit.blocks) + sum(map(_letter_bytes, jobs)))
        self._seq = commit.seq
        self._seen.remember(keys, commit.newest)
        return counts

    def _note_growth(self, size: int) -> None:
        self._grown_bytes += size
        if self._grown_bytes >= GROWTH:
            self._grown_bytes = 0
            self.has_grown.set()

    @staticmethod
    def _take(commit: _Commit, arrivals: Arrivals, fresh: list[bool]) -> int:
        ids, lines = arrivals.message_ids, arrivals.bodies
        hashes = arrivals.hashes or [UNKNOWN] * len(ids)
        if arrivals.redacted:
            hashes = [UNKNOWN if index in arrivals.redacted else one for index, one in enumerate(hashes)]
        if not all(fresh):
            ids, hashes, lines = [*compress(ids, fresh)], [*compress(hashes, fresh)], [*compress(lines, fresh)]
        count = len(lines)
        if not all(lines):
            commit.withheld = True
            ids, hashes, lines = [*compress(ids, lines)], [*compress(hashes, lines)], [*filter(None, lines)]
        if lines:
            commit.add(arrivals.source, arrivals.received_at, ids, hashes, lines)
        return count

    def _execute(self, jobs: list[Job], commit: _Commit) -> None:
        execute = self._connection.execute
        more = commit.withheld or any(job.task or (job.arrivals and job.arrivals.refused) for job in jobs)
        if len(commit.blocks) <= 1 and not more:
            # A single statement is a transaction by itself, and each further statement may have to wait for the GIL.
            for block in commit.blocks:
                execute(INSERT_BLOCK, block)
            return
        execute("BEGIN IMMEDIATE")
        for block in commit.blocks:
            execute(INSERT_BLOCK, block)
        if commit.withheld or any(job.arrivals and WITHHELD in job.arrivals.refused for job in jobs):
            execute(SAVE_HEARTBEAT, (time.time(),))
        for job in jobs:
            if job.arrivals and job.arrivals.refused:
                self._keep_refused(job.arrivals)
            if job.task:
                job.task(self._connection)
        execute("COMMIT")

    def _keep_refused(self, arrivals: Arrivals) -> None:
        kept = (one for one in arrivals.refused if one.reason)
        rows = ((arrivals.source, reason, arrivals.received_at, raw[:LONGEST_RAW]) for reason, raw in kept)
        self._connection.executemany(INSERT_LETTER, rows)


def _letter_bytes(job: Job) -> int:
    """Return how many bytes are kept of a job's refused events."""
    refused = job.arrivals.refused if job.arrivals else ()
    return sum(len(one.reason) + min(len(one.raw), LONGEST_RAW) for one in refused)
