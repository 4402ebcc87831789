"""Events as a page's JavaScript sees them, and what it makes of them, taken back."""

from __future__ import annotations

import json
from typing import Any

from satsuma.events import Event
from satsuma.pipeline import Context

from .values import ValueReader, to_page


class Contexts:
    """Makes the page's objects of contexts and events; each context has one and the same all its life."""

    def __init__(self, native: Any, reader: ValueReader, window: Any) -> None:
        """Take the loader's ``native``, which makes JavaScript's objects."""
        self.native = native
        self._reader = reader
        self._window = window

    def show(self, context: Context) -> Any:
        """Return a context as plugins, callbacks and promises see it, with the event as it is now."""
        told = ("cancelled", "delivered", "attempts", "log")
        outcome = {name: getattr(context, name) for name in told}
        context.native = self.native.context(
            context.native, context.id, json.dumps(context.event), to_page(outcome, self._window)
        )
        return context.native

    def take_back(self, context: Context, shown: Any) -> None:
        """Take the event of what a plugin returned; what is no context changes nothing."""
        event = getattr(shown, "event", None)
        if event is not None:
            context.event = self._reader.data(event)

    def payload(self, event: Event) -> Any:
        """Return an event as a middleware sees it."""
        return self.native.payload(json.dumps(event))

    def event_of(self, payload: Any) -> Event:
        """Return the event of a payload that a middleware passed on."""
        event: Event = self._reader.data(payload.obj)
        return event
