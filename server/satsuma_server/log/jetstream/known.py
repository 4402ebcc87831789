"""What one collector knows of the log: which events are in it, and how far it goes."""

from __future__ import annotations

import asyncio
import base64
import logging
import secrets
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from satsuma_server.log.dedupe import MessageIds

from .connection import WRONG_LAST, Connection, RefusalError
from .messages import Index, keyed
from .reader import Message, Reader
from .subjects import LANES

SECRET_BYTES = 32
INDEXES_A_READ = 2_000
NEWEST_SECONDS = 1.0
"""How often the leader is asked how far the log goes. Collectors tell it sooner, but what they tell may be lost."""

logger = logging.getLogger("satsuma.log")


class Known:
    """The keys of the events in the window of time, and positions in the stream.

    Attributes:
        seen: the keys. Only committed ones are in it.
        positions: for each lane the seq of the newest index that was read; 0 where there is none.
        heard: for each lane the seq of the newest index that another collector told of.
        last: seq of the newest event.
        keys_of: makes keys of messages.
    """

    keys_of: Callable[[Iterable[tuple[str, ...]]], list[int]]

    def __init__(self, connection: Connection, reader: Reader, window: float) -> None:
        """Take the window in milliseconds."""
        self._connection = connection
        self._reader = reader
        self._window = window
        self._loading = asyncio.Lock()
        self._is_loaded = False
        self._more = asyncio.Event()
        self.seen = MessageIds(window)
        self.positions = [0] * LANES
        self.heard = [0] * LANES
        self.last = 0

    async def load(self) -> None:
        """Read the index of the window, once. Raises `UnavailableError`."""
        async with self._loading:
            if self._is_loaded:
                return
            self.keys_of = keyed(await self._secret())
            since: str | None = datetime.fromtimestamp(max(0, time.time() - self._window / 1000), UTC).isoformat()
            after = 0
            subjects = self._connection.subjects
            while found := await self._reader.scan(subjects.index, after, INDEXES_A_READ, since=since):
                for message in found:
                    self.take(int(message.subject.rpartition(".")[2]), message)
                after, since = found[-1].seq, None
            self._is_loaded = True

    async def catch_up(self, lane: int) -> set[str]:
        """Read what was committed to a lane since the last look; return the ids of the batches."""
        batches: set[str] = set()
        subject = self._connection.subjects.index_of(lane)
        while found := await self._reader.scan(subject, self.positions[lane], INDEXES_A_READ):
            for message in found:
                self.take(lane, message)
                batches.add(message.batch)
        if not batches and await self._connection.newest(subject) is None:
            # Retention has removed all of the lane's index. What comes meanwhile is noticed when a batch is refused.
            self.positions[lane] = 0
        return batches

    def take(self, lane: int, message: Message) -> None:
        """Remember the events of a batch by its index."""
        index = Index.decode(message.payload)
        self.seen.remember(index.keys, index.at)
        self.committed(lane, message.seq, message.seq + index.events if index.events else 0)

    def committed(self, lane: int, position: int, last: int) -> None:
        """Note a batch of a lane: the seq of its index, and of its last event; 0 where it has none."""
        self.positions[lane] = max(self.positions[lane], position)
        self.reaches(last)

    def reaches(self, last: int) -> None:
        """Note that the log has an event with this seq, and wake those who wait for it."""
        if last > self.last:
            self.last = last
            woken, self._more = self._more, asyncio.Event()
            woken.set()

    @property
    def more(self) -> asyncio.Event:
        """Set when `last` is no longer what it is now."""
        return self._more

    async def look(self) -> None:
        """Ask the leader for the newest event. Raises `UnavailableError`."""
        newest = await self._connection.newest(self._connection.subjects.events)
        if newest:
            self.reaches(newest["seq"])

    async def _secret(self) -> bytes:
        """Return the secret of the keys, which the first of all collectors makes."""
        subjects = self._connection.subjects
        made = secrets.token_bytes(SECRET_BYTES)
        try:
            first = {"Nats-Expected-Last-Subject-Sequence": "0"}
            await self._connection.publish(subjects.state("secret"), made.hex().encode(), first)
            return made
        except RefusalError as refusal:
            if refusal.code != WRONG_LAST:
                raise
        return await self._read_secret()

    async def _read_secret(self) -> bytes:
        subjects = self._connection.subjects
        newest = await self._connection.newest(subjects.state("secret"), subjects.state_stream)
        assert newest
        return bytes.fromhex(base64.b64decode(newest["data"]).decode())
