"""Puts portions of the log into the file: each once, with the cursor, in one transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import duckdb
import pyarrow as pa

from satsuma_server.log import Stored

from . import Notice
from .catalog import Catalog, Name
from .collate import collate
from .database import OWN, OWN_TABLES, Database, get_state, set_state
from .groups import group
from .names import ACCOUNTS, SEQ, USERS, quoted
from .portion import COLLATED, tables_of

PORTION = "portion"
"""What a table of Arrow is called for as long as it is put in."""


class Loader:
    """Loads into one file. Its methods block; one is done at a time."""

    def __init__(self, database: Database, label: Callable[[str], str] = str) -> None:
        """Take the file and what people call a source."""
        self._database = database
        self._label = label
        self._lock = threading.Lock()
        self._catalog: Catalog | None = None
        self._cursor = 0
        self._loaded_at: str | None = None
        self._read()

    @property
    def cursor(self) -> int:
        """Seq of the newest event in the tables."""
        return self._cursor

    @property
    def loaded_at(self) -> str | None:
        """When the last portion was put in."""
        return self._loaded_at

    @property
    def catalog(self) -> Catalog:
        """What the file has."""
        if self._catalog is None:
            self._read()
        assert self._catalog is not None
        return self._catalog

    def notices(self) -> list[Notice]:
        """Return what met a bound."""
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
        """Put in events that follow those before; what is in already is passed over."""
        with self._lock:
            fresh = [event for event in events if event.seq > self._cursor]
            if not fresh:
                return
            catalog, now = self.catalog, datetime.now(UTC).replace(tzinfo=None)
            at = f"{now.isoformat(timespec='milliseconds')}Z"
            self._catalog = None  # To be read anew, unless all goes well.
            tables = tables_of(group(fresh, catalog, self._label), catalog, now)
            with self._database.writing() as connection:
                catalog.save(connection)
            with self._database.writing() as connection:
                self._put(connection, catalog, tables)
                catalog.save_notices(connection)
                set_state(connection, cursor=fresh[-1].seq, loaded_at=at)
            self._catalog, self._cursor, self._loaded_at = catalog, fresh[-1].seq, at

    def start_over(self) -> None:
        """Begin with no tables of sources; those that others have put beside them stay."""
        with self._lock:
            schemas = self.catalog.source_schemas()
            self._catalog = None
            with self._database.writing() as connection:
                for schema in sorted(schemas):
                    connection.execute(f"DROP SCHEMA IF EXISTS {quoted(schema)} CASCADE")
                for table in OWN_TABLES:
                    connection.execute(f"DELETE FROM {OWN}.{table}")
            self._database.rewrite()
            self._read()

    def _read(self) -> None:
        with self._database.writing() as connection:
            self._catalog = Catalog.read(connection)
            self._cursor = int(get_state(connection, "cursor") or 0)
            self._loaded_at = get_state(connection, "loaded_at")

    def _put(
        self, connection: duckdb.DuckDBPyConnection, catalog: Catalog, tables: Sequence[tuple[Name, pa.Table]]
    ) -> None:
        new = "" if self._are_new(connection, tables) else "WHERE id NOT IN (SELECT id FROM {})"
        for name, table in tables:
            target = quoted(*name)
            connection.register(PORTION, table)
            connection.execute(f"INSERT INTO {target} BY NAME SELECT * FROM {PORTION} {new.format(target)}")
            if name[1] in COLLATED:
                collate(connection, catalog, name, f"SELECT {COLLATED[name[1]][1]} FROM {PORTION}")
            connection.unregister(PORTION)

    def _are_new(self, connection: duckdb.DuckDBPyConnection, tables: Sequence[tuple[Name, pa.Table]]) -> bool:
        """Tell whether no message was seen before. Hashes answer it: whether a few were is looked up in the tables."""
        ids = pa.concat_tables([table.select(["id"]) for _, table in tables])
        connection.register(PORTION, ids)
        hashes = f"SELECT DISTINCT md5_number_lower(id) AS hash FROM {PORTION}"
        known = f"SELECT count(*) FROM ({hashes}) WHERE hash IN (SELECT hash FROM {OWN}.message_ids)"
        found = connection.execute(known).fetchone()
        connection.execute(f"INSERT INTO {OWN}.message_ids {hashes}")
        connection.unregister(PORTION)
        return found is None or not found[0]
