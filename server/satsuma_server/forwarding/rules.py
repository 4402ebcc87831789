"""Decides whether an event goes to a destination, and changes it by the destination's mapping."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable
from typing import Any

from .paths import MISSING, look, put, segments_of, take
from .settings import Destination, Filter

Event = dict[str, Any]


class Forwarding:
    """The rules of one destination."""

    def __init__(self, settings: Destination, transform: Callable[[Event], Event | None] | None = None) -> None:
        """Take the destination's settings, and its function `transform`."""
        self._sources = frozenset(settings.sources)
        self._types = frozenset(settings.types)
        self._names = [re.compile(fnmatch.translate(one)) for one in settings.events]
        self._filters = [_Condition(one) for one in settings.filters]
        self._mapping = [(segments_of(old), segments_of(new) if new else None) for old, new in settings.mapping.items()]
        self._integrations = {one.casefold() for one in (settings.name, settings.integration, settings.label) if one}
        self._consent = settings.consent
        self._unasked_goes = settings.consent_missing == "send"
        self._transform = transform

    def why_not(self, source: str, event: Event) -> str | None:
        """Return why an event doesn't go to the destination, for people; None where it goes."""
        if self._sources and source not in self._sources:
            return "its source is not among sources"
        if self._types and event.get("type") not in self._types:
            return "its type is not among types"
        if self._names and event.get("type") == "track" and not self._has_name(event.get("event")):
            return "its name is not among events"
        if not self._integrates(event.get("integrations")):
            return "its integrations leave this destination out"
        if self._consent and not self._consents(event.get("context")):
            return "the visitor has not consented to " + ", ".join(self._consent)
        failed = next((one.path for one in self._filters if not one.holds(event)), None)
        return None if failed is None else f"it does not meet the filter of {failed}"

    def prepare(self, event: Event) -> Event | None:
        """Return the event as it goes, changed in place; None where `transform` holds it back.

        Raises:
            Exception: whatever `transform` raises.
        """
        for old, new in self._mapping:
            value = take(event, old)
            if new is not None and value is not MISSING:
                put(event, new, value)
        return event if self._transform is None else self._transform(event)

    def _has_name(self, name: object) -> bool:
        return isinstance(name, str) and any(one.match(name) for one in self._names)

    def _integrates(self, integrations: object) -> bool:
        """Tell whether ``integrations`` let an event go here. What is named counts more than ``All``."""
        if not isinstance(integrations, dict):
            return True
        named = [value for name, value in integrations.items() if name.casefold() in self._integrations]
        chosen = named or [integrations.get("All", True)]
        # An object has options of the integration, and switches it on.
        return all(value is not False and value is not None for value in chosen)

    def _consents(self, context: object) -> bool:
        preferences = look(context, ("consent", "categoryPreferences"))
        if not isinstance(preferences, dict):
            return self._unasked_goes
        return all(preferences.get(category) is True for category in self._consent)


class _Condition:
    """One filter, ready to be asked."""

    def __init__(self, given: Filter) -> None:
        self.path = given.path
        self._given = given
        self._segments = segments_of(given.path)
        self._like = None if given.like is None else re.compile(fnmatch.translate(given.like))

    def holds(self, event: Event) -> bool:
        return self._meets(look(event, self._segments)) is not self._given.not_

    def _meets(self, value: Any) -> bool:
        given = self._given
        if given.exists is not None and (value is MISSING or value is None) is given.exists:
            return False
        if given.is_ is not None and not any(_same(value, one) for one in given.is_):
            return False
        if self._like is not None and not (isinstance(value, str) and self._like.match(value)):
            return False
        if given.at_least is None and given.at_most is None:
            return True
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return (given.at_least is None or value >= given.at_least) and (given.at_most is None or value <= given.at_most)


def _same(value: Any, other: str | float | bool) -> bool:
    # In Python, True is 1.
    return isinstance(value, bool) is isinstance(other, bool) and bool(value == other)
