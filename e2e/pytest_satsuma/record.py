"""Golden files: the events of a test, which are saved and compared with those of later runs, except for ids and
times."""

from __future__ import annotations

import difflib
import json
import re
from pathlib import Path
from typing import Any

type Event = dict[str, Any]

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.I)
HEX = re.compile(r"\b[0-9a-f]{12,64}\b", re.I)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)")
PORT = re.compile(r"(?<=[\w\]]):\d{4,5}\b")
RANDOM = {"messageId": "<message>", "userAgent": "<user agent>", "seq": None, "ip": "<ip>", "sessionId": "<session>"}
"""Fields whose values differ between runs or between browsers."""


def path_of(folder: Path, nodeid: str) -> Path:
    """Return the golden file of a test."""
    return folder / f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', nodeid).strip('-')}.json"


def write(path: Path, events: list[Event]) -> None:
    """Write events to a golden file, unchanged."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(events, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def compare(path: Path, events: list[Event]) -> str:
    """Return the differences between events and a golden file as a unified diff; empty where there are none.

    Libraries post in parallel, so the order of different calls doesn't count. The order of calls with one name does.
    """
    kept = _text(json.loads(path.read_text(encoding="utf-8")))
    now = _text(events)
    lines = difflib.unified_diff(kept.splitlines(), now.splitlines(), str(path), "this run", lineterm="", n=4)
    return "\n".join(lines)


def _text(events: list[Event]) -> str:
    # Sorted first, so that ids get the same names, whichever post arrived first.
    chosen = sorted(events, key=lambda event: (event["type"], str(event.get("event") or event.get("name") or "")))
    return json.dumps(normalise(chosen), indent=2, ensure_ascii=False)


def normalise(value: Any) -> Any:
    """Return events with ids replaced by names in the order of their appearance, and times and ports by
    placeholders."""
    ids: dict[str, str] = {}

    def hide(text: str) -> str:
        text = PORT.sub(":<port>", TIME.sub("<time>", text))
        name = lambda match: ids.setdefault(match.group().lower(), f"<id {len(ids) + 1}>")
        return HEX.sub(name, UUID.sub(name, text))

    def each(one: Any) -> Any:
        if isinstance(one, str):
            return hide(one)
        if isinstance(one, list):
            return [each(item) for item in one]
        if isinstance(one, dict):
            shown = {key: RANDOM.get(key, item) for key, item in sorted(one.items())}
            return {key: each(item) for key, item in shown.items() if not (key in RANDOM and item is None)}
        return one

    return each(value)
