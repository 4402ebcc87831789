"""Opens a folder's warehouse without a collector, for the command line."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from satsuma_server.errors import UnavailableError
from satsuma_server.log.opening import open_for_reading
from satsuma_server.settings import Settings
from satsuma_server.warehouse import FILE, FOLDER, Answer, Status
from satsuma_server.warehouse.database import Database
from satsuma_server.warehouse.projection import WarehouseProjection

from .sql import Queries


@contextmanager
def opened(data: Path, memory: str) -> Iterator[Database]:
    """Open a folder's warehouse for reading.

    Raises:
        UnavailableError: there is none, or another process has it open.
    """
    if not (data / FOLDER / FILE).exists():
        raise UnavailableError(f"there is no warehouse in {data}: start the collector first, or name its --data")
    database = Database(data / FOLDER, memory=memory, read_only=True)
    try:
        yield database
    finally:
        database.close()


def ask(settings: Settings, sql: str, limit: int) -> Answer:
    """Return the result of a query. Raises the errors of `Warehouse.query` and of `opened`."""
    with opened(settings.data, settings.warehouse.memory) as database:
        return Queries(database, settings.warehouse.query_seconds).run(sql, limit)


def status(settings: Settings) -> Status:
    """Return the status of a folder's warehouse. Raises the errors of `opened`."""
    return asyncio.run(_with(settings, _nothing))


def rebuild(settings: Settings, *, even_without: bool) -> Status:
    """Build a folder's warehouse again from its log. Raises the errors of `WarehouseProjection.rebuild` and
    `opened`."""

    async def work(part: WarehouseProjection) -> None:
        await part.rebuild(even_without=even_without)
        await part.load_all()

    return asyncio.run(_with(settings, work))


def copy(settings: Settings, target: Path) -> None:
    """Copy a folder's warehouse. Raises `UnavailableError` where another process has it open."""
    database = Database(settings.data / FOLDER, memory=settings.warehouse.memory)
    try:
        database.copy().replace(target)
    finally:
        database.close()


def allow(settings: Settings, name: str) -> Status:
    """Let names come that are held. Raises the errors of `WarehouseProjection.allow` and `opened`."""
    return asyncio.run(_with(settings, lambda part: part.allow(name)))


def drop(settings: Settings, name: str) -> Status:
    """Remove a table or column for good. Raises the errors of `WarehouseProjection.drop` and `opened`."""
    return asyncio.run(_with(settings, lambda part: part.drop(name)))


async def _nothing(part: WarehouseProjection) -> None: ...


async def _with(settings: Settings, work: Callable[[WarehouseProjection], Awaitable[object]]) -> Status:
    """Do something with a folder's warehouse, and return its status."""
    log = open_for_reading(settings.data, settings.log, settings.nats)
    part = WarehouseProjection(settings, log)
    try:
        await work(part)
        return await part.status()
    finally:
        await part.stop()
        await log.close()
