"""Compares events with what a test expects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import EllipsisType
from typing import Any

from .timeline import describe

ABSENT = "<absent>"


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where a value is not as expected."""

    path: str
    expected: Any
    actual: Any

    def __str__(self) -> str:
        return f"{self.path}: expected {tell(self.expected)}, is {tell(self.actual)}"


def differences(expected: Any, actual: Any, path: str = "") -> Iterator[Difference]:
    """Yield the places where `actual` is not as expected.

    Args:
        expected: a value; a mapping of the keys that must exist at least; a pattern that must be found in a text; a
            type; a function that must return true; or ``...`` for any value.
        actual: decoded JSON.
    """
    if isinstance(expected, EllipsisType):
        return
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        for name, one in expected.items():
            yield from differences(one, actual.get(name, ABSENT), f"{path}.{name}")
    elif not _fits(expected, actual):
        yield Difference(path, expected, actual)


def _fits(expected: Any, actual: Any) -> bool:
    if isinstance(expected, re.Pattern):
        return isinstance(actual, str) and expected.search(actual) is not None
    if isinstance(expected, type):
        return isinstance(actual, expected) and actual is not ABSENT
    if callable(expected):
        return bool(expected(actual))
    # In JSON, true and 1 are different.
    return isinstance(expected, bool) == isinstance(actual, bool) and bool(expected == actual)


def tell(value: Any) -> str:
    """Return a value, or an expected value, as text for people."""
    if value is ABSENT:
        return "nothing"
    if isinstance(value, re.Pattern):
        return f"something like /{value.pattern}/"
    if isinstance(value, type):
        return f"some {value.__name__}"
    if callable(value):
        return f"what {getattr(value, '__name__', value)} accepts"
    return repr(value)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An event that a test expects.

    Attributes:
        event: name of a track, page or screen call; None for any.
        type: type of the call. None means track where there is a name, and any type where there is none.
        fields: other expected fields, by their names in the tracking API.
    """

    event: str | None = None
    type: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)

    def is_called(self, event: Mapping[str, Any]) -> bool:
        """Tell whether an event has the expected type and name."""
        kind = self.type or ("track" if self.event else None)
        name = event.get("event") if event["type"] == "track" else event.get("name")
        return (kind is None or event["type"] == kind) and (self.event is None or name == self.event)

    def differences(self, event: Mapping[str, Any]) -> list[Difference]:
        """Return where an event of the right type and name is not as expected."""
        return list(differences(self.fields, event))

    def matches(self, event: Mapping[str, Any]) -> bool:
        """Tell whether an event is as expected."""
        return self.is_called(event) and not self.differences(event)

    def __str__(self) -> str:
        kind = self.type or ("track" if self.event else "any event")
        named = f"{kind} {self.event!r}" if self.event else kind
        return named + "".join(f"\n    {name} {tell(value)}" for name, value in self.fields.items())


def wanted(spoken: str | Wanted) -> Wanted:
    """Return a `Wanted` for the name of a type, the name of a track call, or a `Wanted`."""
    if isinstance(spoken, Wanted):
        return spoken
    types = ("identify", "page", "screen", "group", "alias", "track")
    return Wanted(type=spoken) if spoken in types else Wanted(event=spoken)


def nearest(wish: Wanted, events: list[dict[str, Any]]) -> str:
    """Describe the event that is most similar to the expected one, and where it differs."""
    called = [(wish.differences(event), event) for event in events if wish.is_called(event)]
    if not called:
        seen = "\n".join(f"    {describe(event)}" for event in events[-20:])
        return f"  No event is called so. Stored are:\n{seen or '    none'}"
    found, event = min(called, key=lambda pair: len(pair[0]))
    lines = "\n".join(f"    {difference}" for difference in found)
    return f"  Nearest of {len(called)} called so: {describe(event)}\n{lines}"
