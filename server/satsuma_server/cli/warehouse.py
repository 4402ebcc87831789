"""``satsuma sql`` and ``satsuma warehouse …``: the tables that are built from the log."""

from __future__ import annotations

import csv
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import httpx
import typer
from rich import box
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text
from satsuma.errors import SatsumaError

from satsuma_server.settings import Settings, make_settings
from satsuma_server.warehouse import Answer, Status

from .client import decoded
from .console import HERE, Token, Url, console, fail, output, printable

LONGEST_CELL = 60
PATIENCE_SECONDS = 600
LOOK_SECONDS = 0.2
MOST_SHOWN = 20
PROBLEMS = {
    "unreadable": "not readable",
    "types": "values that don't fit a pinned type",
    "held": "held, since too many new names came",
    "pinned": "not as pinned before the tables are rebuilt",
}
"""What the notices of a status mean that are about no bound."""

Data = Annotated[Path | None, typer.Option(envvar="SATSUMA_DATA", help="Folder of a collector that doesn't run.")]
Config = Annotated[Path | None, typer.Option(envvar="SATSUMA_CONFIG", help="Settings in a TOML file.")]

warehouse = typer.Typer(no_args_is_help=True, help="The tables that are built from the log.")


def sql(
    query: Annotated[str, typer.Argument(help="One SELECT; - reads it from standard input.")],
    url: Url = HERE,
    token: Token = "",
    data: Data = None,
    config: Config = None,
    limit: Annotated[int, typer.Option(help="Most rows, up to 10,000.")] = 1000,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object a line.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Have the newest events put into the tables first.")] = False,
) -> None:
    """Ask the tables. A running collector is asked with --token; without one, the folder --data."""
    text = sys.stdin.read() if query == "-" else query
    body = {"query": text, "limit": limit, "fresh": fresh}
    answer = _ask(url, token, Answer, "POST", "/v1/sql", body)
    if answer is None:
        answer = _offline(data, config, lambda offline, settings: offline.ask(settings, text, limit))
    if as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow([column.name for column in answer.columns])
        writer.writerows([[_text(value) for value in row] for row in answer.rows])
    elif as_json:
        for row in answer.rows:
            print(json.dumps(dict(zip([column.name for column in answer.columns], row, strict=True))))
    else:
        _show(answer)
    if answer.truncated:
        console.print(f"[yellow]There is more[/] than these {len(answer.rows)} rows: ask with --limit, or for less.")


@warehouse.command("status")
def show_status(url: Url = HERE, token: Token = "", data: Data = None, config: Config = None) -> None:
    """Tell how far the tables are, and what keeps them."""
    status = _ask(url, token, Status, "GET", "/v1/warehouse")
    _tell(status or _offline(data, config, lambda offline, settings: offline.status(settings)))


@warehouse.command()
def rebuild(
    url: Url = HERE,
    token: Token = "",
    data: Data = None,
    config: Config = None,
    even_without: Annotated[
        bool, typer.Option("--even-without", help="Though the log no longer has its first events.")
    ] = False,
) -> None:
    """Build all tables anew from the log. A running collector goes on meanwhile, and so do questions."""
    path = f"/v1/warehouse/rebuild{'?even_without=1' * even_without}"
    status = _ask(url, token, Status, "POST", path)
    if status is None:
        _tell(_offline(data, config, lambda offline, settings: offline.rebuild(settings, even_without=even_without)))
        return
    with Progress(TextColumn("rebuilding"), BarColumn(), MofNCompleteColumn(), console=console) as progress:
        task = progress.add_task("rebuild", total=None)
        while status.lag:
            progress.update(task, completed=status.cursor, total=status.cursor + status.lag)
            time.sleep(LOOK_SECONDS)
            status = _ask(url, token, Status, "GET", "/v1/warehouse") or status
    _tell(status)


@warehouse.command()
def allow(
    name: Annotated[str, typer.Argument(help="schema.table.column, schema.table, or a schema for all in it.")],
    url: Url = HERE,
    token: Token = "",
    data: Data = None,
    config: Config = None,
) -> None:
    """Let tables or columns come that are held, or were dropped. Earlier events need a rebuild."""
    status = _ask(url, token, Status, "POST", f"/v1/warehouse/allow?{urlencode({'name': name})}")
    _tell(status or _offline(data, config, lambda offline, settings: offline.allow(settings, name)))


@warehouse.command()
def drop(
    name: Annotated[str, typer.Argument(help="schema.table of an event, or schema.table.column.")],
    url: Url = HERE,
    token: Token = "",
    data: Data = None,
    config: Config = None,
) -> None:
    """Remove the table of an event, or a column. It doesn't come again before it is allowed; no event is lost."""
    status = _ask(url, token, Status, "POST", f"/v1/warehouse/drop?{urlencode({'name': name})}")
    _tell(status or _offline(data, config, lambda offline, settings: offline.drop(settings, name)))


def _ask[T](url: str, token: str, kind: type[T], method: str, path: str, body: Any = None) -> T | None:
    """Return the answer of the collector at `url`, None where none runs there or nobody gave its token."""
    if not token:
        return None
    try:
        with httpx.Client(base_url=url, timeout=PATIENCE_SECONDS) as client:
            answer = client.request(method, path, json=body, headers={"Authorization": f"Bearer {token}"})
    except httpx.ConnectError:
        return None
    except httpx.HTTPError as error:
        fail(f"{url} does not answer: {error}")
    return decoded(answer, url, kind)


def _offline[T](data: Path | None, config: Path | None, work: Callable[[Any, Settings], T]) -> T:
    from satsuma_server.warehouse.query import offline

    try:
        return work(offline, make_settings(config, {"data": data, "accept_any_key": True}))
    except SatsumaError as error:
        problem = str(error)
    if "lock" in problem:
        problem = "a collector has this folder open: ask it with --url and --token (SATSUMA_URL, SATSUMA_TOKEN)"
    return fail(problem)


def _show(answer: Answer) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in answer.columns:
        is_number = column.type in ("BIGINT", "DOUBLE", "INTEGER", "HUGEINT") or column.type.startswith("DECIMAL")
        table.add_column(Text(column.name), justify="right" if is_number else "left", overflow="fold")
    for row in answer.rows:
        table.add_row(*[_cell(value) for value in row])
    output.print(table)
    count = len(answer.rows)
    console.print(f"[dim]{count} row{'s' * (count != 1)} in {answer.seconds:.3f} s[/]")


def _cell(value: Any) -> Text:
    """Return a value for a terminal. Nothing in it is taken for markup, or obeyed: it is whatever somebody sent."""
    if value is None:
        return Text("–", style="dim")
    text = printable(_text(value))
    return Text(text if len(text) <= LONGEST_CELL else f"{text[: LONGEST_CELL - 1]}…")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _tell(status: Status) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_row("destination", status.destination)
    table.add_row("newest event in the tables", f"{status.cursor:,}")
    table.add_row("events behind the log", f"{status.lag:,}")
    table.add_row("last load", status.loaded_at or "none yet")
    for schema, cursor in status.copied.items():
        table.add_row(f"copied of {schema}", f"{cursor:,}")
    if status.problem:
        table.add_row("problem", Text(status.problem, style="bold red"))
    if status.held:
        more = f" and {len(status.held) - MOST_SHOWN:,} more" if len(status.held) > MOST_SHOWN else ""
        table.add_row("held, to allow or drop", Text(", ".join(status.held[:MOST_SHOWN]) + more, style="yellow"))
    for notice in status.notices:
        what = PROBLEMS.get(notice.what) or f"no room for more {notice.what}"
        told = f"{what}: {notice.count:,} events since {notice.name!r}"
        table.add_row(Text(f"in {notice.where}" if notice.where else "in all"), Text(told, style="yellow"))
    output.print(table)
