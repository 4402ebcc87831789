"""Places where a log can be: the embedded one in a folder, and one on NATS. Tests of the contract run at each."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from nats_servers import Cluster
from satsuma_server.log import EventLog
from satsuma_server.log.jetstream.log import NatsLog
from satsuma_server.log.jetstream.options import NatsSettings
from satsuma_server.log.maintenance import trim
from satsuma_server.log.sqlite import SqliteLog

DAY = 86_400_000


class Place(Protocol):
    """What a test can do to a log from outside, the same for each kind.

    Attributes:
        has_many_writers: whether several collectors may write to the log at once.
    """

    has_many_writers: bool

    def open(self, **options: Any) -> EventLog:
        """Return the log of this place, as another process would open it."""
        ...

    async def fill_up(self, log: EventLog) -> None:
        """Leave no room for anything large."""
        ...

    async def make_room(self, log: EventLog) -> None:
        """Undo `fill_up`."""
        ...

    async def retain(self, log: EventLog, before: float) -> None:
        """Remove what was received before a time, in milliseconds, as retention does it."""
        ...

    def files_with(self, text: bytes) -> list[Path]:
        """Return the files of the log that have a text."""
        ...


class Embedded:
    """The log in one SQLite file."""

    has_many_writers = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self, **options: Any) -> SqliteLog:
        return SqliteLog(self._folder, **options)

    async def fill_up(self, log: EventLog) -> None:
        await self._limit(log, 1)  # SQLite makes it as many pages as there are.

    async def make_room(self, log: EventLog) -> None:
        await self._limit(log, 4_294_967_294)

    async def _limit(self, log: EventLog, pages: int) -> None:
        def task(connection: sqlite3.Connection) -> None:
            connection.execute(f"PRAGMA max_page_count={pages}").fetchall()

        assert isinstance(log, SqliteLog)
        await log._submit(task=task)

    async def retain(self, log: EventLog, before: float) -> None:
        assert isinstance(log, SqliteLog)
        await log._submit(task=trim(DAY, before + DAY))

    def files_with(self, text: bytes) -> list[Path]:
        return [file for file in self._folder.rglob("*") if file.is_file() and text in file.read_bytes()]


class OnNats:
    """A log in a stream of its own on servers that tests share."""

    has_many_writers = True

    def __init__(self, servers: Cluster, stream: str, replicas: int = 1) -> None:
        self._servers = servers
        self.options = NatsSettings(stream=stream, replicas=replicas, max_bytes=64 << 20)

    def open(self, **options: Any) -> NatsLog:
        return NatsLog(self._servers.url, self.options, **options)

    async def fill_up(self, log: EventLog) -> None:
        await self._limit(log, lambda state: state["bytes"] + 4_096)

    async def make_room(self, log: EventLog) -> None:
        await self._limit(log, lambda state: 64 << 20)

    async def _limit(self, log: EventLog, most: Callable[[dict[str, Any]], int]) -> None:
        assert isinstance(log, NatsLog)
        name = self.options.stream
        info = await log._connection.ask(f"STREAM.INFO.{name}", {})
        await log._connection.ask(f"STREAM.UPDATE.{name}", {**info["config"], "max_bytes": most(info["state"])})

    async def retain(self, log: EventLog, before: float) -> None:
        assert isinstance(log, NatsLog)
        await log._retention.trim(before)

    def files_with(self, text: bytes) -> list[Path]:
        return self._servers.holding(text)
