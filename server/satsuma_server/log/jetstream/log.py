"""The log on NATS JetStream, for collectors and followers on any number of machines."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import logging
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import nats.errors
from nats.aio.msg import Msg

from satsuma_server.errors import BusyError, UnavailableError
from satsuma_server.log import Arrivals, DeadLetter, Erased, EventMatcher, Lease, Refused, Stored
from satsuma_server.log.reader import MOST_PICKED, MOST_READ, within_bytes

from .connection import Connection, RefusalError
from .cursors import read_cursors
from .erasure import erase
from .known import NEWEST_SECONDS, Known
from .lane import MOST_MESSAGES, PATIENCE_SECONDS, Job, Lane, Request
from .lease import Lease as WorkerLease
from .messages import decode_event, decode_letter, encode_letter
from .options import NatsSettings
from .reader import Reader
from .retention import Retention
from .subjects import LANES, lane_of

FOLLOW_READ = 2_000
FOLLOW_BYTES = 8 << 20
MS_AN_HOUR = 3_600_000
CLOSE_SECONDS = 15

logger = logging.getLogger("satsuma.log")


class NatsLog:
    """A log in a stream that is kept on several servers. Use it from one event loop only.

    It connects at the first call, so it can be made while no server is there.
    """

    def __init__(
        self,
        url: str,
        options: NatsSettings,
        *,
        dedupe_hours: float = 24,
        retention_days: float | None = None,
        max_pending: int = 50_000,
        max_pending_bytes: int = 64 << 20,
    ) -> None:
        """Take the servers, the stream, and what `SqliteLog` takes. Raises `SettingsError` for a bad URL."""
        self._connection = Connection(url, options)
        self._reader = Reader(self._connection)
        self._known = Known(self._connection, self._reader, dedupe_hours * MS_AN_HOUR)
        self._retention = Retention(self._connection, self._reader, dedupe_hours * MS_AN_HOUR, retention_days)
        self._limits = (max_pending, max_pending_bytes)
        self._pending, self._pending_bytes = 0, 0
        self._name = secrets.token_hex(8)
        self._lanes = [Lane(number, self._connection, self._known, self._name) for number in range(LANES)]
        self._tasks: list[asyncio.Task[None]] = []
        self._closed = False
        self.lease: Lease | None = None

    def share(self, data: Path) -> None:
        """Have a lease for the worker of a data folder. Raises `UnavailableError` where the folder can't be written."""
        self.lease = WorkerLease(self._connection, data)

    @property
    def pending(self) -> int:
        """How many events wait to be written."""
        return self._pending

    @property
    def last(self) -> int:
        """Seq of the newest event that this process knows of; 0 before `ready`."""
        return self._known.last

    @property
    def filled(self) -> float:
        """The part of ``nats.max_bytes`` that is taken, as it was when retention looked."""
        return self._retention.filled

    async def ready(self) -> None:
        self._start()
        await self._listen()
        try:
            await self._known.look()
        except RefusalError as refusal:
            raise UnavailableError(f"the log can't be read: {refusal}") from None

    async def append(self, arrivals: Arrivals) -> int:
        self._check_open()
        count, size = arrivals.count(), arrivals.size()
        most, most_bytes = self._limits
        lane = self._lanes[lane_of(arrivals.source)]
        if self._pending + count > most or self._pending_bytes + size > most_bytes:
            # While the servers are away, a sender is told so, and not that it is too fast.
            raise lane.trouble or BusyError("the log falls behind: try again in a second")
        if not count:
            return 0
        self._pending += count
        self._pending_bytes += size
        try:
            return await self._put(lane, arrivals)
        finally:
            self._pending -= count
            self._pending_bytes -= size

    async def _put(self, lane: Lane, arrivals: Arrivals) -> int:
        loop, request = asyncio.get_running_loop(), Request()
        until = time.monotonic() + PATIENCE_SECONDS
        jobs = [Job(part, request, loop.create_future(), until) for part in _parts(arrivals)]
        for job in jobs:
            lane.put(job)
        self._start()
        outcomes = await asyncio.gather(*(job.future for job in jobs), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return sum(outcomes)  # type: ignore[arg-type]

    async def check(self) -> None:
        self._check_open()
        await self._tell(self._connection.subjects.heartbeat, b"", {"Nats-Rollup": "sub"})

    async def cursor(self, name: str) -> int:
        self._check_open()
        subjects = self._connection.subjects
        try:
            found = await self._connection.newest(subjects.cursor(name), subjects.state_stream)
        except RefusalError as refusal:
            raise UnavailableError(f"the log can't be read: {refusal}") from None
        return int(base64.b64decode(found["data"])) if found else 0

    async def cursors(self) -> dict[str, int]:
        self._check_open()
        try:
            return await read_cursors(self._connection)
        except RefusalError as refusal:
            raise UnavailableError(f"the log can't be read: {refusal}") from None

    async def save_cursor(self, name: str, seq: int) -> None:
        self._check_open()
        await self._tell(self._connection.subjects.cursor(name), str(seq).encode())

    async def read(self, after: int = 0, limit: int = 1000, most_bytes: int | None = None) -> list[Stored]:
        self._check_open()
        subject = self._connection.subjects.events
        found = await self._reader.scan(subject, after, min(limit, MOST_READ), most_bytes)
        events = [decode_event(message.seq, message.payload) for message in found]
        if events:
            self._known.reaches(events[-1].seq)
        return events if most_bytes is None else within_bytes(events, most_bytes)

    async def pick(self, seqs: Sequence[int]) -> list[Stored]:
        self._check_open()
        prefix = self._connection.subjects.events.rstrip("*")
        found = await self._reader.pick([seq for seq in sorted(set(seqs))[:MOST_PICKED] if seq > 0])
        return [decode_event(one.seq, one.payload) for one in found if one.subject.startswith(prefix)]

    async def follow(self, after: int = 0) -> AsyncIterator[list[Stored]]:
        # What is found tells how far it has come, and nothing else does: a server may be behind the others.
        await self._insist_on_listening()
        while True:
            more = self._known.more
            found = await self.read(after, FOLLOW_READ, FOLLOW_BYTES)
            if found:
                after = found[-1].seq
                yield found
            else:
                await more.wait()

    async def dead_letters(self, after: int = 0, limit: int = 1000) -> list[DeadLetter]:
        self._check_open()
        found = await self._reader.scan(self._connection.subjects.refused, after, min(limit, MOST_READ))
        return [decode_letter(message.seq, message.payload) for message in found]

    async def set_aside(self, event: Stored, reason: str) -> None:
        self._check_open()
        letter = encode_letter(event.source, time.time() * 1000, Refused(reason, event.body))
        await self._tell(self._connection.subjects.letter(lane_of(event.source)), letter)

    async def erase(self, matcher: EventMatcher) -> Erased:
        self._check_open()
        return await erase(self._connection, self._reader, matcher)

    async def compact(self) -> None:
        """Do nothing: a deleted message's bytes are overwritten when it is deleted."""

    async def close(self) -> None:
        if self._closed:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                while self._pending:
                    await asyncio.sleep(0.01)
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for lane in self._lanes:
            await lane.close()
        await self._connection.close()

    def _check_open(self) -> None:
        if self._closed:
            raise UnavailableError("the log is closed")

    async def _tell(self, subject: str, payload: bytes, headers: dict[str, str] | None = None) -> None:
        try:
            await self._connection.publish(subject, payload, headers)
        except RefusalError as refusal:
            raise UnavailableError(f"the log can't write: {refusal}") from None

    # What goes on beside the calls

    def _start(self) -> None:
        """Begin to listen and to keep the stream small, where this hasn't begun yet."""
        if not self._tasks:
            self._tasks = [
                asyncio.create_task(self._insist_on_listening(), name="satsuma-log-listen"),
                asyncio.create_task(self._retention.run(), name="satsuma-log-retention"),
            ]

    async def _insist_on_listening(self) -> None:
        while True:
            try:
                return await self._listen()
            except UnavailableError:
                await asyncio.sleep(NEWEST_SECONDS)

    async def _listen(self) -> None:
        """Hear what collectors tell, and ask the leader from time to time, since what is told may be lost."""
        if self._listening:
            return
        self._check_open()
        client = await self._connection.client()
        if self._listening:
            return
        self._listening = True
        await client.subscribe(self._connection.subjects.committed, cb=self._heard)
        self._tasks.append(asyncio.create_task(self._look_on(), name="satsuma-log-look"))

    _listening = False

    async def _heard(self, message: Msg) -> None:
        with contextlib.suppress(ValueError, KeyError, TypeError, IndexError):
            told = json.loads(message.data)
            if told["by"] != self._name:
                lane = int(told["lane"])
                self._known.heard[lane] = max(self._known.heard[lane], int(told["index"]))
            self._known.reaches(int(told["last"]))

    async def _look_on(self) -> None:
        while True:
            await asyncio.sleep(NEWEST_SECONDS)
            with contextlib.suppress(UnavailableError, RefusalError, nats.errors.Error):
                await self._known.look()


def _parts(arrivals: Arrivals) -> list[Arrivals]:
    """Return a request's events in parts that fit into a batch, in order."""
    count = len(arrivals.bodies)
    if count + len(arrivals.refused) <= MOST_MESSAGES:
        return [arrivals]
    parts = [
        replace(
            arrivals,
            message_ids=arrivals.message_ids[at : at + MOST_MESSAGES],
            bodies=arrivals.bodies[at : at + MOST_MESSAGES],
            hashes=arrivals.hashes[at : at + MOST_MESSAGES],
            redacted={index - at for index in arrivals.redacted if at <= index < at + MOST_MESSAGES},
            refused=[],
        )
        for at in range(0, count, MOST_MESSAGES)
    ]
    refused = arrivals.refused
    parts += [
        Arrivals(arrivals.source, arrivals.received_at, refused=refused[at : at + MOST_MESSAGES])
        for at in range(0, len(refused), MOST_MESSAGES)
    ]
    return parts
