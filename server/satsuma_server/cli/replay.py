"""``satsuma replay``: events of files, sent to a collector."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import msgspec
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from satsuma.errors import EventError
from satsuma.validation import check_event

from satsuma_server.archives import READERS, Archive
from satsuma_server.audit.lines import Lines
from satsuma_server.ingest.decode import MAX_DEPTH, nests_too_deep, read_well_formed

from .client import Client
from .console import HERE, Token, Url, WriteKey, console, fail, printable

BATCH_BYTES = 400_000
BATCH_EVENTS = 200
MOST_TOLD = 20
STDIN = "-"

Event = dict[str, Any]
Numbered = tuple[int, Event]


@dataclass
class Outcome:
    """What has become of the rows so far.

    Attributes:
        sent: accepted events.
        passed_over: rows that are no call of the site's.
        refused: rows that were refused.
        faults: the first of these: the file, the row's number in it or 0, and the reason.
        types: events by type, in a dry run.
    """

    sent: int = 0
    passed_over: int = 0
    refused: int = 0
    faults: list[tuple[str, int, str]] = field(default_factory=list)
    types: Counter[str] = field(default_factory=Counter)

    def refuse(self, name: str, number: int, reason: str, count: int = 1) -> None:
        """Count refused rows of a file. Only as many are kept as are told: a file may be wrong from end to end."""
        self.refused += count
        self.faults += [(name, number, reason)] * min(count, MOST_TOLD - len(self.faults))


def replay(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE…", help="NDJSON or JSON, gzipped or not; - is standard input."),
    ],
    url: Url = HERE,
    write_key: WriteKey = "demo",
    token: Token = "",
    archive: Annotated[Archive, typer.Option("--from", help="Whose archive it is.")] = Archive.SEGMENT,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and check everything, and send nothing.")] = False,
    resume: Annotated[
        Path | None, typer.Option(help="Keep in this file how far it is, and go on from there when run again.")
    ] = None,
) -> None:
    """Send the events of files, with the times they had. What the collector has already, it keeps once."""
    client = None if dry_run else Client(url, token)
    outcome, position = Outcome(), Position(None if dry_run else resume)
    for name in files:
        try:
            with _opened(name) as stream, _bar() as progress:
                task = progress.add_task(name, total=None if name == STDIN else Path(name).stat().st_size)
                lines = Lines(stream, lambda count, task=task: progress.advance(task, count))  # type: ignore[misc]
                for batch, done in _batches(lines, name, archive, outcome, position.of(name)):
                    _take(client, batch, name, write_key, outcome)
                    position.note(name, done)
                for reason, count in lines.unreadable.items():
                    outcome.refuse(name, 0, reason, count)
        except OSError as error:
            fail(f"{name} can't be read: {error.strerror}")
    _tell(outcome, dry_run=dry_run)
    if outcome.refused:
        raise typer.Exit(1)


class Position:
    """How many rows of each file are done, kept in a file of its own so that a run that was stopped can go on."""

    def __init__(self, file: Path | None) -> None:
        """Read the file, where there is one.

        Ends the command where it is no file of ours.
        """
        self._file = file
        self._done: dict[str, int] = {}
        if file is not None and file.exists():
            try:
                self._done = msgspec.json.decode(file.read_bytes(), type=dict[str, int])
            except msgspec.MsgspecError:
                fail(f"{file} says nothing of a replay: give another file for --resume")

    def of(self, name: str) -> int:
        """Return how many rows of a file are done."""
        return self._done.get(name, 0)

    def note(self, name: str, done: int) -> None:
        """Keep how many rows of a file are done. A crash leaves the file as it was before or as it is after."""
        self._done[name] = done
        if self._file is not None:
            beside = self._file.with_name(f"{self._file.name}.new")
            beside.write_bytes(msgspec.json.encode(self._done))
            beside.replace(self._file)


def _opened(name: str) -> BinaryIO:
    # A copy of standard input, so that closing it is nobody else's business.
    return os.fdopen(os.dup(sys.stdin.fileno()), "rb") if name == STDIN else Path(name).open("rb")


def _batches(
    lines: Lines, name: str, archive: Archive, outcome: Outcome, skip: int
) -> Iterator[tuple[list[Numbered], int]]:
    """Yield events in batches, each with the number of rows that are read then."""
    read = READERS[archive]
    batch: list[Numbered] = []
    size = number = 0
    for text in (text for texts in lines.batches() for text in texts):
        number += 1
        if number <= skip:
            continue
        try:
            event = read(_object(text))
        except EventError as error:
            outcome.refuse(name, number, str(error))
            continue
        if event is None:
            outcome.passed_over += 1
            continue
        batch.append((number, event))
        size += len(text)
        if size >= BATCH_BYTES or len(batch) >= BATCH_EVENTS:
            yield batch, number
            batch, size = [], 0
    yield batch, number


def _object(text: bytes) -> Event:
    """Return a row as the collector would read it. What only JavaScript or Python writes must not stop the rows after
    it."""
    try:
        row = read_well_formed(text)
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        raise EventError("", "is not a JSON object")
    if nests_too_deep(text, row):
        raise EventError("", f"is nested too deeply: the limit is {MAX_DEPTH} levels")
    return row


def _take(client: Client | None, batch: list[Numbered], name: str, write_key: str, outcome: Outcome) -> None:
    """Send a batch or, without a client, check it."""
    if not batch:
        return
    if client is None:
        refused = _checked(batch, outcome)
    else:
        answer = client.post("/v1/import", {"writeKey": write_key, "batch": [event for _, event in batch]})
        refused = _refused(answer, batch)
    for number, reason in refused:
        outcome.refuse(name, number, reason)
    outcome.sent += len(batch) - len(refused)


def _checked(batch: list[Numbered], outcome: Outcome) -> list[tuple[int, str]]:
    refused = []
    for number, event in batch:
        try:
            check_event(event)
        except EventError as error:
            refused.append((number, str(error)))
        else:
            outcome.types[event["type"]] += 1
    return refused


def _refused(answer: Event, batch: list[Numbered]) -> list[tuple[int, str]]:
    if not answer.get("success"):
        error = answer.get("error", {})
        # The whole batch was refused: every event of it, whatever the first fault was.
        return [(number, f"{error.get('message')}") for number, _ in batch]
    told = [(batch[fault["index"]][0], f"{fault['path']} {fault['reason']}") for fault in answer.get("refused", [])]
    # The answer has a bound, too; which ones these are it doesn't say.
    return told + [(batch[-1][0], "or an event before it is wrong, too")] * answer.get("refusedBesides", 0)


def _tell(outcome: Outcome, *, dry_run: bool) -> None:
    several = len({name for name, _, _ in outcome.faults}) > 1
    for name, number, reason in outcome.faults:
        place = f"event {number}" if number else "a row"
        told = printable(f"{f'{name}, ' if several else ''}{place}: {reason}")
        console.print(f"  {told}", style="yellow", markup=False)
    if more := outcome.refused - len(outcome.faults):
        console.print(f"  and {more:,} more", style="yellow")
    if outcome.passed_over:
        console.print(f"{outcome.passed_over:,} rows passed over: nothing that a site's code has called")
    for kind, count in sorted(outcome.types.items()):
        console.print(f"  {kind}: {count:,}")
    done = "events would be accepted" if dry_run else "events accepted"
    console.print(f"{outcome.sent:,} {done}, {outcome.refused:,} refused")


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console)
