"""Pages of reference, as Markdown: the commands, and the HTTP API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import typer
from satsuma_server.cli import app
from satsuma_server.openapi import document


def commands() -> str:
    """Return a page on all commands of ``satsuma``, from their own help."""
    root = typer.main.get_command(app)
    told = "\n".join(line for command in _walk(root, ("satsuma",)) for line in command)
    return f"# Commands\n\n{told}\n"


def _walk(command: Any, path: tuple[str, ...]) -> Iterator[Sequence[str]]:
    # Typer has a copy of click of its own, so a command's kind is told by what it has.
    if hasattr(command, "commands"):
        for name, inner in command.commands.items():
            yield from _walk(inner, (*path, name))
        return
    context = command.context_class(command, info_name=" ".join(path))
    yield f"## `{' '.join(path)}`", "", command.help or "", "", "```text", command.get_usage(context), "```", ""
    rows = [row for row in map(_option, command.params) if row]
    if rows:
        yield "| option | what it does |", "|---|---|", *rows, ""


def _option(one: Any) -> str:
    about = (getattr(one, "help", "") or "").replace("|", "\\|").replace("\n", " ")
    if one.param_type_name != "option":
        return f"| `{one.name}` | {about} |"
    if one.hidden:
        return ""
    names = ", ".join(f"`{name}`" for name in (*one.opts, *one.secondary_opts))
    default = one.default
    shown = f" Default: `{default}`." if isinstance(default, (str, int, float)) and default not in ("", False) else ""
    return f"| {names} | {about}{shown} |"


def http() -> str:
    """Return a page on all paths of the collector, from its OpenAPI document."""
    rows = [
        f"| `{method.upper()}` | `{path}` | {operation.get('summary', '')} |"
        for path, methods in document(worker=True)["paths"].items()
        for method, operation in methods.items()
        if isinstance(operation, dict)
    ]
    head = "| method | path | what it is for |\n|---|---|---|\n"
    return (
        "# HTTP\n\nA running collector describes itself at `/openapi.json`, with schemas and errors. Its paths:"
        f"\n\n{head}" + "\n".join(rows) + "\n"
    )
