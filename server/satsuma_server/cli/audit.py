"""``satsuma audit``: which best practices of identifying users a site breaks."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec
import typer
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn
from satsuma.errors import SatsumaError

from satsuma_server.audit import History, Report, Severity, run_audit
from satsuma_server.audit.baseline import compared, read_baseline, write_baseline
from satsuma_server.audit.output.html import as_html
from satsuma_server.audit.output.terminal import print_report
from satsuma_server.audit.rules import RULES
from satsuma_server.settings import AuditSettings, make_settings

from .client import Client
from .console import HERE, Token, Url, console, fail, output
from .warehouse import Config

STDIN = "-"
EVENTS_AT_ONCE = 2_000


class FailOn(StrEnum):
    """From which severity on the command ends with status 3."""

    WRONG = "wrong"
    HINT = "hint"
    NOTE = "note"
    NEVER = "never"


FAILED = 3
"""Exit status where a finding is as severe as ``--fail-on`` says; 1 is trouble, and 2 a wrong option."""


def audit(
    files: Annotated[
        list[str] | None, typer.Argument(metavar="[FILE]…", help="NDJSON or JSON, gzipped or not; - is standard input.")
    ] = None,
    url: Url = HERE,
    token: Token = "",
    config: Config = None,
    rules: Annotated[str, typer.Option(help="Only these rules: ids with commas between.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write the report as an HTML file.")] = None,
    short: Annotated[bool, typer.Option("--short", help="Print the table alone.")] = False,
    without_examples: Annotated[bool, typer.Option("--without-examples", help="Name nobody in the report.")] = False,
    price: Annotated[float, typer.Option(help="Of a thousand monthly tracked users.")] = 0.0,
    fail_on: Annotated[FailOn, typer.Option(help="End with status 3 on a finding as severe as this.")] = FailOn.NEVER,
    baseline: Annotated[Path | None, typer.Option(help="Findings of this file are known, and don't fail.")] = None,
    write: Annotated[Path | None, typer.Option("--write-baseline", help="Keep the findings in this file.")] = None,
) -> None:
    """Find out which best practices of identifying users a site breaks, where, and how to mend it.

    Takes the archives of Segment and RudderStack, and `satsuma export`. Without a file, a running collector's events.
    """
    try:
        settings = _settings(config, price)
        known = read_baseline(baseline) if baseline else None
        chosen = [rule.strip() for rule in rules.split(",") if rule.strip()]
        with History(settings) as history:
            if files:
                _read_files(history, files)
            else:
                _read_collector(history, url, token)
            report = _run(history, chosen)
        if report.input.unreadable and not report.input.events:
            # A score of 100 and a green build would say that all is well, and nobody has looked.
            reasons = ", ".join(f"{count:,} × {reason}" for reason, count in report.input.reasons.items())
            fail(f"there are no events in it: {reasons}. docs/audit.md says which files are read")
        report = compared(report.without_examples() if without_examples else report, known)
        if write:
            write_baseline(report, write)
        if html:
            html.write_text(as_html(report), encoding="utf-8")
    except SatsumaError as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename or html}: {error.strerror}")
    if as_json:
        print(msgspec.json.encode(report).decode())
    else:
        print_report(report, output, details=not short)
    if html:
        console.print(f"{html}", soft_wrap=True)
    if _fails(report.worst(new=known is not None), fail_on):
        raise typer.Exit(FAILED)


def _fails(worst: Severity | None, fail_on: FailOn) -> bool:
    order = [*Severity]
    return bool(worst) and fail_on is not FailOn.NEVER and order.index(worst) <= order.index(Severity(fail_on.value))


def _settings(config: Path | None, price: float) -> AuditSettings:
    found = make_settings(config, {"accept_any_key": True}).audit if config else AuditSettings()
    return msgspec.structs.replace(found, price=price) if price else found


def _read_files(history: History, files: list[str]) -> None:
    size = sum(Path(file).stat().st_size for file in files if file != STDIN)
    columns = (TextColumn("reading"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("read", total=size if STDIN not in files else None)
        for file in files:
            with _opened(file) as stream:
                history.read(stream, lambda count: progress.advance(task, count))


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    if file == STDIN:
        yield sys.stdin.buffer
        return
    if Path(file).is_dir():
        raise IsADirectoryError(21, "this is a folder: name its files", file)
    with Path(file).open("rb") as stream:
        yield stream


def _read_collector(history: History, url: str, token: str) -> None:
    if not token and "SATSUMA_TOKEN" not in os.environ:
        fail("name a file, or a running collector's token with --token (SATSUMA_TOKEN)")
    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} events"))
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("read", total=None)
        batch: list[bytes] = []
        for line in Client(url, token).events(0):
            batch.append(line.encode())
            if len(batch) >= EVENTS_AT_ONCE:
                history.add(batch)
                progress.advance(task, len(batch))
                batch = []
        if batch:
            history.add(batch)


def _run(history: History, chosen: list[str]) -> Report:
    with Progress(TextColumn("{task.description}"), BarColumn(), console=console, transient=True) as progress:
        task = progress.add_task("putting the events in order", total=len(chosen) or len(RULES))

        def tell(rule: str) -> None:
            progress.update(task, description=rule, advance=1)

        return run_audit(history, chosen, tell)
