"""Values of Python as JSON has them, within bounds: whatever a call is given, it costs little, and its event goes.

Objects that refer to each other (orders to products, and those back to orders) have few members and endlessly many
paths. So the work is bounded before it is begun: each object is read once, what several places share is written for
each of them as long as there is room, and what is too much is left out by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from math import isfinite
from typing import Any, Final

from .errors import EventError
from .omissions import Omissions

MOST_NODES = 10_000
"""Members and items that are looked at for one event."""

MOST_CHARACTERS = 64 * 1024
"""Characters of texts and names that are taken for one event: twice the largest one that can be sent."""

DEEPEST = 60
"""Levels of objects and lists within each other; the collector takes 64 of them."""

LONGEST_NUMBER = 1024
"""Bits of an integer: a larger one is no number for JavaScript, and costs Python more the longer it is."""

KEPT_ROOM = 2048
"""Characters that an object leaves to those beside it, where there are so many."""

SCALARS = (str, int, float, bool, type(None))

TOO_MUCH = "is too much for an event"
PLAIN_NUMBERS = frozenset((int, float, bool, type(None)))
LEFT_OUT: Final = object()


def is_bounded(value: Any) -> bool:
    """Tell whether a value is made of JSON's types alone and is within bounds, however often it refers to itself.

    What is left for an encoder to refuse are NaN and infinity, and numbers too long to be written.
    """
    nodes = characters = 0
    level = [value]
    try:
        for _ in range(DEEPEST):
            below: list[Any] = []
            for one in level:
                kind = type(one)
                if kind is str:
                    characters += len(one)
                elif kind not in PLAIN_NUMBERS:
                    nodes += len(one)
                    if nodes > MOST_NODES:
                        return False
                    characters += _open(one, kind, below)
            if not below or characters > MOST_CHARACTERS:
                return characters <= MOST_CHARACTERS
            level = below
    except TypeError:
        return False
    return False


def _open(value: Any, kind: type, below: list[Any]) -> int:
    """Append what an object or a list holds, and return the characters of its names.

    Raises:
        TypeError: it is neither, or a name isn't text.
    """
    if kind is dict:
        below += value.values()
        return len("".join(value))
    if kind is list or kind is tuple:
        below += value
        return 0
    raise TypeError


def nearest_text(value: Any) -> Any:
    """Return what comes nearest to a value that JSON lacks: times as ISO 8601, everything else as its ``str``."""
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


class PlainCopy:
    """Copies values into what JSON can write, within the bounds of one event."""

    def __init__(self, omissions: Omissions, nearest: Callable[[Any], Any] = nearest_text) -> None:
        """Begin with all of the room.

        Args:
            omissions: hears of what is left out.
            nearest: returns what comes nearest to a value that JSON doesn't have.
        """
        self._omissions = omissions
        self._nearest = nearest
        self._nodes = MOST_NODES
        self._room = MOST_CHARACTERS
        self._within: set[int] = set()
        # With the object itself: the id of one that is gone may be another's.
        self._known: dict[int, tuple[Any, Any, int]] = {}

    def of(self, value: Any, path: str = "", depth: int = 0) -> Any:
        """Return the copy; `LEFT_OUT` where there can be none."""
        try:
            return self._copied(value, path, depth)
        except EventError as error:
            return self._omit(path, error.reason)
        except Exception as error:
            return self._omit(path, f"can't be read: {type(error).__name__}")

    def _copied(self, value: Any, path: str, depth: int) -> Any:
        if isinstance(value, float):
            return float(value) if isfinite(value) else None
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return value if self._spend(len(value)) else self._omit(path, TOO_MUCH)
        if isinstance(value, int):
            return value if value.bit_length() <= LONGEST_NUMBER else self._omit(path, "is too large a number")
        if id(value) in self._within:
            return self._omit(path, "holds itself")
        if id(value) in self._known:
            return self._again(value, path)
        if depth >= DEEPEST:
            return self._omit(path, "is nested too deeply")
        return self._opened(value, path, depth)

    def _again(self, value: Any, path: str) -> Any:
        _, copy, cost = self._known[id(value)]
        return copy if self._spend(cost) else self._omit(path, TOO_MUCH)

    def _opened(self, value: Any, path: str, depth: int) -> Any:
        before = self._room
        self._within.add(id(value))
        try:
            if isinstance(value, Mapping):
                copy: Any = self._members(value.items(), path, depth)
            elif isinstance(value, list | tuple):
                copy = self._items(value, path, depth)
            else:
                copy = self.of(self._nearest(value), path, depth + 1)
        finally:
            self._within.discard(id(value))
        self._known[id(value)] = value, copy, before - self._room
        return copy

    def _members(self, pairs: Iterable[tuple[Any, Any]], path: str, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        # One more than there is room for, to know whether there is more.
        for key, value in islice(pairs, max(self._nodes, 0) + 1):
            name = _name(key)
            place = f"{path}.{name}"
            if not self._take_node():
                self._omit(place, f"and what follows: {TOO_MUCH}")
                break
            if name is None:
                self._omit(place, "has a name that can't be read")
            elif not self._spend(len(name) + 4):
                self._omit(place, TOO_MUCH)
            else:
                found[name] = value
        return self._values(found, path, depth)

    def _values(self, found: dict[str, Any], path: str, depth: int) -> dict[str, Any]:
        """Return the copies of named values: those that hold no others come first, and find room beside any other."""
        copies: dict[str, Any] = {}
        inner = [name for name, value in found.items() if not isinstance(value, SCALARS)]
        for name in (name for name, value in found.items() if isinstance(value, SCALARS)):
            copies[name] = self.of(found[name], f"{path}.{name}", depth + 1)
        for left, name in zip(range(len(inner) - 1, -1, -1), inner, strict=True):
            kept_room, kept_nodes = (min(KEPT_ROOM, self._room // 8), self._nodes // 8) if left else (0, 0)
            self._room -= kept_room
            self._nodes -= kept_nodes
            copies[name] = self.of(found[name], f"{path}.{name}", depth + 1)
            self._room += kept_room
            self._nodes = max(self._nodes, 0) + kept_nodes
        # In the order in which they came.
        return {name: copies[name] for name in found if copies[name] is not LEFT_OUT}

    def _items(self, values: Iterable[Any], path: str, depth: int) -> list[Any]:
        copy = []
        for index, value in enumerate(islice(values, max(self._nodes, 0) + 1)):
            if not (self._take_node() and self._spend(4)):
                self._omit(f"{path}[{index}]", f"and what follows: {TOO_MUCH}")
                break
            inner = self.of(value, f"{path}[{index}]", depth + 1)
            # The others keep their places.
            copy.append(None if inner is LEFT_OUT else inner)
        return copy

    def _take_node(self) -> bool:
        self._nodes -= 1
        return self._nodes >= 0

    def _spend(self, characters: int) -> bool:
        if characters > self._room:
            return False
        self._room -= characters
        return True

    def _omit(self, path: str, reason: str) -> Any:
        self._omissions.add(path, reason)
        return LEFT_OUT


def _name(key: Any) -> str | None:
    try:
        return str(key)
    except Exception:
        return None
