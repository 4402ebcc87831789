"""Restores a backup into a new data folder, and into new databases where the settings name some."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import replace
from pathlib import Path

import duckdb

from satsuma_server.disk import room_for
from satsuma_server.errors import BackupError
from satsuma_server.identity.identifiers import Key
from satsuma_server.identity.rules import SQLITE
from satsuma_server.log.holds import BACKUP, BEYOND
from satsuma_server.log.opening import open_for_reading
from satsuma_server.privacy import deleted_ids
from satsuma_server.privacy.deleted_ids import DeletedIds
from satsuma_server.privacy.suppression import read_secret
from satsuma_server.settings import Settings
from satsuma_server.warehouse import EMBEDDED
from satsuma_server.warehouse import FILE as WAREHOUSE_FILE
from satsuma_server.warehouse import FOLDER as WAREHOUSE_FOLDER
from satsuma_server.warehouse.schema.names import OWN_SCHEMA, quoted

from . import profiles_postgres
from .creation import NATS, ROOM
from .deletions import DATA, LaterRecord, find_deleted, read_records, take_over
from .manifest import Manifest, check_files, read_manifest

Forget = Callable[[Settings, Collection[Key]], Awaitable[None]]
"""Deletes identifiers from a data folder that no collector uses yet, and from the stores that its settings name."""


async def _keep_all(settings: Settings, keys: Collection[Key]) -> None: ...


async def restore(
    settings: Settings, source: Path, records: Iterable[Path] = (), forget: Forget = _keep_all
) -> Manifest:
    """Restore the backup in the folder `source`, and return its manifest.

    Nothing that is there is overwritten: the data folder must be empty or missing, Postgres and NATS must have nothing
    of Satsuma's. The data folder appears as a whole at the end, or not at all.

    Args:
        settings: the settings of the collector to come, which name its data folder.
        source: the backup.
        records: later records of deletions; the first one goes into the data folder, with the suppression list beside
            it.
        forget: deletes again who was deleted since the backup was made, as the records say.

    Raises:
        BackupError: the backup is damaged or not whole, or there is something where it would go.
        UnavailableError: a server that the settings name can't be reached.
    """
    manifest = read_manifest(source)
    _check(settings, source, manifest)
    check_files(source, manifest)
    secret = read_secret(settings.suppression_secret_file, settings.data)
    later = read_records(records, secret)
    data = settings.data.absolute()
    made = data.with_name(f"{data.name}.restoring-{uuid.uuid4().hex[:8]}")
    try:
        try:
            _copy(source / DATA, made)
            if settings.warehouse.destination != EMBEDDED:
                _copy_again(made / WAREHOUSE_FOLDER / WAREHOUSE_FILE)
            if settings.profiles.store != SQLITE:
                profiles_postgres.load(settings.profiles.store, source)
            if settings.log is not None:
                from satsuma_server.log.jetstream.snapshot import load

                await load(settings.log, settings.nats, source / NATS)
            new = replace(settings, data=made)
            await _set_cursors(new, manifest)
            if later:
                await _forget_again(new, DeletedIds(source / DATA / deleted_ids.FILE, secret), later, forget)
            if data.exists():
                data.rmdir()
            made.rename(data)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as error:
        raise BackupError(f"the backup can't be restored: {error}") from error
    return manifest


async def _forget_again(settings: Settings, earlier: DeletedIds, later: list[LaterRecord], forget: Forget) -> None:
    keys = await find_deleted(settings, earlier, later)
    # First, so that nobody is kept whom the later list keeps out.
    take_over(later[0], settings.data)
    if keys:
        await forget(settings, keys)


def _check(settings: Settings, source: Path, manifest: Manifest) -> None:
    if settings.data.exists() and (not settings.data.is_dir() or any(settings.data.iterdir())):
        raise BackupError(f"{settings.data} is not empty: name a new folder with --data, or move that one away")
    if (manifest.log == "nats") != (settings.log is not None):
        has, advice = ("lies on NATS", "set") if manifest.log == "nats" else ("is a file", "leave out")
        raise BackupError(f"the log of this backup {has}: {advice} the setting log")
    in_postgres = (source / profiles_postgres.FOLDER).exists()
    if in_postgres != (settings.profiles.store != SQLITE):
        where = "in Postgres" if in_postgres else "in a file"
        raise BackupError(f"the profiles of this backup were {where}: set profiles.store as it was")
    folder, free = room_for(settings.data.absolute().parent)
    if free < manifest.size + ROOM:
        raise BackupError(f"the backup has {manifest.size >> 20:,} MiB, and {folder} has {free >> 20:,} MiB free")


def _copy(source: Path, target: Path) -> None:
    target.mkdir(mode=0o700, parents=True)
    for path in sorted(source.rglob("*")):
        to = target / path.relative_to(source)
        if path.is_dir():
            to.mkdir(mode=0o700)
        else:
            shutil.copyfile(path, to)
            to.chmod(0o600)


def _copy_again(warehouse: Path) -> None:
    """Forget how much of the tables the other database has, so that its copy becomes the same as the restored ones."""
    if warehouse.exists():
        try:
            with duckdb.connect(str(warehouse)) as connection:
                state = f"{quoted(OWN_SCHEMA)}.state"
                connection.execute(f"DELETE FROM {state} WHERE name LIKE 'copied %' OR name LIKE 'kinds %'")  # noqa: S608
        except duckdb.Error as error:
            raise BackupError(f"the warehouse can't be changed: {error}") from error


async def _set_cursors(settings: Settings, manifest: Manifest) -> None:
    """Set the log's cursors back to where the followers' stores are. They were copied a little earlier."""
    log = open_for_reading(settings.data, settings.log, settings.nats)
    try:
        for name, seq in manifest.cursors.items():
            await log.save_cursor(name, seq)
        if settings.log is not None:
            await log.save_cursor(BACKUP, BEYOND)
    finally:
        await log.close()
