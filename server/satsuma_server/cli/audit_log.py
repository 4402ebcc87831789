"""``satsuma audit-log``: who read, exported, deleted, undid and logged in."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.text import Text

from .client import Client
from .console import HERE, Token, Url, output

MOST = 10_000


def audit_log(
    url: Url = HERE,
    token: Token = "",
    last: Annotated[int, typer.Option("-n", "--last", help="So many of the newest.", min=1, max=MOST)] = 100,
    person: Annotated[str, typer.Option(help="Only entries about this person.", metavar="TYPE:ID")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print entries as they are kept.")] = False,
) -> None:
    """Show the newest entries of the audit log. The token needs the scope `admin`."""
    for line in Client(url, token).audit_log(last, person):
        if as_json:
            print(line)
        else:
            output.print(row(json.loads(line)), soft_wrap=True)


def row(entry: dict[str, Any]) -> Text:
    """Return one entry as a line."""
    refused = "refused" if entry.get("refused") else ""
    told = (entry["at"][:19], entry["token"], entry["action"], entry["route"], entry.get("address", ""), refused)
    return Text("  ".join(part for part in told if part))
