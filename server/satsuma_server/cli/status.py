"""``satsuma status``: how the whole set-up is doing."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import httpx
import msgspec
import typer
from rich.table import Table
from rich.text import Text
from satsuma.errors import SatsumaError

from satsuma_server.log.jetstream.options import NatsSettings
from satsuma_server.log.opening import MISSING
from satsuma_server.settings import log_of
from satsuma_server.status import CollectorStatus

from .console import HERE, Token, fail, output, printable

Seen = CollectorStatus | str
"""A collector's status, or why it has none to tell."""


def status(
    url: Annotated[
        list[str] | None,
        typer.Option(envvar="SATSUMA_URL", help="A collector's origin; repeatable.", show_default=HERE),
    ] = None,
    token: Token = "",
    config: Annotated[
        Path | None, typer.Option(envvar="SATSUMA_CONFIG", help="The collectors' settings, for a log on NATS.")
    ] = None,
    log: Annotated[
        str | None, typer.Option(envvar="SATSUMA_LOG", help="Servers that keep the log, as the collectors have them.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Tell how collectors, the log, its followers and destinations are doing. Ends with 1 where one can't be asked."""
    seen = {one: _ask(one.rstrip("/"), token) for one in url or [HERE]}
    try:
        servers, options = log_of(config, log)
        cluster = _look(servers, options) if servers else None
    except SatsumaError as error:
        fail(str(error))
    if as_json:
        told = {one: {"unreachable": at} if isinstance(at, str) else at for one, at in seen.items()}
        print(msgspec.json.encode({"collectors": told, "log_servers": cluster}).decode())
    else:
        for one, at in seen.items():
            _show(one, at)
        if cluster is not None:
            output.print(_table({f"servers: {name}": str(value) for name, value in cluster.items()}))
    well = all(not isinstance(at, str) and at.problem is None for at in seen.values())
    if not well or "problem" in (cluster or {}):
        raise typer.Exit(1)


def _ask(url: str, token: str) -> Seen:
    try:
        answer = httpx.get(f"{url}/v1/status", headers={"Authorization": f"Bearer {token}"}, timeout=30)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"can't be reached: {error}"
    if answer.status_code == 401:
        return "the token is missing or wrong: give --token or SATSUMA_TOKEN"
    if answer.status_code != 200:
        return f"answers {answer.status_code}: {answer.text[:200]}"
    try:
        return msgspec.json.decode(answer.content, type=CollectorStatus)
    except msgspec.DecodeError as error:
        return f"is of another version: {error}"


def _look(servers: str, options: NatsSettings) -> dict[str, Any]:
    try:
        from satsuma_server.log.jetstream.inspection import look_at
    except ImportError:
        return {"problem": MISSING}
    try:
        state = asyncio.run(look_at(servers, options))
    except SatsumaError as error:
        return {"problem": str(error)}
    if state is None:
        return {"problem": f"there is no stream {options.stream}"}
    return {"replicas": state.replicas, "behind": state.behind, "filled": round(state.filled, 3)}


def _show(url: str, at: Seen) -> None:
    output.print(Text(url, style="bold"))
    if isinstance(at, str):
        output.print(Text(f"  {printable(at)}", style="red"))
        return
    rows = {
        "versions": f"Satsuma {at.satsuma}, Python {at.python}",
        "log": f"{at.log.place}, newest event {at.log.last:,}, {at.log.pending:,} waiting, {at.log.filled:.0%} filled",
        "since its start": ", ".join(f"{count:,} {name}" for name, count in at.events.items()),
        "free on its disk": f"{at.disk_free >> 20:,} MiB",
    }
    for one in at.followers:
        more = f"{', paused' * one.paused}{f', {one.failed:,} failed' if one.failed else ''}"
        rows[f"{one.kind} {printable(one.name)}"] = f"{one.lag:,} behind{more}"
    if at.problem:
        rows["problem"] = printable(at.problem)
    output.print(_table(rows))


def _table(rows: dict[str, str]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2))
    for name, value in rows.items():
        table.add_row(Text(name), Text(value, style="red" if name.endswith("problem") else ""))
    return table
