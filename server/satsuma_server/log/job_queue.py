"""What waits for the log's writing thread, in the order in which it is to be written.

Each commit takes requests from all sources in turn, so that a source which sends more than can be written makes only
itself wait. The requests of one source keep their order.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from . import Arrivals

MOST_EVENTS = 10_000
"""How many events a commit has before it takes no more requests."""

MOST_BYTES = 2 << 20
"""How many bytes of events a commit has before it takes no more requests. Writing so much takes tens of milliseconds,
and what arrives meanwhile has to wait."""

TURN_EVENTS, TURN_BYTES = 500, 64 << 10
"""After how many events, or bytes of them, it is another source's turn."""

Task = Callable[[sqlite3.Connection], object]


@dataclass(slots=True)
class Job:
    """Something to write, with the future of the caller that waits for it.

    Attributes:
        task: something else to do within the same commit.
        future: gets the number of new events, or the error.
    """

    arrivals: Arrivals | None = None
    task: Task | None = None
    future: asyncio.Future[int] | None = None

    @property
    def events(self) -> int:
        """How many events it has."""
        return len(self.arrivals.bodies) if self.arrivals else 0

    @property
    def bytes(self) -> int:
        """How many bytes there are to write."""
        return self.arrivals.size() if self.arrivals else 0


@dataclass(slots=True)
class JobQueue:
    """Jobs of any threads for one writing thread, which alone may call `take`."""

    _arriving: queue.SimpleQueue[Job | None] = field(default_factory=queue.SimpleQueue)
    _waiting: dict[str, deque[Job]] = field(default_factory=dict)
    _task: Job | None = None
    _closed: bool = False

    def put(self, job: Job) -> None:
        """Add a job."""
        self._arriving.put(job)

    def close(self) -> None:
        """Let `take` return nothing once all jobs are done."""
        self._arriving.put(None)

    def take(self) -> list[Job]:
        """Wait for a job, and return the jobs of the next commit; nothing once the queue is closed and empty."""
        self._collect()
        jobs, events, size = list[Job](), 0, 0
        while self._waiting and events < MOST_EVENTS and size < MOST_BYTES:
            turn, of_turn, size_of_turn = self._next_turn()
            jobs += turn
            events += of_turn
            size += size_of_turn
        if self._task and not self._waiting:
            jobs.append(self._task)
            self._task = None
        return jobs

    def _next_turn(self) -> tuple[list[Job], int, int]:
        """Remove and return the jobs of the next source's turn (many small ones, or a large one), with how many events
        and bytes they have."""
        source = next(iter(self._waiting))
        waiting = self._waiting.pop(source)
        turn, events, size = list[Job](), 0, 0
        while waiting and events < TURN_EVENTS and size < TURN_BYTES:
            turn.append(waiting.popleft())
            events += turn[-1].events
            size += turn[-1].bytes
        if waiting:
            self._waiting[source] = waiting  # It is the last one now.
        return turn, events, size

    def _collect(self) -> None:
        """Sort what has arrived by source, up to a task: it comes after everything that arrived before it."""
        while not self._task and not self._closed:
            try:
                job = self._arriving.get(block=not self._waiting)
            except queue.Empty:
                return
            if job is None:
                self._closed = True
            elif job.arrivals:
                self._waiting.setdefault(job.arrivals.source, deque()).append(job)
            else:
                self._task = job
