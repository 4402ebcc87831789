"""``satsuma token``: named tokens with scopes, in the data folder of a collector."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from satsuma_server.access import Scope
from satsuma_server.access.token_file import NamedToken, TokenFile
from satsuma_server.errors import TokenError

from .console import console, fail, output

app = typer.Typer(no_args_is_help=True, help="Tokens with a name and scopes: create, list, rotate and revoke them.")

Name = Annotated[str, typer.Argument(help="The token's name.")]
Data = Annotated[Path, typer.Option(envvar="SATSUMA_DATA", help="The collector's folder.")]
HERE = Path("satsuma-data")
LONGEST_DAYS = 36_500


@app.command()
def create(
    name: Name,
    scope: Annotated[list[Scope], typer.Option(help="What it may do; repeatable.")],
    source: Annotated[
        list[str] | None, typer.Option(help="Write key of a source that it is limited to; repeatable.")
    ] = None,
    days: Annotated[float | None, typer.Option(help="Days until it ends.", min=0.001, max=LONGEST_DAYS)] = None,
    data: Data = HERE,
) -> None:
    """Make a token, and print it: it can't be shown again."""
    try:
        lifetime = timedelta(days=days) if days else None
        token = TokenFile(data).create(name, scope, lifetime=lifetime, sources=source or ())
    except TokenError as error:
        fail(str(error))
    print(token)


@app.command("list")
def list_tokens(data: Data = HERE) -> None:
    """List names, scopes and times of all tokens."""
    try:
        tokens = TokenFile(data).read()
    except TokenError as error:
        fail(str(error))
    table = Table("name", "scopes", "sources", "created", "ends", "the one before is valid until")
    for one in tokens:
        sources = escape(", ".join(one.sources)) or "all"
        table.add_row(escape(one.name), ", ".join(one.scopes), sources, _time(one.created_at), _ends(one), _before(one))
    output.print(table)


@app.command()
def rotate(
    name: Name,
    overlap_hours: Annotated[
        float, typer.Option(help="Hours for which the one before stays valid, too.", min=0, max=24 * LONGEST_DAYS)
    ] = 24,
    data: Data = HERE,
) -> None:
    """Print a new token in place of the one before. Name and scopes stay."""
    try:
        token = TokenFile(data).rotate(name, overlap=timedelta(hours=overlap_hours))
    except TokenError as error:
        fail(str(error))
    print(token)


@app.command()
def revoke(name: Name, data: Data = HERE) -> None:
    """Make a token invalid at once. Logins at the console that began with it end, too."""
    try:
        TokenFile(data).revoke(name)
    except TokenError as error:
        fail(str(error))
    console.print(f"{name}: revoked", markup=False)


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}Z"


def _ends(token: NamedToken) -> str:
    if token.expires_at is None:
        return "never"
    return _time(token.expires_at) if token.expires_at > datetime.now(UTC) else "has ended"


def _before(token: NamedToken) -> str:
    until = [one.until for one in token.valid(datetime.now(UTC)) if one.until is not None]
    return _time(max(until)) if until else ""
