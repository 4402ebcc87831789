"""Copies the tables into another database by dlt: Postgres, BigQuery, Snowflake or any other that dlt supports."""

from __future__ import annotations

import os
import threading
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from satsuma_server.errors import UnavailableError
from satsuma_server.settings import WarehouseSettings
from satsuma_server.warehouse.database import Database, get_state, set_state
from satsuma_server.warehouse.load.forget import condition
from satsuma_server.warehouse.schema.catalog import Catalog, Name
from satsuma_server.warehouse.schema.column_types import ColumnType
from satsuma_server.warehouse.schema.names import ACCOUNTS, SEQ, USERS, quoted

WINDOW = 100_000
"""How many events' rows are copied at a time."""

MOST_BYTES = 64 << 20
"""Most bytes of rows, as text, that are copied at a time. Hostile events can be thirty times as large as usual ones."""

Tables = Mapping[Name, Mapping[str, ColumnType]]

COPIED = "copied"
KINDS = "kinds"


class DltExport:
    """Copies to one destination. Its methods block, and run one at a time.

    The rows to copy are selected by their seq, so nothing has to be remembered here: after a crash the same rows are
    sent again, and the destination keeps each once, by its id.
    """

    def __init__(self, settings: WarehouseSettings, database: Database, folder: Path) -> None:
        """Take the destination, the DuckDB file, and a folder for dlt's working files."""
        self._settings = settings
        self._database = database
        self._folder = folder
        self._lock = threading.Lock()
        told = msgspec.json.encode((settings.destination, settings.credentials, settings.options))
        self._id = sha256(told).hexdigest()[:8]

    def copy(self) -> None:
        """Copy the rows that are new since the last copy.

        Raises:
            UnavailableError: the destination can't be reached or refuses the rows.
        """
        for schema in self._schemas():
            with self.paused():
                self._copy(schema)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Pause copying for the duration of this context."""
        with self._lock:
            yield

    def forget(self, schemas: Container[str], user_ids: Sequence[str], anonymous_ids: Sequence[str]) -> None:
        """Delete a person's rows of these schemas at the destination, in the tables that they were in here.

        Raises:
            UnavailableError: the destination doesn't answer.
        """
        for schema, cursor in self.copied().items():
            if cursor and schema in schemas:
                with self._lock, self._unavailable():
                    self._forget(schema, user_ids, anonymous_ids)

    def expire(self, before: float) -> None:
        """Delete rows of events at the destination that were received before a time, in milliseconds since 1970.

        Raises:
            UnavailableError: the destination doesn't answer.
        """
        at = datetime.fromtimestamp(before / 1000, UTC)
        for schema, cursor in self.copied().items():
            if cursor:
                with self._lock, self._unavailable():
                    self._expire(schema, at)

    def copied(self) -> dict[str, int]:
        """Return, for each schema, the seq up to which it is copied."""
        with self._database.reading() as connection:
            schemas = Catalog.read(connection).source_schemas()
            return {one: int(get_state(connection, self._key(COPIED, one)) or 0) for one in sorted(schemas)}

    def _schemas(self) -> list[str]:
        return list(self.copied())

    def _copy(self, schema: str) -> None:
        with self._database.reading() as connection:
            catalog = Catalog.read(connection)
            newest, cursor = (int(get_state(connection, key) or 0) for key in ("cursor", self._key(COPIED, schema)))
            before = msgspec.json.decode(get_state(connection, self._key(KINDS, schema)) or "{}")
        kinds = {
            table: {column: kind.sql for column, kind in columns.items()}
            for (of, table), columns in catalog.tables.items()
            if of == schema
        }
        # Each database changes a column's type in its own way, or not at all. Creating a table works the same in all.
        # A table that was dropped stays in the destination.
        changed = [
            table for table, columns in before.items() if table in kinds and not columns.items() <= kinds[table].items()
        ]
        if cursor and changed:
            self._copy_rows(schema, changed, 0, cursor, "drop_resources")
        while cursor < newest:
            upto = min(cursor + WINDOW, newest)
            is_known = self._copy_rows(schema, list(kinds), cursor, upto, None if before else "drop_sources")
            cursor, before = upto, before or (kinds if is_known else {})
            noted = {COPIED: str(upto), KINDS: msgspec.json.encode(kinds if before else {}).decode()}
            with self._database.writing() as connection:
                set_state(connection, **{self._key(what, schema): value for what, value in noted.items()})

    def _copy_rows(self, schema: str, tables: Sequence[str], after: int, upto: int, refresh: str | None) -> bool:
        """Copy rows with a seq above `after`, window by window, and tell whether there were any."""
        has_any = False
        for first, last in self._windows(schema, tables, after, upto):
            rows = {table: self._rows((schema, table), first, last) for table in tables}
            found = {table: one for table, one in rows.items() if len(one)}
            if found:
                with self._unavailable():
                    self._load(schema, found, None if has_any else refresh)
                has_any = True
        return has_any

    def _windows(self, schema: str, tables: Sequence[str], after: int, upto: int) -> Iterator[tuple[int, int]]:
        """Split a range of seqs into pieces whose rows have at most `MOST_BYTES`, except where a single event has
        more."""
        for first in range(after, upto, WINDOW):
            yield from self._pieces(schema, tables, first, min(first + WINDOW, upto))

    def _pieces(self, schema: str, tables: Sequence[str], after: int, upto: int) -> Iterator[tuple[int, int]]:
        if upto - after == 1 or self._size(schema, tables, after, upto) <= MOST_BYTES:
            yield after, upto
            return
        middle = (after + upto) // 2
        yield from self._pieces(schema, tables, after, middle)
        yield from self._pieces(schema, tables, middle, upto)

    def _size(self, schema: str, tables: Sequence[str], after: int, upto: int) -> int:
        """Return roughly how many bytes the rows of a range have."""
        size = 0
        with self._database.reading() as connection:
            for table in tables:
                sql = f"""SELECT coalesce(sum(strlen(rows::VARCHAR)), 0)
                    FROM {quoted(schema, table)} AS rows WHERE {SEQ} > {after} AND {SEQ} <= {upto}"""
                size += int(connection.sql(sql).fetchall()[0][0])
        return size

    def _forget(self, schema: str, user_ids: Sequence[str], anonymous_ids: Sequence[str]) -> None:
        tables, newest = self._known(schema)
        with self._pipeline(schema).sql_client() as client:
            literal = client.capabilities.escape_literal
            # An empty list would be invalid SQL, so each has a NULL in it, which equals no id.
            people, devices = (
                ", ".join(["NULL", *(str(literal(one)) for one in ids)]) for ids in (user_ids, anonymous_ids)
            )
            for (_, table), columns in tables.items():
                if table not in (USERS, ACCOUNTS):
                    name = client.make_qualified_table_name(table)
                    client.execute_sql(f"DELETE FROM {name} WHERE {condition(columns, people, devices)}")
                    client.execute_sql(f"UPDATE {name} SET anonymous_id = NULL WHERE anonymous_id IN ({devices})")
        self._copy_latest_values(schema, tables, newest)

    def _expire(self, schema: str, before: datetime) -> None:
        tables, newest = self._known(schema)
        with self._pipeline(schema).sql_client() as client:
            told = client.capabilities.escape_literal(before)
            for _, table in tables:
                if table not in (USERS, ACCOUNTS):
                    name = client.make_qualified_table_name(table)
                    client.execute_sql(f"DELETE FROM {name} WHERE received_at < {told}")
        self._copy_latest_values(schema, tables, newest)

    def _known(self, schema: str) -> tuple[Tables, int]:
        """Return the tables of a schema, and the seq up to which they are copied."""
        with self._database.reading() as connection:
            tables = {name: columns for name, columns in Catalog.read(connection).tables.items() if name[0] == schema}
            return tables, int(get_state(connection, self._key(COPIED, schema)) or 0)

    def _copy_latest_values(self, schema: str, tables: Tables, newest: int) -> None:
        """Copy the rows of users and accounts again, which were built anew here, from the calls that are left."""
        latest_values = [table for _, table in tables if table in (USERS, ACCOUNTS)]
        for table in latest_values:
            if not self._copy_rows(schema, [table], 0, newest, "drop_resources"):
                with self._pipeline(schema).sql_client() as client:
                    client.execute_sql(f"DELETE FROM {client.make_qualified_table_name(table)}")

    def _rows(self, name: Name, after: int, upto: int) -> pa.Table:
        with self._database.reading() as connection:
            sql = f"SELECT * FROM {quoted(*name)} WHERE {SEQ} > {after} AND {SEQ} <= {upto}"
            return _without_nul(connection.sql(sql).to_arrow_table())

    def _load(self, schema: str, tables: dict[str, pa.Table], refresh: str | None) -> None:
        import dlt

        pipeline = self._pipeline(schema)
        capabilities = pipeline.destination.capabilities()
        strategies = capabilities.supported_merge_strategies or []
        merge: Any = {
            "disposition": "merge",
            "strategy": "upsert" if "upsert" in strategies else "delete-insert",
        }
        resources = [
            dlt.resource(table, name=name, write_disposition=merge, primary_key="id") for name, table in tables.items()
        ]
        pipeline.run(
            resources,
            refresh=refresh,
            loader_file_format="csv" if "csv" in (capabilities.supported_loader_file_formats or ()) else "parquet",
        )

    def _pipeline(self, schema: str) -> Any:
        _keep_dlt_at_home(self._folder)
        import dlt

        kind = getattr(dlt.destinations, self._settings.destination, None)
        if kind is None:
            raise UnavailableError(f"dlt has no destination {self._settings.destination!r}")
        given = {"credentials": self._settings.credentials} if self._settings.credentials else {}
        return dlt.pipeline(
            f"satsuma_{schema}",
            destination=kind(**given, **self._settings.options),
            dataset_name=schema,
            pipelines_dir=str(self._folder),
        )

    def _key(self, what: str, schema: str) -> str:
        return f"{what} {self._id} {schema}"

    @contextmanager
    def _unavailable(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            root: BaseException = error
            while root.__cause__ is not None:
                root = root.__cause__
            raise UnavailableError(f"{self._settings.destination} can't be written: {str(root).strip()}") from error


def _keep_dlt_at_home(folder: Path) -> None:
    """Configure dlt to write only into `folder`, to send no telemetry, and to keep names as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.update(
        RUNTIME__DLTHUB_TELEMETRY="false",
        DLT_DATA_DIR=str(folder),
        DLT_PROJECT_DIR=str(folder),
        SCHEMA__NAMING="direct",
        LOAD__DELETE_COMPLETED_JOBS="true",
        RUNTIME__LOG_LEVEL="ERROR",
    )


def _without_nul(table: pa.Table) -> pa.Table:
    """Return a table without NUL characters, which Postgres can't store in a text."""
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            column = pc.replace_substring(table.column(place), "\0", "\ufffd")
            table = table.set_column(place, field.name, column)
    return table
