"""The warehouse as a projection: it follows the log and answers queries, in the second process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import duckdb
from starlette.routing import BaseRoute

from satsuma_server.backoff import Backoff
from satsuma_server.errors import BadRequestError, UnavailableError
from satsuma_server.log import ReadableLog, Stored
from satsuma_server.log.poison_events import Sieve
from satsuma_server.run_to_completion import run_to_completion
from satsuma_server.settings import Settings

from . import CURSOR, EMBEDDED, FOLDER, Answer, Notice, Status, Table
from .database import Database
from .fair_lock import FairLock
from .load.forget import forget
from .load.loader import EXPIRE_COPY, REWRITE, Loader
from .load.replace import replace_tables
from .query.browse import list_tables, read_rows
from .query.sql import Queries
from .routes import Routes
from .schema.catalog import OTHERS
from .schema.new_names import Rate
from .schema.pinned_types import PinnedTypes

if TYPE_CHECKING:
    import pyarrow as pa

    from .export.dlt_export import DltExport

MOST_EVENTS = 20_000
MOST_BYTES = 48 << 20
"""The most events and bytes of one batch. More would take more memory and gain little speed."""

PORTIONS_A_TURN = 64
"""The most batches that are loaded before the cursor is saved in the log. Other work that waits for the file gets its
turn after one batch."""

MS_A_DAY = 86_400_000

NOT_WHOLE = (
    "the log no longer has the first events of the tables, which would lose them: ask again with --even-without "
    "(?even_without=1) where that is meant"
)

logger = logging.getLogger("satsuma.warehouse")


class WarehouseProjection:
    """Implements `Warehouse` over a DuckDB file in the collector's folder."""

    def __init__(self, settings: Settings, log: ReadableLog) -> None:
        """Open the file.

        Raises:
            UnavailableError: it can't be opened.
            PlanError: a tracking plan can't be read.
        """
        self._settings = settings
        self._log = log
        self._database = Database(settings.data / FOLDER, memory=settings.warehouse.memory)
        self._loader = Loader(self._database, self._label, PinnedTypes.of(settings), _rate(settings))
        self._queries = Queries(self._database, settings.warehouse.query_seconds)
        self._mirror = _make_export(settings, self._database)
        self._sieve = Sieve(log, CURSOR, self._take, self._skip)
        self._problems: dict[str, str] = {}
        self._wake = asyncio.Event()
        self._turns = FairLock()
        self._tasks: list[asyncio.Task[None]] = []

    def routes(self) -> Sequence[BaseRoute]:
        """Return the routes below ``/v1/sql`` and ``/v1/warehouse``."""
        return Routes(self._settings, self).routes()

    async def start(self) -> None:
        """Begin to follow the log."""
        works = [self.load_all] if self._mirror is None else [self.load_all, self._copy]
        self._tasks = [asyncio.create_task(self._keep_on(work), name="satsuma-warehouse") for work in works]

    async def stop(self) -> None:
        """Finish the current batch, then stop."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        async with self._turns.take():
            await asyncio.to_thread(self._close)

    async def tables(self) -> list[Table]:
        return await asyncio.to_thread(list_tables, self._database)

    async def rows(self, schema: str, table: str, *, limit: int = 100, offset: int = 0) -> Answer:
        return await asyncio.to_thread(read_rows, self._database, self._queries, schema, table, limit, offset)

    async def query(self, sql: str, *, limit: int = 1000) -> Answer:
        return await asyncio.to_thread(self._queries.run, sql, limit)

    async def forget(self, user_ids: Iterable[str], anonymous_ids: Iterable[str], source: str = "") -> int:
        async with self._turns.take():
            return await asyncio.to_thread(self._forget, list(user_ids), list(anonymous_ids), source)

    async def expire(self, before: float) -> int:
        """Delete the rows of events that were received before a time, also from the files on disk and from the copy.

        This is done in portions, between which loading goes on. Questions wait while the file is written anew.

        Args:
            before: the time, in milliseconds since 1970.

        Returns:
            how many rows there were.

        Raises:
            UnavailableError: the destination of the copy doesn't answer. Here, the rows are gone.
        """
        count = 0
        while removed := await self._expire_some(before):
            count += removed
        if await asyncio.to_thread(self._loader.is_due, REWRITE):
            async with self._turns.take():
                await asyncio.to_thread(self._rewrite)
        if self._mirror is not None and await asyncio.to_thread(self._loader.is_due, EXPIRE_COPY):
            await asyncio.to_thread(self._mirror.expire, before)
            await asyncio.to_thread(self._loader.set_due, EXPIRE_COPY, False)
        return count

    async def note_deleted(self) -> None:
        """Have the file written anew by the next `expire`, because rows of a person are not in its tables any more."""
        async with self._turns.take():
            await asyncio.to_thread(self._loader.set_due, REWRITE, True)

    async def replace_tables(self, schema: str, tables: Mapping[str, pa.Table]) -> None:
        async with self._turns.take():
            await asyncio.to_thread(replace_tables, self._database, self._loader.catalog, schema, tables)

    async def status(self) -> Status:
        newest = await asyncio.to_thread(lambda: self._log.last)
        notices, copied = await asyncio.to_thread(self._look)
        return Status(
            destination=self._settings.warehouse.destination,
            cursor=self._loader.cursor,
            lag=max(0, newest - self._loader.cursor),
            loaded_at=self._loader.loaded_at,
            copied=copied,
            problem="; ".join(self._problems.values()) or None,
            notices=notices,
            held=self._loader.held(),
        )

    async def copy(self) -> None:
        """Copy the file beside it, for a backup. Questions wait meanwhile. Raises the errors of `Database.copy`."""
        async with self._turns.take():
            await asyncio.to_thread(self._database.copy)

    async def load_all(self) -> None:
        """Load everything that the log has now."""
        while await self._load_some():
            pass

    async def rebuild(self, *, even_without: bool = False) -> None:
        """Empty the tables and load them again from the log.

        Args:
            even_without: rebuild even where the log no longer has the oldest events of the tables, which are then lost.

        Raises:
            BadRequestError: the log no longer has them, and `even_without` is false.
        """
        if (days := self._settings.warehouse_retention_days) is not None:
            # Rows that would go today anyway, as their events have from the log, are no reason to refuse.
            while await self._expire_some(time.time() * 1000 - days * MS_A_DAY):
                pass
        async with self._turns.take():
            first = await self._log.read(0, 1)
            oldest = await asyncio.to_thread(self._loader.oldest)
            if not even_without and oldest is not None and (not first or first[0].seq > oldest):
                raise BadRequestError(NOT_WHOLE)
            await asyncio.to_thread(self._start_over)
        self._wake.set()

    async def allow(self, name: str) -> list[str]:
        """Let names come that are held. Raises the errors of `Loader.allow`."""
        async with self._turns.take():
            return await asyncio.to_thread(self._loader.allow, name)

    async def drop(self, name: str) -> None:
        """Remove a table or column for good. Raises the errors of `Loader.drop`."""
        async with self._turns.take():
            await asyncio.to_thread(self._loader.drop, name)

    async def _expire_some(self, before: float) -> int:
        async with self._turns.take():
            return await run_to_completion(partial(self._loader.expire, before))

    def _rewrite(self) -> None:
        self._database.rewrite()
        self._loader.set_due(REWRITE, False)

    async def _keep_on(self, work: Callable[[], Awaitable[None]]) -> None:
        backoff, name = Backoff(), work.__name__
        while True:
            try:
                await work()
            except Exception as error:
                # For example a full disk, or a destination that can't be reached. The events that wait are safe in the
                # log.
                logger.exception("the warehouse can't go on; trying again")
                self._problems[name] = str(error) or repr(error)
                await backoff.wait()
                continue
            self._problems.pop(name, None)
            backoff.reset()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._settings.warehouse.seconds)
            self._wake.clear()

    async def _copy(self) -> None:
        assert self._mirror is not None
        await asyncio.to_thread(self._mirror.copy)

    async def _load_some(self) -> bool:
        """Load some batches, building each while the one before is inserted; tell whether there were any."""
        async with self._turns.take():
            try:
                return await self._load_portions()
            except BaseException as error:
                await run_to_completion(self._loader.forget_built)
                if not isinstance(error, Exception):
                    raise
            # Some event can't be loaded. Smaller batches show which one it is.
            await run_to_completion(self._database.checkpoint)
            return await self._load_by_parts()

    async def _load_by_parts(self) -> bool:
        """Load the next events in ever smaller batches, and set aside those that can't be loaded; tell whether there
        were any."""
        events = await self._read(self._loader.cursor)
        if events:
            await self._sieve.take(events)
            await self._log.save_cursor(CURSOR, self._loader.cursor)
        return bool(events)

    async def _take(self, events: Sequence[Stored]) -> None:
        try:
            await run_to_completion(partial(self._loader.load, events))
        except (duckdb.IOException, duckdb.ConnectionException) as error:
            raise UnavailableError(f"the warehouse can't be written: {error}") from error
        except (duckdb.FatalException, duckdb.InternalException):
            # After this error DuckDB accepts nothing more until the file is opened again.
            await run_to_completion(self._database.reopen)
            raise

    async def _skip(self, event: Stored) -> None:
        await run_to_completion(partial(self._loader.pass_over, event))

    async def _load_portions(self) -> bool:
        before = after = self._loader.cursor
        putting: asyncio.Task[None] | None = None
        events: list[Stored] = []
        try:
            for _ in range(PORTIONS_A_TURN):
                events = events or await self._read(after)
                if not events:
                    break
                portion = await run_to_completion(partial(self._loader.build, events))
                after = portion.last
                events = [event for event in events if event.seq > after]
                if putting is not None:
                    await putting
                putting = asyncio.create_task(run_to_completion(partial(self._loader.put, portion)))
                if self._turns.is_awaited:
                    break
        finally:
            if putting is not None:
                await putting
        if after > before:
            await self._log.save_cursor(CURSOR, self._loader.cursor)
        return after > before

    async def _read(self, after: int) -> list[Stored]:
        found: list[Stored] = []
        room = MOST_BYTES
        while len(found) < MOST_EVENTS and room > 0:
            more = await self._log.read(after, MOST_EVENTS - len(found), room)
            if not more:
                break
            found += more
            room -= sum(len(event.body) for event in more)
            after = more[-1].seq
        return found

    def _label(self, source: str) -> str:
        known = self._settings.source(source)
        return (known and known.name) or source

    def _forget(self, user_ids: list[str], anonymous_ids: list[str], source: str) -> int:
        catalog = self._loader.catalog
        schemas = {catalog.schemas.get(source, OTHERS)} if source else catalog.source_schemas()
        with self._database.writing() as connection:
            count = forget(connection, catalog, schemas, user_ids, anonymous_ids)
        # Deleted rows stay on disk until their blocks are overwritten, so the file is written anew.
        self._database.rewrite()
        if self._mirror is not None:
            self._mirror.forget(schemas, user_ids, anonymous_ids)
        return count

    def _look(self) -> tuple[list[Notice], dict[str, int]]:
        return self._loader.notices(), self._mirror.copied() if self._mirror else {}

    def _start_over(self) -> None:
        with self._mirror.paused() if self._mirror else contextlib.nullcontext():
            self._loader.start_over()

    def _close(self) -> None:
        with self._mirror.paused() if self._mirror else contextlib.nullcontext():
            self._database.close()


def _rate(settings: Settings) -> Rate:
    given = settings.warehouse.new_names
    return Rate(given.at_once, given.an_hour)


def _make_export(settings: Settings, database: Database) -> DltExport | None:
    if settings.warehouse.destination == EMBEDDED:
        return None
    # Imported here because dlt takes long to import, and only a copy needs it.
    from .export.dlt_export import DltExport

    return DltExport(settings.warehouse, database, settings.data / FOLDER / "dlt")
