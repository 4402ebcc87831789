"""Loads batches of the log into the DuckDB file: each once, together with the cursor, in one transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb
import pyarrow as pa

from satsuma_server.errors import BadRequestError
from satsuma_server.log import Stored
from satsuma_server.warehouse import Notice
from satsuma_server.warehouse.database import OWN, OWN_TABLES, Database, get_state, set_state
from satsuma_server.warehouse.schema.catalog import Catalog, Changes, Name
from satsuma_server.warehouse.schema.names import ACCOUNTS, RESERVED_TABLES, SEQ, USERS, quoted
from satsuma_server.warehouse.schema.new_names import (
    Decision,
    FullName,
    NewNames,
    Rate,
    forget_held,
    save_decision,
)
from satsuma_server.warehouse.schema.pinned_types import PinnedTypes

from .arrow_batch import tables_of
from .dropping import check_droppable, drop, parts_of
from .event_groups import group
from .expire import expire
from .latest_values import LATEST_VALUES, update_latest_values

COLUMNS_A_CHECKPOINT = 5_000
"""Number of new columns after which the write-ahead log is merged into the file. Until then each takes about 10 kB of
memory."""

REWRITE, EXPIRE_COPY = "rewrite", "expire copy"
"""What is to be done after rows were deleted by their age: write the file anew, and delete them in the copy as well. It
is remembered in the file until it is done."""

DUE = "due"

PORTION = "portion"
"""The name under which SQL sees an Arrow table while it is inserted."""


@dataclass(frozen=True, slots=True)
class PreparedBatch:
    """A batch of events as Arrow tables, ready to be inserted.

    Attributes:
        last: seq of the newest event.
        changes: tables and columns that have to be created first.
        latest_values: for each table of calls, the columns of the table of its latest values.
    """

    last: int
    made_at: datetime
    changes: Changes
    tables: Sequence[tuple[Name, pa.Table]]
    latest_values: Mapping[Name, Sequence[str]]


class Loader:
    """Loads events into one DuckDB file. Its methods block."""

    def __init__(
        self,
        database: Database,
        label: Callable[[str], str] = str,
        pinned: PinnedTypes | None = None,
        rate: Rate | None = None,
    ) -> None:
        """Take the file, a function that returns the name that people gave a source, the pinned types, and the rate of
        new names."""
        self._database = database
        self._label = label
        self._pinned = pinned or PinnedTypes()
        self._rate = rate or Rate()
        self._building, self._putting = threading.Lock(), threading.Lock()
        self._catalog: Catalog | None = None
        self._built = self._cursor = self._fresh = 0
        self._loaded_at: str | None = None
        self._read()

    @property
    def cursor(self) -> int:
        """Seq of the newest event in the tables."""
        return self._cursor

    @property
    def loaded_at(self) -> str | None:
        """ISO 8601 time of the last insertion; None before the first."""
        return self._loaded_at

    @property
    def catalog(self) -> Catalog:
        """The schemas, tables and columns of the file."""
        if self._catalog is None:
            self._read()
        assert self._catalog is not None
        return self._catalog

    def notices(self) -> list[Notice]:
        """Return what reached a bound."""
        return list(self.catalog.notices.values())

    def oldest(self) -> int | None:
        """Return the seq of the oldest event in the tables; None while there is none."""
        tables = [name for name, columns in self.catalog.tables.items() if columns and name[1] not in (USERS, ACCOUNTS)]
        if not tables:
            return None
        each = " UNION ALL ".join(f"SELECT min({SEQ}) AS {SEQ} FROM {quoted(*name)}" for name in tables)
        with self._database.reading() as connection:
            found = connection.execute(f"SELECT min({SEQ}) FROM ({each})").fetchone()
        return found[0] if found else None

    def load(self, events: Sequence[Stored]) -> None:
        """Load events that follow the earlier ones. Those that are loaded already are skipped."""
        try:
            while events and self._cursor < events[-1].seq:
                self.put(self.build(events))
        except BaseException:
            self.forget_built()
            raise

    def pass_over(self, event: Stored) -> None:
        """Skip an event that can't be loaded, and add a notice about it."""
        with self._building:
            catalog = self.catalog
            schema = catalog.schema_of(event.source, self._label(event.source))
            catalog.notice(schema, "unreadable", f"seq {event.seq}")
            self._built = max(self._built, event.seq)
            portion = PreparedBatch(self._built, _now(), catalog.take_changes(), (), {})
        self.put(portion)

    def build(self, events: Sequence[Stored]) -> PreparedBatch:
        """Convert events that follow the earlier ones into tables. Those that are converted or loaded already are
        skipped.

        Another thread can insert one batch while the next is built. Where the events would take too much memory, the
        batch has only the first of them.
        """
        with self._building:
            fresh = [event for event in events if event.seq > self._built]
            catalog, now = self.catalog, _now()
            groups, last = group(fresh, catalog, self._label)
            tables = tables_of(groups, catalog, now, self._pinned)
            self._built = max(self._built, last)
            latest_values = {
                name: list(catalog.tables[name[0], LATEST_VALUES[name[1]][0]])
                for name, _ in tables
                if name[1] in LATEST_VALUES
            }
            return PreparedBatch(self._built, now, catalog.take_changes(), tables, latest_values)

    def put(self, portion: PreparedBatch) -> None:
        """Insert a batch; call it in the order in which they were built. After an error, call `forget_built`."""
        with self._putting:
            if portion.last <= self._cursor:
                return
            at = f"{portion.made_at.isoformat(timespec='milliseconds')}Z"
            with self._database.writing() as connection:
                portion.changes.save(connection)
            with self._database.writing() as connection:
                self._put(connection, portion)
                portion.changes.save_notices(connection)
                set_state(connection, cursor=portion.last, loaded_at=at)
            self._cursor, self._loaded_at = portion.last, at
            self._fresh += portion.changes.columns
            if self._fresh > COLUMNS_A_CHECKPOINT:
                self._fresh = 0
                self._database.checkpoint()

    def forget_built(self) -> None:
        """Discard batches that were built and not inserted. They have to be built again from what the file has."""
        with self._building:
            self._catalog = None
            self._built = self._cursor

    def held(self) -> list[str]:
        """Return the names of tables and columns that are held."""
        return self.catalog.names.held()

    def allow(self, name: str) -> list[str]:
        """Let a table or column come with the next event that has it, or all that are held in a schema or table.

        Returns:
            the names that may come now.

        Raises:
            BadRequestError: it is no name of a schema, table or column.
        """
        parts = parts_of(name)
        with self._building, self._putting:
            decisions = self._settled().names.decisions
            found = [one for one in decisions if one[: len(parts)] == parts and decisions[one] is not Decision.ALLOWED]
            if not found and len(parts) == 1:
                raise BadRequestError(f"nothing is held in {name}")
            found = found or [(*parts, "")[:3]]  # type: ignore[list-item]
            with self._database.writing() as connection:
                for one in found:
                    save_decision(connection, one, Decision.ALLOWED)
            self._catalog = None
        return [".".join(filter(None, one)) for one in found]

    def drop(self, name: str) -> None:
        """Remove the table of an event, or a column, for good: what has that name goes into the rest.

        Raises:
            BadRequestError: it is no name of a table or column, or of one that every source has.
        """
        parts = parts_of(name)
        with self._building, self._putting:
            catalog = self._settled()
            check_droppable(name, parts, catalog)
            with self._database.writing() as connection:
                drop(connection, catalog, (*parts, "")[:3])  # type: ignore[arg-type]
            self._catalog = None
        self._database.checkpoint()

    def expire(self, before: float) -> int:
        """Delete some of the rows of events that were received before a time, in milliseconds since 1970.

        Returns:
            how many rows there were; 0 where none is left.
        """
        with self._building, self._putting, self._database.writing() as connection:
            at = datetime.fromtimestamp(before / 1000, UTC).replace(tzinfo=None)
            count = expire(connection, self.catalog, at)
            if count:
                set_state(connection, **{REWRITE: DUE, EXPIRE_COPY: DUE})
            return count

    def is_due(self, chore: str) -> bool:
        """Tell whether something is still to be done about rows that were deleted: `REWRITE` or `EXPIRE_COPY`."""
        with self._database.reading() as connection:
            return get_state(connection, chore) == DUE

    def set_due(self, chore: str, due: bool) -> None:
        """Remember whether a chore is still to be done."""
        with self._database.writing() as connection:
            set_state(connection, **{chore: DUE if due else ""})

    def _settled(self) -> Catalog:
        """Return the catalog as it is in the file. Batches that were built and not inserted are discarded."""
        self._catalog, self._built = None, self._cursor
        return self.catalog

    def _is_planned(self, name: FullName) -> bool:
        schemas = self._catalog.schemas if self._catalog else {}
        source = next((source for source, schema in schemas.items() if schema == name[0]), None)
        return self._pinned.names(source, *name)

    def start_over(self) -> None:
        """Drop the tables of all sources. Tables that other projections have added stay."""
        with self._building, self._putting:
            schemas = self.catalog.source_schemas()
            self._catalog = None
            with self._database.writing() as connection:
                for schema in sorted(schemas):
                    connection.execute(f"DROP SCHEMA IF EXISTS {quoted(schema)} CASCADE")
                for table in OWN_TABLES:
                    connection.execute(f"DELETE FROM {OWN}.{table}")
                forget_held(connection)
            self._database.rewrite()
            self._read()

    def _read(self) -> None:
        with self._database.writing() as connection:
            self._catalog = Catalog.read(connection, NewNames(self._rate, self._is_planned))
            self._built = self._cursor = int(get_state(connection, "cursor") or 0)
            self._loaded_at = get_state(connection, "loaded_at")

    def _put(self, connection: duckdb.DuckDBPyConnection, portion: PreparedBatch) -> None:
        if not portion.tables:  # None of its events could be read.
            return
        new = "" if self._are_new(connection, portion.tables) else "WHERE id NOT IN (SELECT id FROM {})"
        for name, table in portion.tables:
            target = quoted(*name)
            connection.register(PORTION, table)
            connection.execute(f"INSERT INTO {target} BY NAME SELECT * FROM {PORTION} {new.format(target)}")
            if name in portion.latest_values:
                update_latest_values(
                    connection, name, portion.latest_values[name], f"SELECT {LATEST_VALUES[name[1]][1]} FROM {PORTION}"
                )
        connection.unregister(PORTION)

    def _are_new(self, connection: duckdb.DuckDBPyConnection, tables: Sequence[tuple[Name, pa.Table]]) -> bool:
        """Tell whether all messages are new, by the hashes of their ids. If not, the tables are searched for each
        id."""
        # Rows of an event's own table are in `tracks` too, so the reserved tables have all ids.
        ids = pa.concat_tables([table.select(["id"]) for (_, name), table in tables if name in RESERVED_TABLES])
        connection.register(PORTION, ids)
        added = connection.execute(f"""INSERT INTO {OWN}.message_ids SELECT hash
            FROM (SELECT md5_number_lower(id) AS hash FROM {PORTION}) ANTI JOIN {OWN}.message_ids USING (hash)""")
        return added.fetchall() == [(len(ids),)]


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
