"""Flattens JSON objects by their shape: the keys that they have, their order, and the types of their values.

Events of one kind and library have only a few shapes. Everything that depends on the shape alone, such as the names of
columns, is computed once. What is left for each event are a few calls that run in C, which makes it fast enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Any

import msgspec

DEEPEST = 6
"""How many levels of objects are flattened. Deeper ones are kept as JSON."""

MOST_SHAPE_BYTES = 32 << 20
"""The most bytes of shapes that are remembered. Hostile events have ever new shapes, with thousands of keys each."""

BYTES_A_SHAPE, BYTES_A_KEY = 1_000, 120
"""How much memory a shape takes, and each of its keys in addition to its characters."""

_encode = msgspec.json.Encoder().encode


class Shape:
    """The keys of an object and the types of its values, without the shapes of the objects inside it.

    Attributes:
        keys: three lists: the keys of scalars, of arrays, and of objects.
    """

    __slots__ = ("_arrays", "_objects", "_scalars", "keys")

    def __init__(self, keys: tuple[str, ...], types: tuple[type, ...]) -> None:
        places = {one: [place for place, kind in enumerate(types) if kind is one] for one in (dict, list)}
        scalars = [place for place, kind in enumerate(types) if kind not in (dict, list, type(None))]
        self._arrays, self._objects = places[list], places[dict]
        self._scalars = None if len(scalars) == len(keys) else _getter(scalars)
        self.keys = tuple([keys[place] for place in part] for part in (scalars, self._arrays, self._objects))

    def take(self, values: tuple[Any, ...], found: list[Any], depth: int) -> Key:
        """Append an object's values to `found`, and return the key of the object with all that is inside it."""
        if self._scalars is None:
            found.extend(values)
            return self
        found.extend(self._scalars(values))
        for place in self._arrays:
            found.append(_encode(values[place]).decode())
        if depth == DEEPEST:
            for place in self._objects:
                found.append(_encode(values[place]).decode())
            return self
        return (self, *[flatten(values[place], found, depth + 1) for place in self._objects])


type Key = Shape | tuple[Any, ...]
"""Identifies the shape of an object together with the shapes of all objects inside it."""


class Shapes:
    """The shapes that are remembered, within a bound of bytes."""

    def __init__(self, most_bytes: int = MOST_SHAPE_BYTES) -> None:
        self._known: dict[tuple[object, ...], Shape] = {}
        self._most = most_bytes
        self.bytes = 0

    def of(self, given: dict[str, Any], values: tuple[Any, ...]) -> Shape:
        """Return the shape of an object with these values."""
        types = tuple(map(type, values))
        mark = (*given, *types)
        shape = self._known.get(mark)
        if shape is None:
            size = BYTES_A_SHAPE + BYTES_A_KEY * len(given) + sum(map(len, given))
            if self.bytes + size > self._most:
                self._known.clear()
                self.bytes = 0
            shape = self._known[mark] = Shape(tuple(given), types)
            self.bytes += size
        return shape


_shapes = Shapes()


def flatten(given: dict[str, Any], found: list[Any], depth: int = 1) -> Key:
    """Append all values of an object to `found`: objects are flattened, arrays become JSON, and nulls are left out.

    Returns:
        a key that is equal for objects of one shape; `paths` returns the paths of the values for it.
    """
    values = tuple(given.values())
    return _shapes.of(given, values).take(values, found, depth)


def paths(key: Key, prefix: str = "") -> Iterator[str]:
    """Yield the paths of the values in the order of `flatten`: each is a key, after the keys of the objects around
    it."""
    shape, inner = (key, ()) if isinstance(key, Shape) else (key[0], key[1:])
    scalars, arrays, objects = shape.keys
    yield from (f"{prefix}{one}" for one in (*scalars, *arrays))
    if inner or not objects:
        for one, deeper in zip(objects, inner, strict=True):
            yield from paths(deeper, f"{prefix}{one}_")
    else:
        yield from (f"{prefix}{one}" for one in objects)


def _getter(places: list[int]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    if not places:
        return lambda values: ()
    if len(places) == 1:
        place = places[0]
        return lambda values: (values[place],)
    return itemgetter(*places)
