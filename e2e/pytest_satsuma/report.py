"""Writes the timeline of a test as a single HTML file without external resources."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment

from .case import Case
from .expect import STORY
from .timeline import Entry, Kind

FILE = "satsuma-timeline.html"
IDS = ("userId", "anonymousId", "user_id", "anonymous_id")
LONGEST_DETAIL = 20_000

type Ids = list[tuple[str, str, int]]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the report.

    Attributes:
        ids: name, value and hue of each id in it. The same id has the same colour everywhere.
        changes: changes of an identity: the name, the old value, and the new one.
        detail: everything that is known, as text; empty where the line says it all.
    """

    entry: Entry
    title: str
    ids: Ids
    changes: list[tuple[str, str, str]]
    detail: str


def write_report(case: Case, outcome: str, failure: str = "") -> Path:
    """Write the report into the test's folder for artifacts, and return its path."""
    case.output.mkdir(parents=True, exist_ok=True)
    path = case.output / FILE
    path.write_text(render(case, outcome, failure), encoding="utf-8", errors="backslashreplace")
    return path


def render(case: Case, outcome: str, failure: str = "") -> str:
    """Return the report as HTML. Everything in it is escaped, since events can have anything that somebody sent."""
    entries = case.entries()
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["hue"] = hue
    template = environment.from_string(files(__package__).joinpath("report.html.j2").read_text(encoding="utf-8"))
    counts = {kind.value: sum(entry.kind is kind for entry in entries) for kind in Kind}
    return template.render(
        name=case.name, outcome=outcome, failure=_without_story(failure), lines=_lines(entries), counts=counts
    )


def _without_story(failure: str) -> str:
    """Return the message of a failure without its timeline, which the report shows in a better form."""
    head, story, rest = failure.partition(STORY)
    if not story:
        return failure
    lines = head.rstrip("E \n")
    after = [line for line in rest.splitlines()[1:] if not line.startswith("E ")]
    return "\n".join([lines, *after]).rstrip()


def _lines(entries: list[Entry]) -> list[Line]:
    before: dict[str, Mapping[str, Any]] = {}
    lines = []
    for entry in entries:
        detail = entry.detail if isinstance(entry.detail, Mapping) else {}
        changes: list[tuple[str, str, str]] = []
        if entry.kind is Kind.IDENTITY:
            changes = _changes(before.get(entry.who, {}), detail)
            before[entry.who] = detail
        ids = [] if changes else _ids(detail)
        title = _title(entry, detail)
        text = "" if changes or not detail else _pretty(detail)
        lines.append(Line(entry, title, ids, changes, text))
    return lines


def _title(entry: Entry, detail: Mapping[str, Any]) -> str:
    if entry.kind is Kind.IDENTITY:
        return "the visitor is now" if detail else "the visitor is nobody"
    if entry.kind in (Kind.SENT, Kind.STORED):
        name = detail.get("event") or detail.get("name") or ""
        return f"{detail.get('type', '')} {name}".strip()
    return entry.text


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    return [(name.replace("_", " "), _text(before.get(name)), _text(now.get(name))) for name in names]


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _ids(detail: Mapping[str, Any]) -> Ids:
    return [(name, str(detail[name]), hue(str(detail[name]))) for name in IDS if detail.get(name)]


def hue(text: str) -> int:
    """Return an id's colour, in degrees."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:2]) % 360


def _pretty(detail: Mapping[str, Any]) -> str:
    text = json.dumps(detail, indent=2, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST_DETAIL else f"{text[:LONGEST_DETAIL]}\n… cut"
