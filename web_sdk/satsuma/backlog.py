"""Keeps events over the end of a page that have yet to pass the page's plugins.

An event that a ``before`` plugin fails on is tried again later, and the page may end before that. It can't be sent as
it is, since the plugin may be there to take something out of it: the plugins of the next page see it first. Source:
analytics-next's event queue, which is kept in localStorage in the same way.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from .events import Event
from .outbox import newest
from .storage import KeyValueArea
from .validation import EVENT_TYPES


class Backlog:
    """The entry of one page, and access to those of pages that have ended."""

    def __init__(
        self, local_storage: KeyValueArea, write_key: str, new_id: Callable[[], str], warn: Callable[[str], None]
    ) -> None:
        self._local_storage = local_storage
        self._prefix = f"satsuma_backlog:{write_key}:"
        self._new_id = new_id
        self._key = ""
        self._warn = warn

    def keep(self, events: Sequence[Event]) -> None:
        """Write the events of a page that ends."""
        kept = newest(map(json.dumps, reversed(events)))
        if not kept:
            return
        self._key = self._key or f"{self._prefix}{self._new_id()}"
        try:
            self._local_storage.set_item(self._key, f"[{','.join(kept)}]")
        except Exception as error:
            self._warn(f"Events that wait for a plugin can't be kept over the end of this page: {error}")

    def drop(self) -> None:
        """Remove the page's own entry: the page goes on."""
        if self._key:
            self._remove(self._key)

    def take(self) -> list[Event]:
        """Remove the entries of all pages, and return their events."""
        events: list[Event] = []
        for key in self._keys():
            events += _events(self._local_storage.get_item(key))
            self._remove(key)
        return events

    def clear(self) -> None:
        """Remove the entries of all pages."""
        for key in self._keys():
            self._remove(key)

    def _keys(self) -> list[str]:
        try:
            return [key for key in self._local_storage.all_keys() if key.startswith(self._prefix)]
        except Exception:
            # Without localStorage, no page can have left anything.
            return []

    def _remove(self, key: str) -> None:
        try:
            self._local_storage.remove_item(key)
        except Exception as error:
            self._warn(f"An entry of localStorage can't be removed: {error}")


def _events(text: str | None) -> list[Event]:
    try:
        found = json.loads(text or "[]")
    except (ValueError, RecursionError):
        return []
    given = found if isinstance(found, list) else []
    return [one for one in given if isinstance(one, dict) and one.get("type") in EVENT_TYPES]
