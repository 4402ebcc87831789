"""Copies profiles into tables of the warehouse, where they can be joined with events."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from itertools import batched
from typing import TYPE_CHECKING, Any, Protocol

from starlette.routing import BaseRoute

from satsuma_server.errors import CollectorError
from satsuma_server.settings import Settings

from .projection import Profiles
from .store.connect import open_database
from .store.database import Database
from .store.queries import Queries

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA = "profiles"
ROWS_A_BATCH = 20_000

SHORTEST_WAIT = 3.0
"""The shortest time in seconds between two copies. Large tables, which take longer, are copied less often."""

SHARE = 20
"""After a copy, wait so many times as long as it took."""

logger = logging.getLogger("satsuma.profiles")


class Tables(Protocol):
    """Takes the tables; the warehouse implements it."""

    async def replace_tables(self, schema: str, tables: Mapping[str, pa.Table]) -> None:
        """Replace the tables of a schema. Raises `ValueError` where the schema belongs to a source."""
        ...

    async def note_deleted(self) -> None:
        """Note that rows of people were deleted, of which nothing may stay in the file."""
        ...


class ProfileTables:
    """A projection that copies ``identity_map``, ``profiles`` and ``profile_traits`` after they have changed."""

    def __init__(self, settings: Settings, profiles: Profiles, warehouse: Tables) -> None:
        self._settings = settings
        self._profiles = profiles
        self._warehouse = warehouse
        self._copied = -1
        self._turn = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def routes(self) -> Sequence[BaseRoute]:
        return []

    async def start(self) -> None:
        self._task = asyncio.create_task(self._copy_on(), name="satsuma-profile-tables")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def forget(self, user_ids: Iterable[str], anonymous_ids: Iterable[str], source: str = "") -> int:
        """Copy the profiles that are left after people were forgotten."""
        await self.copy()
        return 0

    async def expire(self, before: float) -> int:
        """Remove people who were not seen since a time, here and in the tables of the warehouse; see
        `Profiles.expire`. The warehouse then has to write its file anew."""
        count = await self._profiles.expire(before)
        if count:
            await self._warehouse.note_deleted()
        await self.copy()
        return count

    async def copy(self) -> None:
        """Copy the profiles, unless they are unchanged. Raises `UnavailableError` where they can't be read."""
        async with self._turn:
            version = self._profiles.version
            if version in (0, self._copied):  # The profiles are not open yet, or this version was copied already.
                return
            tables = await asyncio.to_thread(self._read)
            await self._warehouse.replace_tables(SCHEMA, tables)
            self._copied = version

    async def _copy_on(self) -> None:
        while True:
            began = time.monotonic()
            await self._insist(self.copy)
            await asyncio.sleep(max(SHORTEST_WAIT, SHARE * (time.monotonic() - began)))

    async def _insist(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except CollectorError as error:
            logger.warning("profiles are not copied to the warehouse; trying again", extra={"reason": str(error)})
        except ValueError:
            logger.error("profiles are not copied to the warehouse: a source has the schema %s", SCHEMA)
        except Exception as error:
            # DuckDB's error messages may have personal data.
            logger.error("profiles are not copied to the warehouse", extra={"reason": type(error).__name__})

    def _read(self) -> dict[str, pa.Table]:
        with contextlib.closing(open_database(self._settings.profiles, self._settings.data, reading=True)) as database:
            return make_tables(database)


def make_tables(database: Database) -> dict[str, pa.Table]:
    """Return all profiles as tables. Times are UTC."""
    import pyarrow as pa

    text, number, at = pa.string(), pa.int64(), pa.timestamp("ms")
    seen = [("first_seen", at), ("last_seen", at)]
    queries = Queries(database)
    return {
        "identity_map": _table(
            queries.identity_map(), [("space", text), ("id_type", text), ("id", text), ("profile", number), *seen]
        ),
        "profiles": _table(
            queries.profiles(),
            [
                ("profile", number),
                ("space", text),
                ("user_id", text),
                *seen,
                ("identifiers", number),
                ("events", number),
            ],
        ),
        "profile_traits": _table(
            queries.profile_traits(), [("profile", number), ("name", text), ("value", text), ("updated_at", at)]
        ),
    }


def _table(rows: Iterator[dict[str, Any]], columns: Sequence[tuple[str, pa.DataType]]) -> pa.Table:
    import pyarrow as pa

    schema = pa.schema(columns)
    batches = [pa.RecordBatch.from_pylist(list(some), schema) for some in batched(rows, ROWS_A_BATCH)]
    return pa.Table.from_batches(batches, schema)
