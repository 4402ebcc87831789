"""The timeline of a test: what its visitors did, what their pages sent, and what was stored, in order."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

MOST = 2_000
"""The most entries that are kept for one test."""

LONGEST = 140


class Kind(StrEnum):
    """The kind of an entry."""

    DID = "did"
    SENT = "sent"
    IDENTITY = "identity"
    STORED = "stored"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened.

    Attributes:
        at: seconds since the start of the timeline.
        who: the visitor's label.
        text: a description in one line.
        detail: everything that is known about it.
    """

    at: float
    who: str
    kind: Kind
    text: str
    detail: Any = None


@dataclass(slots=True)
class Timeline:
    """The entries of one test."""

    entries: list[Entry] = field(default_factory=list)
    _start: float = field(default_factory=time.time)

    def note(self, who: str, kind: Kind, text: str, detail: Any = None, *, at: float | None = None) -> None:
        """Add an entry. `at` is in seconds since 1970; without it, the entry is of now."""
        if len(self.entries) < MOST:
            self.entries.append(Entry((at or time.time()) - self._start, who, kind, text, detail))

    def with_stored(self, events: list[dict[str, Any]]) -> list[Entry]:
        """Return the entries together with the events that a collector has stored, at their times of receipt."""
        stored = [Entry(self._moment(event), "collector", Kind.STORED, describe(event), event) for event in events]
        received = {event["messageId"]: self._moment(event) for event in events}

        def at(entry: Entry) -> float:
            if entry.kind is not Kind.SENT:
                return entry.at
            # Playwright may report a request only after its answer.
            return min(entry.at, received.get(entry.detail.get("messageId"), entry.at) - 1e-6)

        return sorted([*self.entries, *stored], key=at)

    def _moment(self, event: dict[str, Any]) -> float:
        return datetime.fromisoformat(event["receivedAt"]).timestamp() - self._start

    def now(self) -> float:
        """Return the seconds since the start of the timeline."""
        return time.time() - self._start


def describe(event: Mapping[str, Any]) -> str:
    """Describe an event in one line: what it is, and whose."""
    name = event.get("event") or event.get("name") or event.get("groupId") or event.get("previousId") or ""
    who = ", ".join(f"{key}={short(event[key])}" for key in ("userId", "anonymousId") if event.get(key))
    return f"{event.get('type', '?')} {short(name)}".strip() + (f" ({who})" if who else " (nobody)")


def short(value: object, longest: int = 48) -> str:
    """Return a value as one printable line of limited length."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    line = "".join(char if char.isprintable() else "·" for char in text[: longest * 4])
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def as_text(entries: list[Entry], last: int = 60) -> str:
    """Return the newest entries for a terminal."""
    lines = [f"{entry.at:7.2f}s  {entry.who:<10} {entry.kind:<9} {short(entry.text, LONGEST)}" for entry in entries]
    left_out = [f"… {len(lines) - last} earlier lines"] if len(lines) > last else []
    return "\n".join([*left_out, *lines[-last:]]) or "nothing happened"
