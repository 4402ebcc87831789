"""Which events a feed shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from satsuma.validation import EVENT_TYPES

from .feed_entry import Entry

LONGEST = 200
"""Characters that are read of each field."""

REFUSED = "refused"
KINDS = (*EVENT_TYPES, REFUSED)


@dataclass(frozen=True, slots=True)
class Filter:
    """All that is set must be true of an event.

    Attributes:
        type: one of `KINDS`.
        name: a part of the event's or page's name.
        source: write key.
        id: the beginning of any of its ids, or its messageId.
        q: a part of its JSON. Case is ignored, here and in `name`.
    """

    type: str = ""
    name: str = ""
    source: str = ""
    id: str = ""
    q: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Filter:
        """Read a page's query."""
        given = {name: query.get(name, "").strip()[:LONGEST] for name in ("type", "name", "source", "id", "q")}
        return cls(**{**given, "type": given["type"] if given["type"] in KINDS else ""})

    def __bool__(self) -> bool:
        return any((self.type, self.name, self.source, self.id, self.q))

    @property
    def query(self) -> str:
        """This filter as a query."""
        given = {name: getattr(self, name) for name in ("type", "name", "source", "id", "q")}
        return urlencode({name: value for name, value in given.items() if value})

    def takes(self, entry: Entry) -> bool:
        """Tell whether the feed shows an event."""
        return (
            (not self.type or entry.type == self.type)
            and (not self.source or entry.source == self.source)
            and (not self.name or self.name.casefold() in entry.name.casefold())
            and (not self.id or self._names(entry))
            # Letters beyond ASCII keep their case: lowering them would mean decoding every event.
            and (not self.q or self.q.encode().lower() in entry.body.lower())
        )

    def takes_refused(self, source: str, reason: str, raw: bytes) -> bool:
        """Tell whether the feed shows a refused event: one that can't be read has no ids or names to ask for."""
        if self.type not in ("", REFUSED) or (self.source and source != self.source):
            return False
        wanted = [text.encode().lower() for text in (self.q, self.id, self.name) if text]
        return all(text in raw.lower() or text in reason.encode().lower() for text in wanted)

    def _names(self, entry: Entry) -> bool:
        return entry.message_id == self.id or any(one.startswith(self.id) for one in entry.ids)
