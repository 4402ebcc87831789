"""The filter that says which events the live feed shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from satsuma.validation import EVENT_TYPES

from .feed_entry import Entry

LONGEST = 200
"""The most characters that are read of each field."""

REFUSED = "refused"
KINDS = (*EVENT_TYPES, REFUSED)


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions that an event must meet, all of those that are set.

    Attributes:
        type: one of `KINDS`.
        name: a part of the event's or page's name, in upper or lower case.
        source: the write key.
        id: the messageId, or the beginning of any other id.
        q: a part of the event's JSON, in upper or lower case.
    """

    type: str = ""
    name: str = ""
    source: str = ""
    id: str = ""
    q: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Filter:
        """Read the filter from a page's query string."""
        given = {name: query.get(name, "").strip()[:LONGEST] for name in ("type", "name", "source", "id", "q")}
        return cls(**{**given, "type": given["type"] if given["type"] in KINDS else ""})

    def __bool__(self) -> bool:
        return any((self.type, self.name, self.source, self.id, self.q))

    @property
    def query(self) -> str:
        """This filter as a query string."""
        given = {name: getattr(self, name) for name in ("type", "name", "source", "id", "q")}
        return urlencode({name: value for name, value in given.items() if value})

    def takes(self, entry: Entry) -> bool:
        """Tell whether an event meets the conditions."""
        return (
            (not self.type or entry.type == self.type)
            and (not self.source or entry.source == self.source)
            and (not self.name or self.name.casefold() in entry.name.casefold())
            and (not self.id or self._names(entry))
            # For letters beyond ASCII, upper and lower case differ: ignoring that would mean decoding every event.
            and (not self.q or self.q.encode().lower() in entry.body.lower())
        )

    def takes_refused(self, source: str, reason: str, raw: bytes) -> bool:
        """Tell whether a refused event meets the conditions. One that can't be read has no ids or names to compare."""
        if self.type not in ("", REFUSED) or (self.source and source != self.source):
            return False
        wanted = [text.encode().lower() for text in (self.q, self.id, self.name) if text]
        return all(text in raw.lower() or text in reason.encode().lower() for text in wanted)

    def _names(self, entry: Entry) -> bool:
        return entry.message_id == self.id or any(one.startswith(self.id) for one in entry.ids)
