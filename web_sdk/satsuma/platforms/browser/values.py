"""JavaScript's values as plain Python, and back. No value makes it raise."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from pyodide.ffi import JsProxy, to_js

from satsuma.plugins import Cancelled, PluginFailure

Warn = Callable[[str], None]


class ValueReader:
    """Reads arguments of calls.

    A plain object is read as ``JSON.stringify`` writes it (dates as text, undefined left out, NaN as None), since
    that is what analytics.js sends. In a page the loader writes it, within bounds and without what can't be written.
    """

    def __init__(self, window: Any, warn: Warn) -> None:
        self._window = window
        self._warn = warn
        # Each look at a property of the page's costs more than a call.
        self.written: Callable[[Any], Any] = window.JSON.stringify
        """Returns the JSON of a page's value."""
        self._kind = window.Object.prototype.toString.call
        self.show: Callable[[Any], Any] = lambda value: to_page(value, window)
        """Makes the page's object of what Python hands out; contexts have one of their own where there is a face."""
        self.native: Any = None
        """The loader's ``native``; None in an app that runs Pyodide itself."""

    def argument(self, value: Any) -> Any:
        """Return one argument: text, number, boolean, None, a dict for a plain object, or a callable."""
        if not isinstance(value, JsProxy):
            return None if _is_null(value) else value
        if callable(value):
            return Callback(value, self)
        return self.data(value) if self._is_plain(value) else value

    def data(self, value: Any) -> Any:
        """Return an object as JSON has it; None where it can't be read."""
        try:
            return json.loads(self.written(value) or "null")
        except Exception as error:
            self._warn(f"A value could not be read and was left out: {error}")
            return None

    def shown(self, value: Any) -> Any:
        """Return a Python value as the page's functions get it."""
        return self.show(value)

    def same(self, one: Any, other: Any) -> bool:
        """Tell whether two of the page's objects are one."""
        return bool(self._window.Object.is_(one, other))

    def _is_plain(self, value: Any) -> bool:
        return str(self._kind(value)) == "[object Object]"


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
        if self._this is not None:
            return self.function.call(self._this, *shown)
        if self._reader.native is None:
            return self.function(*shown)
        return called(self._reader.native, self.function, "call", None, *shown)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Callback) and bool(self._reader.same(self.function, other.function))

    def __hash__(self) -> int:
        return int(self.function.js_id)


def called(native: Any, target: Any, name: str, *args: Any) -> Any:
    """Call a method of the page's; return what it answers, or an awaitable of what it promises.

    Python can catch nothing that is no Error, so that JavaScript catches it.

    Args:
        native: the loader's ``native``.
        target: the object, and
        name: the name of its method.

    Raises:
        Cancelled: it has thrown, or rejected with, a cancelation.
        PluginFailure: anything else.
    """
    outcome = native.attempt(target, name, *args)
    return _promised(outcome) if hasattr(outcome, "then") else _value(outcome)


async def _promised(outcome: Awaitable[Any]) -> Any:
    return _value(await outcome)


def _value(outcome: Any) -> Any:
    if not getattr(outcome, "failed", False):
        return getattr(outcome, "value", None)
    text, error = str(outcome.text), getattr(outcome, "error", None)
    if outcome.cancels:
        raise Cancelled(text, retry=bool(outcome.retry), type=str(outcome.type or "plugin Error"), native=error)
    raise PluginFailure(text, error)


def to_page(value: Any, window: Any) -> Any:
    """Return a Python value as the page knows it: dicts become plain objects, lists arrays, None null."""
    if isinstance(value, dict | list):
        return window.JSON.parse(json.dumps(value))
    return value


def _is_null(value: object) -> bool:
    return value is None or type(value).__name__ in ("JsNull", "JsUndefined")


__all__ = ["Callback", "JsProxy", "ValueReader", "called", "to_js", "to_page"]
