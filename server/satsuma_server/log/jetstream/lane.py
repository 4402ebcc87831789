"""Writes the events of one lane, a batch at a time, each only where nobody else has written since the last look.

A batch is atomic: its first message is the index of the others, and asks the servers to take it all only if the lane's
newest index is still the one that this collector has read. So a collector always knows every event of a lane when it
adds to it, and two collectors can't both store the same one. A batch whose answer is lost is looked for in the index
before anything is sent again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
from collections import deque
from dataclasses import dataclass, field
from itertools import compress
from typing import Any

import nats.errors

from satsuma_server.errors import UnavailableError
from satsuma_server.log import Arrivals
from satsuma_server.log.repetitions import UNKNOWN, sort_out

from .connection import ANSWER_SECONDS, FULL, WRONG_LAST, Connection, RefusalError
from .known import Known
from .messages import Index, encode_event, encode_letter

MOST_MESSAGES = 990
"""The most messages of a batch beside its index; the servers take a thousand."""

MOST_BYTES = 4 << 20
"""Bytes after which a batch is large enough."""

PATIENCE_SECONDS = 12
"""How long an append is tried. The servers take 5 to 8 seconds for a new leader where one was killed."""

FIRST_WAIT, LONGEST_WAIT = 0.05, 1.0

logger = logging.getLogger("satsuma.log")


@dataclass(slots=True)
class Request:
    """What all parts of one append share: the first error."""

    error: UnavailableError | None = None


@dataclass(slots=True, eq=False)
class Job:
    """A part of an append, small enough for one batch.

    Attributes:
        future: gets the number of new events, or the error.
        until: when to give up, by the monotonic clock.
    """

    arrivals: Arrivals
    request: Request
    future: asyncio.Future[int]
    until: float

    @property
    def count(self) -> int:
        return len(self.arrivals.bodies) + len(self.arrivals.refused)

    @property
    def size(self) -> int:
        return sum(map(len, self.arrivals.bodies)) + sum(len(one.raw) for one in self.arrivals.refused)

    def settle(self, outcome: int | UnavailableError) -> None:
        if isinstance(outcome, UnavailableError):
            self.request.error = outcome
        if self.future.done():
            return
        if isinstance(outcome, UnavailableError):
            self.future.set_exception(outcome)
        else:
            self.future.set_result(outcome)


@dataclass(slots=True)
class Batch:
    """Jobs as they are sent: the messages, and how many events of each job are new.

    Attributes:
        events: how many of the messages are events that get a seq.
        keys: keys of all its events, also of those that may not be kept.
    """

    id: str
    counts: dict[Job, int] = field(default_factory=dict)
    messages: list[tuple[str, bytes]] = field(default_factory=list)
    events: int = 0
    keys: list[int] = field(default_factory=list)
    newest: float = 0.0
    must_write: bool = False


class Lane:
    """Jobs are stored in the order in which they are put."""

    def __init__(self, number: int, connection: Connection, known: Known, teller: str) -> None:
        """Take the lane's number and the name under which this collector tells others of what it committed."""
        self._number = number
        self._connection = connection
        self._known = known
        self._teller = teller
        self._jobs: deque[Job] = deque()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._is_stale = True
        self.trouble: UnavailableError | None = None

    def put(self, job: Job) -> None:
        """Add a job to those that wait."""
        self._jobs.append(job)
        self._wake.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"satsuma-lane-{self._number}")

    async def close(self) -> None:
        """Stop. Jobs that still wait are told that the log is closed."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        while self._jobs:
            self._jobs.popleft().settle(UnavailableError("the log is closed"))

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while jobs := self._gather():
                try:
                    await self._store_each(jobs)
                except asyncio.CancelledError:
                    self._fail(jobs, UnavailableError("the log is closed"))
                    raise

    async def _store_each(self, jobs: list[Job]) -> None:
        """Store jobs, without those that can't be written, which must not stop the others."""
        try:
            await self._store(jobs)
        except Exception:
            self._is_stale = True
            if len(jobs) > 1:
                for job in jobs:
                    await self._store_each([job])
                return
            logger.exception("what can't be written")
            self._fail(jobs, UnavailableError("the log can't write this"))

    def _gather(self) -> list[Job]:
        """Return the next jobs that fit into a batch."""
        jobs: list[Job] = []
        count = size = 0
        while self._jobs:
            job = self._jobs[0]
            if job.request.error is not None:
                self._jobs.popleft().settle(job.request.error)
                continue
            count += job.count
            size += job.size
            if jobs and (count > MOST_MESSAGES or size > MOST_BYTES):
                break
            jobs.append(self._jobs.popleft())
        return jobs

    async def _store(self, jobs: list[Job]) -> None:
        sent: list[Batch] = []
        wait = FIRST_WAIT
        while jobs:
            try:
                await self._known.load()
                if self._is_stale or self._known.heard[self._number] > self._known.positions[self._number]:
                    found = await self._known.catch_up(self._number)
                    self._is_stale = False
                    if (batch := next((one for one in sent if one.id in found), None)) is not None:
                        self._settle(batch, jobs)
                        return
                batch = self._batch(jobs)
                if batch.must_write:
                    sent.append(batch)
                    await self._send(batch)
                self._settle(batch, jobs)
                return
            except RefusalError as refusal:
                self._is_stale = True
                if refusal.code in FULL:
                    self._fail(jobs, UnavailableError(f"the log is full: {refusal}"))
                    return
                if refusal.code == WRONG_LAST:
                    jobs = self._overdue(jobs, UnavailableError("other collectors write too much: try again"))
                    continue
                error = UnavailableError(f"the log can't write: {refusal}")
            except UnavailableError as unavailable:
                self._is_stale = True
                error = unavailable
            self.trouble = error
            jobs = self._overdue(jobs, error)
            await asyncio.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)

    def _batch(self, jobs: list[Job]) -> Batch:
        """Sort out which events are new, and put these into messages."""
        every = [job.arrivals for job in jobs]
        for arrivals in every:
            # A key of what an event was before something was removed would tell who guesses it that the guess is right.
            for index in arrivals.redacted if arrivals.hashes else ():
                arrivals.hashes[index] = UNKNOWN
        fresh, keys = sort_out(every, self._known.seen, self._known.keys_of)
        batch = Batch(secrets.token_hex(8), keys=keys, must_write=bool(keys))
        subjects, letters, at = self._connection.subjects, list[tuple[str, bytes]](), 0
        for job in jobs:
            arrivals, count = job.arrivals, len(job.arrivals.bodies)
            new = [*compress(arrivals.bodies, fresh[at : at + count])]
            at += count
            batch.counts[job] = len(new)
            subject = subjects.event(self._number)
            batch.messages += [(subject, encode_event(arrivals.source, body)) for body in new if body]
            if new:
                batch.newest = max(batch.newest, arrivals.received_at)
            for refused in arrivals.refused:
                batch.must_write = True
                if refused.reason:
                    payload = encode_letter(arrivals.source, arrivals.received_at, refused)
                    letters.append((subjects.letter(self._number), payload))
        batch.events = len(batch.messages)
        batch.messages += letters
        return batch

    async def _send(self, batch: Batch) -> None:
        """Send a batch, and wait until a quorum of the servers has it on disk.

        Raises:
            RefusalError: nothing of it is stored.
            UnavailableError: nobody can tell whether it is.
        """
        client = await self._connection.client()
        index = Index(batch.events, batch.newest, batch.keys).encode()
        position = self._known.positions[self._number]
        messages = [(self._connection.subjects.index_of(self._number), index), *batch.messages]
        headers = {"Nats-Batch-Id": batch.id, "Nats-Expected-Last-Subject-Sequence": str(position)}
        try:
            for number, (subject, payload) in enumerate(messages, 1):
                headers["Nats-Batch-Sequence"] = str(number)
                if number == len(messages):
                    headers["Nats-Batch-Commit"] = "1"
                    answer = await client.request(subject, payload, timeout=ANSWER_SECONDS, headers=headers)
                else:
                    await client.publish(subject, payload, headers=headers)
                headers.pop("Nats-Expected-Last-Subject-Sequence", None)
            read: dict[str, Any] = json.loads(answer.data)
        except (TimeoutError, OSError, ValueError, nats.errors.Error) as error:
            raise UnavailableError(f"the log's servers don't answer: {str(error) or type(error).__name__}") from error
        if "error" in read:
            raise RefusalError(read["error"])
        if read.get("count") != len(messages):
            raise UnavailableError(
                "the log's servers have not stored a batch as a whole: they need to be 2.12 or newer"
            )
        self._committed(batch, read["seq"] - len(messages) + 1)
        told = {"by": self._teller, "lane": self._number, "index": read["seq"] - len(messages) + 1}
        try:
            await client.publish(
                self._connection.subjects.committed, json.dumps({**told, "last": self._known.last}).encode()
            )
        except (OSError, nats.errors.Error):
            logger.debug("nobody was told of a batch")  # Followers look by themselves a moment later.

    def _committed(self, batch: Batch, position: int) -> None:
        self._known.seen.remember(batch.keys, batch.newest)
        self._known.committed(self._number, position, position + batch.events if batch.events else 0)

    def _settle(self, batch: Batch, jobs: list[Job]) -> None:
        self.trouble = None
        for job in jobs:
            job.settle(batch.counts[job])

    def _fail(self, jobs: list[Job], error: UnavailableError) -> None:
        for job in jobs:
            job.settle(error)

    def _overdue(self, jobs: list[Job], error: UnavailableError) -> list[Job]:
        """Give up the jobs that have been tried for long enough; return the others."""
        now = time.monotonic()
        self._fail([job for job in jobs if job.until <= now], error)
        return [job for job in jobs if job.until > now]
