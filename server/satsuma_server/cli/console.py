"""How the command talks to people, and the options that its verbs share."""

from __future__ import annotations

from typing import Annotated, NoReturn

import typer
from rich.console import Console

console = Console(stderr=True, highlight=False)
output = Console(highlight=False)

Url = Annotated[str, typer.Option(envvar="SATSUMA_URL", help="The collector's origin.")]
Token = Annotated[str, typer.Option(envvar="SATSUMA_TOKEN", help="The collector's token.")]
WriteKey = Annotated[str, typer.Option(envvar="SATSUMA_WRITE_KEY", help="The source.")]

HERE = "http://127.0.0.1:8000"


def fail(message: str) -> NoReturn:
    """Say what is wrong and end with status 1."""
    console.print(f"[bold red]satsuma:[/] {message}", soft_wrap=True)
    raise typer.Exit(1)
