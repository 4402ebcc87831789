"""``satsuma person``: everything that is known of one person."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NoReturn
from urllib.parse import quote

import httpx
import typer
from rich.markup import escape
from rich.table import Column, Table

from .client import Client
from .console import HERE, Token, Url, console, fail, printable
from .console import output as shown

person = typer.Typer(no_args_is_help=True, help="Show, export or delete one person.")

Who = Annotated[
    str, typer.Argument(help="Any of the person's ids, as user_id:42 or anonymous_id:….", metavar="TYPE:ID")
]
Source = Annotated[str, typer.Option(help="Write key, where each source has people of its own.")]

Links = Annotated[
    str,
    typer.Option(
        help="Which links to follow from the id on: verified ones (from a userId also others), or all.",
        metavar="verified|all",
    ),
]

DELETION_SECONDS = 3600
"""How long the whole log may take to be searched."""


@person.command()
def show(who: Who, url: Url = HERE, token: Token = "", source: Source = "") -> None:
    """Show who a person is, and why these ids are one."""
    told = _ask(Client(url, token), "GET", f"/v1/profiles/{quote(who, safe='')}", source).json()
    table = Table(
        Column("id", overflow="fold"),
        Column("first seen", overflow="fold"),
        "events",
        Column("why", overflow="fold"),
        title=f"profile {told['profile']}",
        title_justify="left",
    )
    for one in told["external_ids"]:
        joined = one["joined_by"]
        why = joined["explanation"] if joined else ""
        table.add_row(escape(f"{one['type']}:{one['id']}"), one["created_at"], str(one["events"]), escape(why))
    shown.print(table)
    for name, value in told["traits"].items():
        shown.print(f"  {escape(name)}: {escape(str(value))}", highlight=False)


@person.command()
def export(
    who: Who,
    output: Annotated[Path, typer.Option("-o", "--output", help="File; .zip for an archive, else NDJSON.")],
    links: Links = "verified",
    url: Url = HERE,
    token: Token = "",
    source: Source = "",
) -> None:
    """Write a person's profile, merges and events to a file."""
    form = "zip" if output.suffix == ".zip" else "ndjson"
    answer = _ask(
        Client(url, token), "GET", f"/v1/people/{quote(who, safe='')}/export", source, format=form, links=links
    )
    try:
        output.write_bytes(answer.content)
    except OSError as error:
        fail(f"{output} can't be written: {error.strerror}")
    console.print(f"wrote {output}")


@person.command()
def delete(
    who: Who,
    suppress: Annotated[bool, typer.Option("--suppress", help="Take no events of these ids any more.")] = False,
    links: Links = "verified",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    url: Url = HERE,
    token: Token = "",
    source: Source = "",
) -> None:
    """Delete a person from log, profiles and warehouse, and look into every file whether anything is left."""
    if not yes:
        typer.confirm(f"Delete {who}, with the ids that are linked to it, for good?", abort=True)
    client = Client(url, token)
    path = f"/v1/people/{quote(who, safe='')}"
    told = _ask(client, "DELETE", path, source, timeout=DELETION_SECONDS, suppress=int(suppress), links=links).json()
    erased = told["erased"]
    console.print(f"deleted {escape(_ids(told['identifiers']))}", soft_wrap=True, highlight=False)
    if told["left_out"]:
        left = escape(_ids(told["left_out"]))
        console.print(f"[yellow]left, since nothing verifies that it is the same person:[/] {left}", soft_wrap=True)
    console.print(
        f"{erased['events']} events and {erased['dead_letters']} refused ones erased, {erased['redacted']} events of "
        f"others redacted, {told['warehouse_rows']} rows of the warehouse deleted"
    )
    if suppress:
        console.print("their events are not taken any more")
    if told["too_short_to_look_for"]:
        console.print(
            f"[yellow]too short to look for in files:[/] {escape(printable(', '.join(told['too_short_to_look_for'])))}"
        )
    for one in told.get("not_searched", ()):
        console.print(f"[yellow]not searched:[/] {escape(one)}", soft_wrap=True)
    if told["still_found_in"]:
        fail(f"still found in {', '.join(told['still_found_in'])}: remove these files by hand")
    console.print("nothing of these ids is left in any file of the collector")


def _ids(told: list[dict[str, str]]) -> str:
    return printable(", ".join(f"{one['type']}:{one['id']}" for one in told))


def _ask(client: Client, method: str, path: str, source: str, timeout: float = 60, **params: Any) -> httpx.Response:
    try:
        answer = client.http.request(method, path, params={"source": source, **params}, timeout=timeout)
    except httpx.TransportError as error:
        fail(f"{client.url} can't be reached: {error}")
    if answer.status_code != 200:
        _explain(client, answer)
    return answer


def _explain(client: Client, answer: httpx.Response) -> NoReturn:
    if answer.status_code == 401:
        fail("the token is missing or wrong: give --token or SATSUMA_TOKEN")
    try:
        reason = answer.json()["error"]["message"]
    except (ValueError, KeyError, TypeError):
        reason = answer.text[:300]
    fail(f"{client.url} answers {answer.status_code}: {reason}")
