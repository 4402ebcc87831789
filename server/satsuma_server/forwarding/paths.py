"""Paths of members in an event, as ``traits.email`` or ``properties."a.b"``, and what they lead to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from satsuma_server.errors import SettingsError

MISSING: Any = object()
"""What `look` returns where there is nothing."""

LONGEST_PATH = 500

_SEGMENT = re.compile(r'(?:"([^"]+)"|([^."]+))(\.|$)')


def segments_of(path: str) -> tuple[str, ...]:
    """Return the segments of a path. Raises `SettingsError` where it isn't one."""
    found, at = [], 0
    while len(path) <= LONGEST_PATH and (match := _SEGMENT.match(path, at)):
        found.append(match[1] or match[2])
        at = match.end()
        if at == len(path) and not match[3]:
            return tuple(found)
    raise SettingsError(f'destinations: {path[:80]!r} is not a path as traits.email, or properties."a.b"')


def look(event: Any, path: Sequence[str]) -> Any:
    """Return what a path leads to, `MISSING` where it leads to nothing. Lists are not looked through."""
    for name in path:
        if not isinstance(event, dict) or name not in event:
            return MISSING
        event = event[name]
    return event


def take(event: dict[str, Any], path: Sequence[str]) -> Any:
    """Remove what a path leads to, and return it; `MISSING` where it leads to nothing."""
    holder = look(event, path[:-1])
    return holder.pop(path[-1], MISSING) if isinstance(holder, dict) else MISSING


def put(event: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Set a member, and make the objects on the way to it. What is there and is no object is replaced."""
    for name in path[:-1]:
        inner = event.get(name)
        if not isinstance(inner, dict):
            inner = event[name] = {}
        event = inner
    event[path[-1]] = value
