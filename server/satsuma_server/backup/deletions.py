"""Finds in a restored backup who was deleted since it was made, by the record of deletions of a later time."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import duckdb

from satsuma_server.errors import BackupError
from satsuma_server.identity.extraction import IdentifierExtractor
from satsuma_server.identity.identifiers import ANONYMOUS_ID, USER_ID, Key
from satsuma_server.identity.rules import SQLITE, Rules
from satsuma_server.log.opening import open_for_reading
from satsuma_server.privacy import suppression
from satsuma_server.privacy.deleted_ids import FILE, DeletedIds
from satsuma_server.privacy.person_matcher import ids_in, named_by
from satsuma_server.profiles.store.connect import open_database
from satsuma_server.profiles.store.database import FILE as PROFILES_FILE
from satsuma_server.settings import Settings
from satsuma_server.warehouse import FILE as WAREHOUSE_FILE
from satsuma_server.warehouse import FOLDER as WAREHOUSE_FOLDER
from satsuma_server.warehouse.schema.names import OWN_SCHEMA, quoted

DATA = "data"
"""The folder of a backup that has what was in the data folder."""

NODES_A_LOOK = 10_000
EVENTS_A_LOOK = 1_000
BYTES_A_LOOK = 8 << 20

ID_COLUMNS = {"user_id": USER_ID, "anonymous_id": ANONYMOUS_ID, "previous_id": USER_ID}
"""Columns of the warehouse with ids. Where an alias has an anonymousId for its previous one, that has a row, too."""


@dataclass(frozen=True, slots=True)
class LaterRecord:
    """A record of deletions that is newer than a backup, and the folder that it lies in."""

    folder: Path
    ids: DeletedIds


def read_records(paths: Iterable[Path], secret: bytes) -> list[LaterRecord]:
    """Read records of deletions.

    Args:
        paths: each a record, or a data folder or a backup that has one.
        secret: what `suppression_secret_file` has; empty where there is none.

    Raises:
        BackupError: there is none.
        UnavailableError: one can't be read, or was made with another secret.
    """
    return [LaterRecord(file.parent, DeletedIds(file, secret)) for file in map(_record_at, paths)]


def _record_at(path: Path) -> Path:
    for file in (path, path / FILE, path / DATA / FILE):
        if file.is_file():
            return file
    raise BackupError(
        f"{path} has no record of deletions ({FILE}): name the collector's later data folder, a later backup, or a "
        f"copy of its {FILE}. It is made by the first deletion"
    )


def take_over(record: LaterRecord, data: Path) -> None:
    """Put the later record, and the suppression list beside it, in place of those of a backup. Raises `OSError`."""
    for name in (FILE, suppression.FILE):
        if (record.folder / name).is_file():
            shutil.copyfile(record.folder / name, data / name)
            (data / name).chmod(0o600)


async def find_deleted(settings: Settings, earlier: DeletedIds, records: Sequence[LaterRecord]) -> set[Key]:
    """Return the identifiers in a restored collector's stores that were deleted since its backup was made.

    Args:
        settings: the restored collector's.
        earlier: the record that is in the backup.
        records: later ones.

    Raises:
        BackupError: the warehouse can't be read.
        UnavailableError: another store can't be read.
    """
    sought = [(record.ids, record.ids.since(earlier)) for record in records]

    def was_deleted(key: Key) -> bool:
        return any(ids.digest(key) in hashes for ids, hashes in sought)

    if not any(hashes for _, hashes in sought):
        return set()
    found = await asyncio.to_thread(_in_files, settings, was_deleted)
    return found | await _in_log(settings, was_deleted)


def _in_files(settings: Settings, was_deleted: Callable[[Key], bool]) -> set[Key]:
    parts = chain(_of_profiles(settings), _of_warehouse(settings))
    return {key for part in parts for key in part if was_deleted(key)}


def _of_profiles(settings: Settings) -> Iterator[Iterator[Key]]:
    if settings.profiles.store == SQLITE and not (settings.data / PROFILES_FILE).exists():
        return
    database = open_database(settings.profiles, settings.data, reading=True)
    try:
        query, after = "SELECT number, type, value, space FROM nodes WHERE number > ? ORDER BY number LIMIT ?", -1
        while found := database.run(query, after, NODES_A_LOOK):
            after = found[-1][0]
            yield (Key(*row[1:]) for row in found)
    finally:
        database.close()


def _of_warehouse(settings: Settings) -> Iterator[Iterator[Key]]:
    file = settings.data / WAREHOUSE_FOLDER / WAREHOUSE_FILE
    if not file.exists():
        return
    try:
        with duckdb.connect(str(file), read_only=True) as connection:
            sources = connection.execute(f"SELECT schema_name, source FROM {quoted(OWN_SCHEMA)}.sources").fetchall()  # noqa: S608
            spaces = dict(sources) if settings.profiles.per_source else {}
            columns = "SELECT schema_name, table_name, column_name FROM duckdb_columns() WHERE NOT internal"
            for schema, table, column in connection.execute(columns).fetchall():
                type = USER_ID if (table, column) == ("users", "id") else ID_COLUMNS.get(column)
                if type is not None and schema != OWN_SCHEMA:
                    cell = quoted(column)
                    query = f"SELECT DISTINCT {cell} FROM {quoted(schema, table)} WHERE {cell} IS NOT NULL"  # noqa: S608
                    values = connection.execute(query)
                    while rows := values.fetchmany(NODES_A_LOOK):
                        yield (Key(type, str(value), spaces.get(schema, "")) for (value,) in rows)
    except duckdb.Error as error:
        raise BackupError(f"the warehouse can't be read: {error}") from error


async def _in_log(settings: Settings, was_deleted: Callable[[Key], bool]) -> set[Key]:
    rules = Rules(settings.profiles)
    extractor = IdentifierExtractor(rules)
    found, after = set[Key](), 0
    log = open_for_reading(settings.data, settings.log, settings.nats)
    try:
        await log.ready()
        while events := await log.read(after, EVENTS_A_LOOK, BYTES_A_LOOK):
            after = events[-1].seq
            for event in events:
                if sighting := extractor.read(event):
                    others = named_by(sighting.previous) if sighting.previous else ()
                    found.update(filter(was_deleted, (*sighting.keys, *others)))
        after = 0
        while letters := await log.dead_letters(after, EVENTS_A_LOOK):
            after = letters[-1].id
            for letter in letters:
                space = letter.source if rules.per_source else ""
                found.update(filter(was_deleted, ids_in(letter.raw, space)))
    finally:
        await log.close()
    return found
