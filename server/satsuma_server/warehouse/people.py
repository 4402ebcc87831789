"""Profiles as tables beside those of the sources: `profiles.identity_map`, `profiles.profiles`, `…profile_traits`."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import pyarrow as pa
from starlette.routing import BaseRoute

from satsuma_server.profiles import Rows
from satsuma_server.profiles.part import Profiles

from . import Warehouse

SCHEMA = "profiles"
SECONDS = 30
"""Between looks for what is new. Tables are made whole, so many people make it longer."""

SHARE = 20
"""The part of the time that making the tables may take: one in so many."""

ROWS_A_BATCH = 10_000

TEXT, NUMBER, TIME = pa.string(), pa.int64(), pa.timestamp("ms")
COLUMNS = {
    "identity_map": {
        "space": TEXT, "id_type": TEXT, "id": TEXT, "profile": NUMBER, "first_seen": TIME, "last_seen": TIME
    },
    "profiles": {
        "profile": NUMBER, "space": TEXT, "user_id": TEXT, "first_seen": TIME, "last_seen": TIME,
        "identifiers": NUMBER, "events": NUMBER,
    },
    "profile_traits": {"profile": NUMBER, "name": TEXT, "value": TEXT, "updated_at": TIME},
}  # fmt: skip

logger = logging.getLogger("satsuma.warehouse")


class PeopleTables:
    """A part of the worker that puts profiles into the warehouse, and takes them out."""

    def __init__(self, profiles: Profiles, warehouse: Warehouse) -> None:
        self._profiles = profiles
        self._warehouse = warehouse
        self._seen = -1
        self._task: asyncio.Task[None] | None = None

    def routes(self) -> Sequence[BaseRoute]:
        return ()

    async def start(self) -> None:
        self._task = asyncio.create_task(self._keep_on(), name="satsuma-people-tables")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def forget(self, user_ids: Iterable[str], anonymous_ids: Iterable[str]) -> int:
        """Make the tables anew once the profiles have forgotten a person. Their rows are not counted."""
        await self._replace()
        return 0

    async def _keep_on(self) -> None:
        while True:
            began = time.monotonic()
            try:
                seen = (await self._profiles.totals()).seq
                if seen != self._seen:
                    await self._replace()
                    self._seen = seen
            except Exception as error:
                # They may be opening, or the warehouse be busy: the next round tells.
                logger.warning("the tables of profiles wait", extra={"reason": repr(error)})
            await asyncio.sleep(max(SECONDS, SHARE * (time.monotonic() - began)))

    async def _replace(self) -> None:
        await self._warehouse.replace_tables(SCHEMA, await self._profiles.rows(tables_of))


def tables_of(rows: Rows) -> dict[str, pa.Table]:
    """Return profiles as tables of Arrow."""
    return {name: _table(getattr(rows, name)(), pa.schema(columns.items())) for name, columns in COLUMNS.items()}


def _table(rows: Iterator[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    batches = []
    while part := list(islice(rows, ROWS_A_BATCH)):
        batches.append(pa.RecordBatch.from_pylist(part, schema))
    return pa.Table.from_batches(batches, schema)
