r"""Patterns of texts.

``*`` stands for any characters, ``?`` for one, ``[a-z]`` and ``[^a-z]`` for one of a set, and what comes after ``\``
for itself.

Source: the function ``match`` of Segment's routing rules.
"""

from __future__ import annotations

from collections.abc import Callable

Matches = Callable[[str], bool]
"""Tells whether a part of a pattern matches a character."""


def matches_glob(pattern: str, text: str) -> bool:
    """Tell whether a pattern matches a whole text; one that is malformed matches none.

    The work is bounded by the product of both lengths: only the last star is ever tried again.
    """
    try:
        parts = _read(pattern)
    except IndexError:
        return False
    part = at = 0
    star: int | None = None
    taken = 0
    while at < len(text):
        wanted = parts[part] if part < len(parts) else ()
        if wanted is None:
            star, taken, part = part, at, part + 1
        elif wanted and wanted[0](text[at]):
            part, at = part + 1, at + 1
        elif star is not None:
            taken += 1
            part, at = star + 1, taken
        else:
            return False
    return all(rest is None for rest in parts[part:])


def _read(pattern: str) -> list[tuple[Matches] | None]:
    """Return the parts of a pattern, None for a star.

    Raises:
        IndexError: it ends too early.
    """
    parts: list[tuple[Matches] | None] = []
    at = 0
    while at < len(pattern):
        first, at = pattern[at], at + 1
        if first == "*":
            parts.append(None)
        elif first == "?":
            parts.append((lambda _: True,))
        elif first == "[":
            one, at = _read_set(pattern, at)
            parts.append((one,))
        else:
            if first == "\\":
                first, at = pattern[at], at + 1
            parts.append((first.__eq__,))
    return parts


def _read_set(pattern: str, at: int) -> tuple[Matches, int]:
    """Return what tells whether a character is in the set that begins here, and where the set has ended."""
    negated = pattern[at] == "^"
    at += negated
    ranges: list[tuple[str, str]] = []
    while pattern[at] != "]" or not ranges:
        low, at = _read_one(pattern, at)
        high = low
        if pattern[at] == "-":
            high, at = _read_one(pattern, at + 1)
        ranges.append((low, high))
    return lambda character: any(low <= character <= high for low, high in ranges) is not negated, at + 1


def _read_one(pattern: str, at: int) -> tuple[str, int]:
    at += pattern[at] == "\\"
    return pattern[at], at + 1
