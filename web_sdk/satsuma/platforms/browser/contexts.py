"""Events as a page's JavaScript sees them, and what it makes of them, taken back."""

from __future__ import annotations

import json
from typing import Any

from pyodide.ffi import JsException, to_js

from satsuma.events import Event
from satsuma.plugins import Cancelled, Context, DeliveryFailure, LogLine, PluginFailure, PluginKind

from .values import ValueReader, to_page


class Contexts:
    """Makes the page's objects of contexts and events; each context has one and the same all its life."""

    def __init__(self, native: Any, reader: ValueReader, window: Any) -> None:
        """Take the loader's ``native``, which makes JavaScript's objects."""
        self.native = native
        self._reader = reader
        self._window = window

    def shown(self, value: Any) -> Any:
        """Return a value as the page's functions get it: contexts, plugins and failures as the page has them."""
        if isinstance(value, Context):
            return self.show(value)
        if isinstance(value, PluginFailure):
            return self._failure(value)
        if isinstance(value, DeliveryFailure):
            return self._delivery_failure(value)
        if isinstance(getattr(value, "kind", None), PluginKind):
            return self.plugin(value)
        return to_page(value, self._window)

    def show(self, context: Context) -> Any:
        """Return a context as plugins, callbacks and promises see it, with the event as it is now.

        An event that has not changed since it was shown is left as it is: what the page has written into it, stays.
        """
        lines, counts = context.untold()
        event = _shown(context.event)
        known, context.native_event = context.native_event, event
        told = {
            "cancelled": context.cancelled,
            "delivered": context.delivered,
            "attempts": context.attempts,
            "why": str(context.failure or context.cancelled or "dropped"),
            "same": context.native is not None and known == context.native_event,
            "stops": context.failure.type if isinstance(context.failure, Cancelled) else None,
            "lines": [_written(line) for line in lines],
            "counts": [[count.metric, list(count.tags), count.milliseconds] for count in counts],
        }
        context.native = self.native.context(
            context.native,
            context.id,
            event,
            to_page(told, self._window),
            to_js([_native(line.error) for line in lines]),
            _native(context.failure),
        )
        return context.native

    def plain(self, value: Any) -> Any:
        """Return an object as the page's JavaScript has it."""
        return to_page(value, self._window)

    def plugin(self, plugin: Any) -> Any:
        """Return a plugin as the page knows it; one of Python's by its name and type."""
        native = getattr(plugin, "shown", None)
        if native is None:
            native = to_page({"name": plugin.name, "type": str(plugin.kind), "version": "0.1.0"}, self._window)
        return native

    def take_back(self, context: Context, shown: Any) -> None:
        """Take the event of what a plugin returned; what is no context changes nothing."""
        event = getattr(shown, "event", None)
        if event is not None:
            context.event = self._reader.data(event)
        failure = getattr(shown, "failure", None)
        if failure is not None and context.failure is None:
            reason = getattr(failure, "reason", None)
            # A reason that is no error is told as one.
            error = reason if isinstance(reason, JsException) else None
            context.failure = PluginFailure(str(getattr(reason, "message", reason)), error)

    def payload(self, event: Event, *, reads_dates: bool = False) -> Any:
        """Return an event as a middleware sees it; texts that are dates may be such."""
        return self.native.payload(_shown(event), reads_dates)

    def event_of(self, payload: Any) -> Event:
        """Return the event of a payload that a middleware passed on."""
        event: Event = self._reader.data(payload.obj)
        return event

    def _delivery_failure(self, failure: DeliveryFailure) -> Any:
        told = to_page({"code": failure.code}, self._window)
        told.reason, told.ctx = self._failure(failure.reason), self.show(failure.context)
        return told

    def _failure(self, failure: PluginFailure) -> Any:
        return failure.native if failure.native is not None else self.native.failure(str(failure))


def _shown(event: Event) -> str:
    """Return an event as JSON. Where nobody knows a userId, only an identify says so, as in analytics.js."""
    keeps_null = event.get("type") == "identify"
    told = {name: value for name, value in event.items() if name != "userId" or value is not None or keeps_null}
    return json.dumps(told)


def _native(error: Exception | None) -> Any:
    if isinstance(error, JsException):
        return error
    return error.native if isinstance(error, PluginFailure) else None


def _written(line: LogLine) -> list[Any]:
    extras = line.extras if line.extras or line.error is not None else None
    return [line.level, line.message, extras, line.at, None if line.error is None else str(line.error)]
