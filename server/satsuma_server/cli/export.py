"""``satsuma export``: the log as NDJSON."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn

from .client import Client, event_filters
from .console import HERE, AnonymousId, ReceivedAfter, ReceivedBefore, Source, Token, Type, Url, UserId, console, fail


def export(
    url: Url = HERE,
    token: Token = "",
    output: Annotated[Path | None, typer.Option("-o", "--output", help="File; standard output by default.")] = None,
    after: Annotated[int, typer.Option(help="Only events after this seq.")] = 0,
    source: Source = None,
    type: Type = None,
    user_id: UserId = None,
    anonymous_id: AnonymousId = None,
    received_after: ReceivedAfter = None,
    received_before: ReceivedBefore = None,
) -> None:
    """Write stored events, one a line, in the log's order. `satsuma replay` takes them back."""
    filters = event_filters(source, type, user_id, anonymous_id, received_after, received_before)
    try:
        file = output.open("w", encoding="utf-8") if output else sys.stdout
    except OSError as error:
        fail(f"{output} can't be written: {error.strerror}")
    with Progress(SpinnerColumn(), TextColumn("{task.completed:,.0f} events"), console=console) as progress:
        task = progress.add_task("export", total=None)
        for line in Client(url, token).events(after, filters):
            file.write(f"{line}\n")
            progress.advance(task)
    file.flush()
    if output:
        file.close()
