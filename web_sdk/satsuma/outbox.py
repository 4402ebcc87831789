"""Keeps a page's unacknowledged events in localStorage, so that nothing is lost when the page ends.

Each page has an entry of its own. A page that ends normally marks it so that the next page can take it at once. A page
that was killed stops renewing its entry, and after `ORPHANED` milliseconds any other page can take it. If two pages
take one entry, it costs only traffic, since the collector keeps each event once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .events import Event
from .storage import KeyValueArea

ORPHANED = 6_000
"""Milliseconds without renewal after which the page of an entry must be gone."""

RENEWAL = 2_000
"""Milliseconds between renewals while events wait."""

MOST_BYTES = 500 * 1024
"""The most bytes that one page writes. Beyond that the oldest events are left out."""


FOREIGN_QUEUES = ("dest-Segment.io", "event-queue")
"""Names of analytics.js's own queues in localStorage. Source: its ``lib/priority-queue/persisted``."""


class Outbox:
    """The entry of one page, and access to those of other pages."""

    def __init__(self, local_storage: KeyValueArea, write_key: str, page_id: str, warn: Callable[[str], None]) -> None:
        self._local_storage = local_storage
        self._write_key = write_key
        self._prefix = f"satsuma_queue:{write_key}:"
        self._key = f"{self._prefix}{page_id}"
        self._warn = warn
        self._written: frozenset[str] = frozenset()
        self._renewed = 0.0
        self.works = True
        """False after localStorage has failed once. From then on the events are in the page's memory only."""

    def write(self, texts: Sequence[str], now: float, *, leaving: bool = False) -> None:
        """Keep the JSON texts of events. Without any, the entry is removed.

        Args:
            now: the time in milliseconds.
            leaving: whether the next page may take the entry at once.
        """
        if not self.works or (not leaving and self._says(texts, now)):
            return
        kept = newest(reversed(texts))
        at = 0 if leaving else now
        try:
            if kept:
                self._local_storage.set_item(self._key, f'{{"at":{at:.0f},"events":[{",".join(kept)}]}}')
            elif self._written:
                self._local_storage.remove_item(self._key)
            self._written, self._renewed = frozenset(kept), at
        except Exception as error:
            self.works = False
            self._warn(f"Events can't be kept over the end of this page: {error}")

    def _says(self, texts: Sequence[str], now: float) -> bool:
        """Tell whether the entry has all of these texts. Others in it do no harm, and writing is expensive."""
        return bool(texts) and 0 <= now - self._renewed < RENEWAL and self._written.issuperset(texts)

    def was_taken(self) -> bool:
        """Tell whether another page has taken this one's entry."""
        try:
            return bool(self._written) and self._local_storage.get_item(self._key) is None
        except Exception:
            return False

    def disown(self) -> None:
        """Record that the entry belongs to another page now."""
        self._written = frozenset()

    def take_orphans(self, now: float) -> list[Event]:
        """Remove the entries of pages that are gone, and return their events."""
        events: list[Event] = []
        try:
            events += self._take_foreign()
            for key in self._local_storage.all_keys():
                if key.startswith(self._prefix) and key != self._key:
                    events += self._take(key, now)
        except Exception:
            # Without localStorage, no page can have left anything.
            return events
        return events

    def _take_foreign(self) -> list[Event]:
        """Return the events that an earlier page with analytics.js has left, and remove them."""
        events: list[Event] = []
        for queue in FOREIGN_QUEUES:
            key = f"persisted-queue:v1:{self._write_key}:{queue}:items"
            text = self._local_storage.get_item(key)
            if text is None:
                continue
            for name in (key, key.removesuffix("items") + "seen"):
                self._local_storage.remove_item(name)
            events += _foreign_events(text)
        return events

    def _take(self, key: str, now: float) -> list[Event]:
        entry = _read(self._local_storage.get_item(key))
        if entry is None or now - entry["at"] < ORPHANED:
            return []
        self._local_storage.remove_item(key)
        return [event for event in entry["events"] if isinstance(event, dict)]


def _foreign_events(text: str) -> list[Event]:
    """Return the events in a queue of analytics.js, whose items are ``{"id": …, "event": …}``."""
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        return []
    found = []
    for item in items if isinstance(items, list) else ():
        event = item.get("event") if isinstance(item, dict) else None
        if isinstance(event, dict):
            found.append({**event, "messageId": event.get("messageId") or item.get("id")})
    return found


def newest(texts: Iterable[str]) -> list[str]:
    """Return as many of the newest texts as one page may write, the oldest first.

    Args:
        texts: JSON, the newest first. No more of them is looked at than has room.
    """
    kept: list[str] = []
    size = 0
    for text in texts:
        size += len(text)
        if size > MOST_BYTES:
            break
        kept.append(text)
    return kept[::-1]


def _read(text: str | None) -> dict[str, Any] | None:
    try:
        entry = json.loads(text or "")
        return {"at": float(entry["at"]), "events": list(entry["events"])}
    except (ValueError, KeyError, TypeError, RecursionError):
        return None if text is None else {"at": 0.0, "events": []}
