"""Which stored events a reader asks for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import msgspec
from satsuma.validation import EVENT_TYPES
from starlette.requests import Request

from satsuma_server.errors import BadRequestError
from satsuma_server.http.parameters import texts, time
from satsuma_server.log import Stored
from satsuma_server.times import parse_time


class _Fields(msgspec.Struct, gc=False):
    """What a filter looks at in an event; of any type, since old logs may hold any."""

    type: Any = None
    userId: Any = None  # noqa: N815
    anonymousId: Any = None  # noqa: N815
    receivedAt: Any = None  # noqa: N815


_fields = msgspec.json.Decoder(_Fields)


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Conditions that an event has to meet, all of them. An empty set and None are no condition.

    Attributes:
        sources: write keys; the event came by one of them.
        types: event types; the event is of one of them.
        user_ids, anonymous_ids: the event has one of them.
        received_after: milliseconds since 1970; the collector got the event then or later.
        received_before: milliseconds since 1970; the collector got the event earlier.
    """

    sources: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    user_ids: frozenset[str] = frozenset()
    anonymous_ids: frozenset[str] = frozenset()
    received_after: float | None = None
    received_before: float | None = None

    @classmethod
    def of(cls, request: Request) -> EventFilter:
        """Return what the query of a request asks for. Raises `BadRequestError` where a condition can't be met."""
        types = texts(request, "type")
        if unknown := sorted(types - {*EVENT_TYPES}):
            reason = f"is unknown: {unknown[0][:50]!r}; use one of {', '.join(EVENT_TYPES)}"
            raise BadRequestError(reason, path="?type")
        return cls(
            sources=texts(request, "source"),
            types=types,
            user_ids=texts(request, "userId"),
            anonymous_ids=texts(request, "anonymousId"),
            received_after=time(request, "receivedAfter"),
            received_before=time(request, "receivedBefore"),
        )

    def within(self, sources: frozenset[str]) -> EventFilter:
        """Return the filter for a reader who may see some sources alone; an empty set stands for all."""
        return replace(self, sources=self.sources or sources) if sources else self

    @property
    def takes_all(self) -> bool:
        """Whether there is no condition."""
        return self == _NONE

    def takes(self, event: Stored) -> bool:
        """Tell whether a stored event meets the conditions. One that can't be read meets none but its source's."""
        if self.sources and event.source not in self.sources:
            return False
        if not self._looks_inside:
            return True
        try:
            fields = _fields.decode(event.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return False
        return (
            _is_one_of(fields.type, self.types)
            and _is_one_of(fields.userId, self.user_ids)
            and _is_one_of(fields.anonymousId, self.anonymous_ids)
            and self._takes_time(fields.receivedAt)
        )

    @property
    def _looks_inside(self) -> bool:
        ids = self.types or self.user_ids or self.anonymous_ids
        return bool(ids) or self.received_after is not None or self.received_before is not None

    def _takes_time(self, text: object) -> bool:
        if self.received_after is None and self.received_before is None:
            return True
        at = parse_time(text)
        if at is None or (self.received_after is not None and at < self.received_after):
            return False
        return self.received_before is None or at < self.received_before


_NONE = EventFilter()


def _is_one_of(value: object, wanted: frozenset[str]) -> bool:
    return not wanted or (isinstance(value, str) and value in wanted)
