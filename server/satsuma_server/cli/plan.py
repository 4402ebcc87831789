"""``satsuma plan``: tracking plans, made from recorded events and held against them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from satsuma_server.errors import PlanError
from satsuma_server.plans import infer_plan, read_plan, write_plan

from .client import Client
from .console import HERE, Token, Url, console, fail, output

File = Annotated[Path | None, typer.Option("-f", "--file", help="Events as NDJSON, in place of a collector's.")]

app = typer.Typer(no_args_is_help=True, help="Tracking plans: which events there are, and what each must hold.")


@app.command()
def infer(
    url: Url = HERE,
    token: Token = "",
    file: File = None,
    title: Annotated[str, typer.Option(help="The plan's title.")] = "Tracking plan",
    into: Annotated[Path | None, typer.Option("-o", "--output", help="File; standard output by default.")] = None,
) -> None:
    """Write a first plan from recorded events: one that all of them keep."""
    plan = infer_plan(_events(url, token, file), title)
    text = write_plan(plan)
    if into is None:
        print(text, end="")
        return
    try:
        into.write_text(text, encoding="utf-8")
    except OSError as error:
        fail(f"{into} can't be written: {error.strerror}")
    console.print(f"{into}: {len(plan.track)} events, {len(plan.calls)} other calls", soft_wrap=True)


@app.command()
def check(
    plan: Annotated[Path, typer.Argument(help="The plan.")],
    url: Url = HERE,
    token: Token = "",
    file: File = None,
) -> None:
    """Hold recorded events against a plan; end with status 1 where any is not as planned."""
    try:
        chosen = read_plan(plan)
    except PlanError as error:
        fail(str(error))
    counts: Counter[str] = Counter()
    events = 0
    for event in _events(url, token, file):
        events += 1
        counts.update(str(violation) for violation in chosen.check(event))
    for text, count in counts.most_common():
        output.print(f"{count:6}  {text}", markup=False, soft_wrap=True)
    console.print(f"{events} events, {counts.total()} violations of {plan}", soft_wrap=True)
    raise typer.Exit(1 if counts else 0)


def _events(url: str, token: str, file: Path | None) -> Iterator[dict[str, Any]]:
    try:
        lines = Client(url, token).events(0) if file is None else iter(file.read_text(encoding="utf-8").splitlines())
        for line in lines:
            event = json.loads(line)
            if not isinstance(event, dict) or not isinstance(event.get("type"), str):
                fail(f"{file}: not an event: {line[:80]}")
            yield event
    except (OSError, ValueError) as error:
        fail(f"{file or url}: {error}")
