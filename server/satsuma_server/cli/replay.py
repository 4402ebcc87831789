"""``satsuma replay``: events of a file, sent to a collector."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from .client import Client
from .console import HERE, Token, Url, WriteKey, console, fail

BATCH_BYTES = 400_000
BATCH_EVENTS = 200
MOST_TOLD = 20
STAMPS = ("seq", "receivedAt", "sentAt", "writeKey")
"""What a collector adds, and adds anew."""


def replay(
    file: Annotated[Path, typer.Argument(help="NDJSON: one event a line, as `satsuma export` writes.")],
    url: Url = HERE,
    write_key: WriteKey = "demo",
    token: Token = "",
) -> None:
    """Send the events of a file, with the times they had. What the collector has already, it keeps once."""
    client = Client(url, token)
    sent = 0
    faults: list[tuple[int, str]] = []
    try:
        size = file.stat().st_size
        with _bar() as progress:
            task = progress.add_task(file.name, total=size)
            for batch, read in _batches(file, faults):
                answer = client.post("/v1/import", {"writeKey": write_key, "batch": [event for _, event in batch]})
                refused = _refused(answer, batch)
                faults += refused
                sent += len(batch) - len(refused)
                progress.update(task, completed=read)
    except OSError as error:
        fail(f"{file} can't be read: {error.strerror}")
    for number, reason in faults[:MOST_TOLD]:
        console.print(f"  line {number}: {reason}", style="yellow", markup=False)
    if len(faults) > MOST_TOLD:
        console.print(f"  and {len(faults) - MOST_TOLD:,} more", style="yellow")
    console.print(f"{sent:,} events accepted, {len(faults):,} refused")
    if faults:
        raise typer.Exit(1)


Numbered = tuple[int, dict[str, Any]]


def _batches(file: Path, faults: list[tuple[int, str]]) -> Iterator[tuple[list[Numbered], int]]:
    batch: list[Numbered] = []
    size = read = 0
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            read += len(line)
            if not line.strip():
                continue
            try:
                event = json.loads(line)
                batch.append((number, {name: value for name, value in event.items() if name not in STAMPS}))
            except (ValueError, AttributeError, RecursionError):
                faults.append((number, "is not a JSON object"))
                continue
            size += len(line)
            if size >= BATCH_BYTES or len(batch) >= BATCH_EVENTS:
                yield batch, read
                batch, size = [], 0
    if batch:
        yield batch, read


def _refused(answer: dict[str, Any], batch: list[Numbered]) -> list[tuple[int, str]]:
    if not answer.get("success"):
        error = answer.get("error", {})
        # The whole batch was refused: every event of it, whatever the first fault was.
        return [(number, f"{error.get('message')}") for number, _ in batch]
    told = [(batch[fault["index"]][0], f"{fault['path']} {fault['reason']}") for fault in answer.get("refused", [])]
    # The answer has a bound, too; which ones these are it doesn't say.
    return told + [(batch[-1][0], "or a line before it is wrong, too")] * answer.get("refusedBesides", 0)


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console)
