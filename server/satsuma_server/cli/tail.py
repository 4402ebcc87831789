"""``satsuma tail``: events as they come."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.text import Text

from .client import Client, event_filters
from .console import (
    HERE,
    AnonymousId,
    ReceivedAfter,
    ReceivedBefore,
    Source,
    Token,
    Type,
    Url,
    UserId,
    output,
    printable,
)

COLOURS = {
    "identify": "green",
    "track": "dark_orange",
    "page": "cyan",
    "screen": "cyan",
    "group": "magenta",
    "alias": "yellow",
}
LONGEST = 40


def tail(
    url: Url = HERE,
    token: Token = "",
    last: Annotated[int, typer.Option("-n", "--last", help="Begin with so many of the newest.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print events as they are stored.")] = False,
    source: Source = None,
    type: Type = None,
    user_id: UserId = None,
    anonymous_id: AnonymousId = None,
    received_after: ReceivedAfter = None,
    received_before: ReceivedBefore = None,
) -> None:
    """Show events as the collector stores them, until Ctrl-C."""
    filters = event_filters(source, type, user_id, anonymous_id, received_after, received_before)
    try:
        for line in Client(url, token).follow(last, filters):
            if as_json:
                print(line, flush=True)
            else:
                output.print(row(json.loads(line)), soft_wrap=True)
    except KeyboardInterrupt:
        return


def row(event: dict[str, Any]) -> Text:
    """Return one event as a line. Nothing in it is taken for markup: events hold whatever somebody sent."""
    what = event.get("event") or event.get("name") or event.get("groupId") or event.get("previousId") or ""
    who = event.get("userId") or event.get("anonymousId") or ""
    kind = event["type"]
    return Text.assemble(
        (event["receivedAt"][11:23], "dim"),
        "  ",
        (f"{kind:<9}", COLOURS.get(kind, "")),
        f"{_plain(what):<{LONGEST}}  ",
        (_plain(who), "bold" if event.get("userId") else "dim"),
    )


def _plain(value: object) -> str:
    """Return text that a terminal shows and doesn't obey."""
    text = printable(str(value))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
