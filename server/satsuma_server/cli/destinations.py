"""``satsuma destinations``: where events go on to."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import httpx
import msgspec
import typer
from rich import box
from rich.markup import escape
from rich.table import Table
from rich.text import Text
from satsuma.errors import SatsumaError

from satsuma_server.destinations import DeletionRequest, DestinationStatus, Failed
from satsuma_server.destinations.routes import Resent
from satsuma_server.settings import make_settings

from .client import decoded
from .console import HERE, Token, Url, console, fail, output, printable

app = typer.Typer(no_args_is_help=True, help="Where events go on to: list, test, pause, replay, and what has failed.")

Name = Annotated[str, typer.Argument(help="The destination's name in the settings.")]
Config = Annotated[Path, typer.Option(envvar="SATSUMA_CONFIG", help="Settings in a TOML file.")]
Limit = Annotated[int, typer.Option(help="Most of them, the newest first.", min=1, max=1000)]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON object a line.")]
PATIENCE_SECONDS = 60
COLOURS = {"running": "green", "waiting": "yellow", "paused": "cyan", "broken": "bold red"}


@app.command("list")
def list_destinations(url: Url = HERE, token: Token = "") -> None:
    """Tell how each is doing."""
    found = _ask(url, token, list[DestinationStatus], "GET", "/v1/destinations")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("name", "type", "to", "state", "behind", "sent", "retried", "failed", "skipped"):
        table.add_column(column, no_wrap=column in ("name", "state"), overflow="fold")
    for one in found:
        counts = [one.counts.delivered, one.counts.retried, one.failed_kept, one.counts.skipped]
        numbers = [f"{count:,}" for count in (one.lag, *counts)]
        table.add_row(one.name, one.type, escape(one.address), Text(one.state, COLOURS.get(one.state, "")), *numbers)
    output.print(table)
    for one in found:
        if one.problem:
            output.print(Text(f"{one.name}: {printable(one.problem)}", style="yellow"))


@app.command()
def test(
    name: Name,
    event: Annotated[Path, typer.Argument(help="A file with one event as JSON; - reads it from standard input.")],
    config: Config,
    source: Annotated[str, typer.Option(help="The write key that it came with.")] = "test",
) -> None:
    """Print the request that would go for an event. Nothing is sent, and secrets are not shown."""
    from satsuma_server.destinations.preview import preview

    try:
        text = sys.stdin.buffer.read() if str(event) == "-" else event.read_bytes()
        given = msgspec.json.decode(text, type=dict[str, Any])
    except (OSError, msgspec.DecodeError) as error:
        fail(f"{event} can't be read: {error}")
    try:
        settings = make_settings(config, {"accept_any_key": True})
        chosen = next((one for one in settings.destinations if one.name == name), None)
        if chosen is None:
            fail(f"{config} has no destination {name!r}")
        told = asyncio.run(preview(chosen, source, given))
    except SatsumaError as error:
        fail(str(error))
    if told.why_not is not None:
        console.print(f"It does not go to {name}: {told.why_not}.", markup=False)
        raise typer.Exit(1)
    print("\n\n".join(told.requests))


@app.command()
def pause(name: Name, url: Url = HERE, token: Token = "") -> None:
    """Stop it until it is resumed. Events wait in the log, for as long as that keeps them."""
    _say(_ask(url, token, DestinationStatus, "POST", _path(name, "pause")))


@app.command()
def resume(name: Name, url: Url = HERE, token: Token = "") -> None:
    """Let it go on. Where it waits before its next try, it tries at once."""
    _say(_ask(url, token, DestinationStatus, "POST", _path(name, "resume")))


@app.command()
def replay(
    name: Name,
    seq: Annotated[int | None, typer.Option(help="From this event on.", min=0)] = None,
    since: Annotated[str | None, typer.Option(help="From what was received at this time on (ISO 8601).")] = None,
    url: Url = HERE,
    token: Token = "",
) -> None:
    """Deliver events again, with the same keys, up to the newest. New events follow after them."""
    if (seq is None) is (since is None):
        fail("give one of --seq and --since")
    body = {"seq": seq} if since is None else {"since": since}
    _say(_ask(url, token, DestinationStatus, "POST", _path(name, "replay"), body))


@app.command()
def failed(
    name: Name,
    limit: Limit = 100,
    as_json: AsJson = False,
    url: Url = HERE,
    token: Token = "",
) -> None:
    """Show what was set aside, with the answer that was got."""
    found = _ask(url, token, list[Failed], "GET", f"{_path(name, 'failed')}?limit={limit}")
    if as_json:
        _print_lines(found)
        return
    table = Table("id", "event", "when", "tries", "reason", "answer")
    for one in found:
        reason = f"{one.reason} (is sent again)" if one.resending else one.reason
        table.add_row(str(one.id), str(one.seq), _time(one.at), str(one.tries), _text(reason), _text(one.answer))
    output.print(table)


@app.command()
def deletions(
    name: Name,
    limit: Limit = 100,
    as_json: AsJson = False,
    url: Url = HERE,
    token: Token = "",
) -> None:
    """Show which requests to delete people wait, were acknowledged or failed. The people are not named."""
    found = _ask(url, token, list[DeletionRequest], "GET", f"{_path(name, 'deletions')}?limit={limit}")
    if as_json:
        _print_lines(found)
        return
    table = Table("id", "asked", "state", "tries", "status", "reason", "answer")
    for one in found:
        row = (str(one.id), _time(one.asked_at), one.state, str(one.tries), str(one.status or ""))
        table.add_row(*row, _text(one.reason), _text(one.answer))
    output.print(table)


@app.command()
def resend(
    name: Name,
    ids: Annotated[list[int] | None, typer.Argument(help="Ids that `failed` shows.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them, and failed deletions.")] = False,
    url: Url = HERE,
    token: Token = "",
) -> None:
    """Send again what was set aside."""
    if bool(ids) is everything:
        fail("give ids, or --all")
    told = _ask(url, token, Resent, "POST", _path(name, "resend"), {"ids": ids or None})
    console.print(f"{told.resending:,} are sent again")


def _path(name: str, part: str) -> str:
    if not name.replace("-", "").replace("_", "").isalnum():
        fail(f"{name!r} is no name of a destination")
    return f"/v1/destinations/{name}/{part}"


def _ask[T](url: str, token: str, kind: type[T], method: str, path: str, body: Any = None) -> T:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    content = b"" if body is None else json.dumps(body).encode()
    try:
        with httpx.Client(base_url=url, timeout=PATIENCE_SECONDS, headers=headers) as client:
            answer = client.request(method, path, content=content)
    except httpx.HTTPError as error:
        fail(f"{url} can't be reached: {error}")
    return decoded(answer, url, kind)


def _say(status: DestinationStatus) -> None:
    console.print(f"{status.name}: {status.state}, {status.lag:,} events behind", markup=False)


def _print_lines(found: Iterable[msgspec.Struct]) -> None:
    for one in found:
        print(msgspec.json.encode(one).decode())


def _time(milliseconds: float) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d %H:%M:%S}Z"


def _text(value: str) -> Text:
    """Return a text for a terminal, which obeys nothing in it: a service has sent it."""
    return Text(printable(value)[:200])
