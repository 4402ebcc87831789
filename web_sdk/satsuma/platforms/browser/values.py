"""JavaScript's values as plain Python, and back. No value makes it raise."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from pyodide.ffi import JsProxy, to_js

Warn = Callable[[str], None]

MAX_DEPTH = 64
"""Objects nested deeper are cut off, so that a cycle or a hostile page can't exhaust the stack."""


LEFT_OUT = object()
"""Stands for a value that the event does without."""


class ValueReader:
    """Reads arguments of calls.

    A plain object is read as ``JSON.stringify`` writes it (dates as text, undefined left out, NaN as None), since
    that is what analytics.js sends. What JSON.stringify refuses (cycles, BigInt) is read by hand, with a warning.
    """

    def __init__(self, window: Any, warn: Warn) -> None:
        self._window = window
        self._warn = warn
        # Each look at a property of the page's costs more than a call.
        self._written = window.JSON.stringify
        self._kind = window.Object.prototype.toString.call
        self.show: Callable[[Any], Any] = lambda value: to_page(value, window)
        """Makes the page's object of what Python hands out; contexts have one of their own where there is a face."""

    def argument(self, value: Any) -> Any:
        """Return one argument: text, number, boolean, None, a dict for a plain object, or a callable."""
        if not isinstance(value, JsProxy):
            return None if _is_null(value) else value
        if callable(value):
            return Callback(value, self)
        if self._is_plain(value):
            return self.data(value)
        return value

    def data(self, value: Any) -> Any:
        """Return an object as JSON has it."""
        try:
            return json.loads(self._written(value))
        except Exception:
            return self._by_hand(value, frozenset(), "")

    def shown(self, value: Any) -> Any:
        """Return a Python value as the page's functions get it."""
        return self.show(value)

    def same(self, one: Any, other: Any) -> bool:
        """Tell whether two of the page's objects are one."""
        return bool(self._window.Object.is_(one, other))

    def _is_plain(self, value: Any) -> bool:
        return str(self._kind(value)) == "[object Object]"

    def _by_hand(self, value: Any, above: frozenset[int], path: str) -> Any:
        if not isinstance(value, JsProxy):
            return self._scalar(value, path)
        if callable(value):
            return None
        if value.js_id in above or len(above) > MAX_DEPTH:
            self._warn(f"The value at {path or 'the top'} holds itself and was left out of the event.")
            return LEFT_OUT
        if hasattr(value, "toJSON"):
            return self._safely(lambda: value.toJSON(), path)
        inside = above | {value.js_id}
        if self._window.Array.isArray(value):
            items = (self._by_hand(item, inside, f"{path}[{index}]") for index, item in enumerate(value))
            # As in JSON.stringify, a place in an array is kept even if nothing can stand in it.
            return [None if item is LEFT_OUT else item for item in items]
        return self._object(value, inside, path)

    def _object(self, value: Any, inside: frozenset[int], path: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in self._window.Object.keys(value):
            item = self._safely(partial(self._window.Reflect.get, value, name), f"{path}.{name}")
            if item is None or callable(item):
                continue
            read = self._by_hand(item, inside, f"{path}.{name}")
            if read is not LEFT_OUT:
                found[str(name)] = read
        return found

    def _scalar(self, value: Any, path: str) -> Any:
        if _is_null(value) or (isinstance(value, float) and (value != value or value in (float("inf"), float("-inf")))):
            return None
        if isinstance(value, int) and abs(value) >= 2**53:
            self._warn(f"The BigInt at {path or 'the top'} is sent as text, since JSON has no such number.")
            return str(value)
        return value if isinstance(value, str | int | float | bool) else str(value)

    def _safely(self, read: Callable[[], Any], path: str) -> Any:
        try:
            return read()
        except Exception as error:
            self._warn(f"The value at {path or 'the top'} could not be read and was left out: {error}")
            return None


class Callback:
    """A page's function, called with plain Python values."""

    def __init__(self, function: Any, reader: ValueReader, this: Any = None) -> None:
        self.function = function
        self._reader = reader
        self._this = this

    def bound(self, this: Any) -> Callback:
        """Return the same function, called as a method of `this`."""
        return Callback(self.function, self._reader, this)

    def __call__(self, *args: Any) -> Any:
        shown = map(self._reader.shown, args)
        return self.function(*shown) if self._this is None else self.function.call(self._this, *shown)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Callback) and bool(self._reader.same(self.function, other.function))

    def __hash__(self) -> int:
        return int(self.function.js_id)


def to_page(value: Any, window: Any) -> Any:
    """Return a Python value as the page knows it: dicts become plain objects, lists arrays, None null."""
    if isinstance(value, dict | list):
        return window.JSON.parse(json.dumps(value))
    return value


def _is_null(value: object) -> bool:
    return value is None or type(value).__name__ in ("JsNull", "JsUndefined")


__all__ = ["Callback", "JsProxy", "ValueReader", "to_js", "to_page"]
