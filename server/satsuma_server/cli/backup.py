"""``satsuma backup`` and ``satsuma restore``."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import httpx
import typer
from satsuma.errors import SatsumaError

from satsuma_server.identity.identifiers import Key
from satsuma_server.settings import Settings, make_settings

from .client import decoded
from .console import HERE, Token, Url, console, fail

PATIENCE_SECONDS = 3600

Data = Annotated[Path | None, typer.Option(envvar="SATSUMA_DATA", help="The collector's folder.")]
Config = Annotated[Path | None, typer.Option(envvar="SATSUMA_CONFIG", help="The collector's settings in a TOML file.")]
Log = Annotated[str | None, typer.Option(envvar="SATSUMA_LOG", help="Servers that keep the log, as the collector's.")]


def backup(
    folder: Annotated[Path, typer.Argument(help="A new folder for the backup.")],
    data: Data = None,
    config: Config = None,
    log: Log = None,
    url: Url = HERE,
    token: Token = "",
) -> None:
    """Copy everything that a collector keeps into a new folder, on the collector's machine. It runs on meanwhile."""
    from satsuma_server.backup.creation import create

    try:
        settings = _settings(data, config, log)
        copy_warehouse = partial(_copy_warehouse, settings, url, token)
        made = asyncio.run(create(settings, config, folder, copy_warehouse))
    except SatsumaError as error:
        fail(str(error))
    console.print(f"wrote {len(made.files)} files, {made.size:,} bytes, with all events up to {made.last:,}: {folder}")
    if settings.suppression_secret_file is not None:
        console.print(f"[yellow]not in it:[/] {settings.suppression_secret_file}. Keep a copy of it at another place.")


def restore(
    folder: Annotated[Path, typer.Argument(help="The folder of the backup.")],
    data: Data = None,
    config: Config = None,
    log: Log = None,
    deletions: Annotated[
        list[Path] | None,
        typer.Option(help="A later data folder, backup or deleted.txt: who was deleted since is deleted again."),
    ] = None,
) -> None:
    """Put a backup into a new data folder. Start a collector with the same settings on it afterwards."""
    from satsuma_server.backup.restoration import restore as restored

    try:
        settings = _settings(data, config, log)
        manifest = asyncio.run(restored(settings, folder, deletions or (), _forget))
    except SatsumaError as error:
        fail(str(error))
    console.print(f"restored what was there at {manifest.made_at} into {settings.data}")
    if not deletions:
        console.print(
            "[yellow]People who were deleted after that are there again.[/] To have them deleted, restore into an "
            "empty folder with --deletions and a later data folder, backup or deleted.txt; or delete them yourself."
        )


async def _forget(settings: Settings, keys: Collection[Key]) -> None:
    """Run a collector that nobody can reach, and that hands nothing on, for as long as it takes to delete people."""
    from satsuma_server.app import create_app

    app = create_app(replace(settings, destinations=(), worker=True))
    async with app.router.lifespan_context(app):
        found = await app.state.deletion.repeat(keys)
    console.print(f"deleted {len(keys):,} ids again that were deleted after the backup")
    if found:
        console.print(f"[yellow]still found in:[/] {', '.join(found)}")


def _settings(data: Path | None, config: Path | None, log: str | None) -> Settings:
    return make_settings(config, {"data": data, "log": log, "accept_any_key": True})


def _copy_warehouse(settings: Settings, url: str, token: str, target: Path) -> None:
    """Have the running collector copy its warehouse, or copy it here where none runs."""
    from satsuma_server.warehouse import COPY, FILE, FOLDER, Status
    from satsuma_server.warehouse.query import offline

    folder = settings.data / FOLDER
    if not (folder / FILE).exists():
        return
    if token:
        try:
            headers = {"Authorization": f"Bearer {token}"}
            answer = httpx.post(f"{url.rstrip('/')}/v1/warehouse/copy", headers=headers, timeout=PATIENCE_SECONDS)
            decoded(answer, url, Status)
            (folder / COPY).rename(target)
            return
        except FileNotFoundError:
            fail(f"the collector at {url} has another data folder than {settings.data}: check --url and --data")
        except httpx.ConnectError:
            pass
        except (httpx.HTTPError, OSError) as error:
            fail(f"{url} gives no copy of the warehouse: {error}")
    try:
        offline.copy(settings, target)
    except SatsumaError as error:
        if "lock" in str(error):
            fail("a collector has the warehouse open: name it with --url and --token (SATSUMA_URL, SATSUMA_TOKEN)")
        raise
