"""Makes a backup of a collector's stores while it runs."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import duckdb
from satsuma.clock import iso_time

from satsuma_server.console.store import CURSOR as CONSOLE
from satsuma_server.console.store import FILE as CONSOLE_FILE
from satsuma_server.disk import room_for
from satsuma_server.errors import BackupError
from satsuma_server.identity.rules import SQLITE
from satsuma_server.log import ReadableLog, database
from satsuma_server.log.holds import BACKUP, held
from satsuma_server.log.jetstream.options import WORKER_ID
from satsuma_server.log.opening import open_for_reading
from satsuma_server.privacy import deleted_ids
from satsuma_server.profiles.projection import CURSOR as PROFILES
from satsuma_server.profiles.store.database import FILE as PROFILES_FILE
from satsuma_server.settings import Settings
from satsuma_server.warehouse import CURSOR as WAREHOUSE
from satsuma_server.warehouse import FILE as WAREHOUSE_FILE
from satsuma_server.warehouse import FOLDER as WAREHOUSE_FOLDER
from satsuma_server.warehouse.schema.names import OWN_SCHEMA, quoted

from . import profiles_postgres
from .deletions import DATA
from .manifest import FORMAT, Manifest, list_files, write_manifest

SETTINGS, NATS = "settings", "nats"
"""Folders of a backup, besides that of what was in the data folder: the settings, and the streams of a log on NATS."""


FOLLOWERS = (
    (PROFILES, PROFILES_FILE, "SELECT max(seq) FROM state"),
    (CONSOLE, CONSOLE_FILE, "SELECT max(seq) FROM progress"),
)
"""Followers with a cursor in the log and a SQLite file, each with the query that tells how far its file is."""

SQLITE_ENDING = ".sqlite3"
ROOM = 64 << 20
"""Bytes that stay free at the target, besides what is copied."""

CopyWarehouse = Callable[[Path], None]
"""Writes a copy of the warehouse's file to a path; nothing where there is no warehouse."""


async def create(settings: Settings, config: Path | None, target: Path, copy_warehouse: CopyWarehouse) -> Manifest:
    """Make a backup in the folder `target`, and return its manifest.

    Args:
        settings: the collector's settings.
        config: the file that they are from; it is copied, too, with the plans that it names.
        target: a folder that is empty, or not there yet.
        copy_warehouse: how the warehouse is copied, whose file the running collector has for itself.

    Raises:
        BackupError: the folder is not empty, there is no room for the backup, or a file is damaged.
        UnavailableError: a store can't be read now, or retention could not be held back all the time.
    """
    _check_room(settings.data, target)
    try:
        (target / DATA).mkdir(parents=True, mode=0o700)
        target.chmod(0o700)
        log = open_for_reading(settings.data, settings.log, settings.nats)
        try:
            await log.ready()
            return await _create(settings, config, target, copy_warehouse, log)
        finally:
            await log.close()
    except OSError as error:
        raise BackupError(f"the backup can't be written: {error}") from error


async def _create(
    settings: Settings, config: Path | None, target: Path, copy_warehouse: CopyWarehouse, log: ReadableLog
) -> Manifest:
    last = log.last
    # Whoever is deleted from now on may be in the backup, so that its record must not say that they are not.
    if (record := settings.data / deleted_ids.FILE).exists():
        shutil.copyfile(record, target / DATA / record.name)
    async with held(log):
        # First what is built from the log, then the log: in the backup, no follower is ahead of it.
        cursors = await asyncio.to_thread(_copy_followers, settings, target, copy_warehouse)
        if settings.log is None:
            await asyncio.to_thread(_copy_log, settings.data, target / DATA)
        else:
            from satsuma_server.log.jetstream.snapshot import save

            (target / NATS).mkdir()
            await save(settings.log, settings.nats, target / NATS)
    for path in _plain_files(settings.data):
        if path.name != deleted_ids.FILE:
            shutil.copyfile(path, target / DATA / path.name)
    _copy_settings(settings, config, target)
    manifest = Manifest(
        FORMAT,
        version("satsuma-server"),
        iso_time(datetime.now(UTC).timestamp() * 1000),
        "file" if settings.log is None else "nats",
        last,
        cursors,
        list_files(target),
    )
    write_manifest(target, manifest)
    return manifest


def _check_room(data: Path, target: Path) -> None:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise BackupError(f"{target} is not empty: name a new folder for each backup")
    needed = sum(path.stat().st_size for path in data.rglob("*") if path.is_file() and not path.is_symlink())
    folder, free = room_for(target)
    if free < needed + ROOM:
        raise BackupError(f"the backup may need {needed >> 20:,} MiB, and {folder} has {free >> 20:,} MiB")


def _copy_followers(settings: Settings, target: Path, copy_warehouse: CopyWarehouse) -> dict[str, int]:
    """Copy everything that is built from the log; return how far the followers with a cursor in the log have come."""
    cursors: dict[str, int] = {}
    for path in sorted(settings.data.glob(f"*{SQLITE_ENDING}")):
        if path.name != database.FILE and ".damaged-" not in path.name:
            _copy_sqlite(path, target / DATA / path.name)
    for name, file, query in FOLLOWERS:
        if (target / DATA / file).exists():
            with closing(sqlite3.connect(target / DATA / file)) as connection:
                cursors[name] = connection.execute(query).fetchone()[0] or 0
    if settings.profiles.store != SQLITE:
        cursors[PROFILES] = profiles_postgres.dump(settings.profiles.store, target)
    warehouse = target / DATA / WAREHOUSE_FOLDER / WAREHOUSE_FILE
    warehouse.parent.mkdir()
    copy_warehouse(warehouse)
    if warehouse.exists():
        cursors[WAREHOUSE] = _warehouse_cursor(warehouse)
    return cursors


def _copy_sqlite(source: Path, target: Path) -> None:
    """Copy a SQLite file as it is at one moment, whoever writes it meanwhile."""
    try:
        with closing(sqlite3.connect(source, timeout=30)) as read, closing(sqlite3.connect(target)) as written:
            read.backup(written)
            problem = written.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise BackupError(f"{source} can't be copied: {error}") from error
    if problem != "ok":
        raise BackupError(f"{source} is damaged: {problem}. Stop the collector and start it again, which mends the log")


def _copy_log(data: Path, target: Path) -> None:
    _copy_sqlite(data / database.FILE, target / database.FILE)
    with closing(sqlite3.connect(target / database.FILE, isolation_level=None)) as copy:
        copy.execute("DELETE FROM cursors WHERE name = ?", (BACKUP,))
        # It was checked just now, so the first start need not do it again.
        database.set_state(copy, database.CLEAN)


def _warehouse_cursor(file: Path) -> int:
    try:
        with duckdb.connect(str(file), read_only=True) as connection:
            query = f"SELECT value FROM {quoted(OWN_SCHEMA)}.state WHERE name = 'cursor'"  # noqa: S608
            row = connection.execute(query).fetchone()
    except duckdb.Error as error:
        raise BackupError(f"the copy of the warehouse can't be read: {error}") from error
    return int(row[0]) if row and row[0] else 0


def _plain_files(data: Path) -> Iterator[Path]:
    for path in sorted(data.iterdir()):
        is_left_out = SQLITE_ENDING in path.name or path.suffix in (".new", ".lock") or path.name == WORKER_ID
        if path.is_file() and not path.is_symlink() and not is_left_out:
            yield path


def _copy_settings(settings: Settings, config: Path | None, target: Path) -> None:
    plans = [settings.plan, *(Path(source.plan) for source in settings.sources if source.plan)]
    for path in {one for one in (config, *plans) if one is not None}:
        (target / SETTINGS).mkdir(exist_ok=True, mode=0o700)
        shutil.copyfile(path, target / SETTINGS / path.name)
