"""How the command talks to people, and the options that its verbs share."""

from __future__ import annotations

from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

console = Console(stderr=True, highlight=False)
output = Console(highlight=False)

Url = Annotated[str, typer.Option(envvar="SATSUMA_URL", help="The collector's origin.")]
Token = Annotated[str, typer.Option(envvar="SATSUMA_TOKEN", help="The collector's token.")]
WriteKey = Annotated[str, typer.Option(envvar="SATSUMA_WRITE_KEY", help="The source.")]

# Filters of stored events; an option that is given several times takes any of its values.
Source = Annotated[list[str] | None, typer.Option(help="Only events of this source, by its write key.")]
Type = Annotated[list[str] | None, typer.Option(help="Only events of this type, as `track`.")]
UserId = Annotated[list[str] | None, typer.Option(help="Only events with this userId.")]
AnonymousId = Annotated[list[str] | None, typer.Option(help="Only events with this anonymousId.")]
ReceivedAfter = Annotated[str | None, typer.Option(help="Only what was received at this time or later (ISO 8601).")]
ReceivedBefore = Annotated[str | None, typer.Option(help="Only what was received before this time (ISO 8601).")]

HERE = "http://127.0.0.1:8000"


def printable(text: str) -> str:
    """Return text that a terminal shows and doesn't obey, whatever somebody sent."""
    return "".join(char if char.isprintable() else "·" for char in text)


def fail(message: str) -> NoReturn:
    """Say what is wrong and end with status 1. Nothing in the message is taken for markup or obeyed by the terminal."""
    told = "\n".join(printable(line) for line in message.splitlines())
    console.print(f"[bold red]satsuma:[/] {escape(told)}", soft_wrap=True)
    raise typer.Exit(1)
