"""Plugins and middleware written in JavaScript, as the pipeline knows plugins and middleware."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from pyodide.ffi import create_once_callable

from satsuma.analytics import EVENT_CALLS
from satsuma.events import Event
from satsuma.pipeline import Cancelled, Context, PluginKind

from .contexts import Contexts
from .values import to_page


class PagePlugin:
    """A plugin of the page: an object with ``name``, ``type``, ``load``, and a function for each call that it sees."""

    def __init__(self, plugin: Any, contexts: Contexts, face: Any) -> None:
        """Take the page's object.

        Raises:
            ValueError: its ``type`` is none of `PluginKind`.
        """
        self.name = str(plugin.name)
        self.kind = PluginKind(str(plugin.type))
        self._plugin = plugin
        self._contexts = contexts
        self._face = face
        for name in EVENT_CALLS:
            if _has(plugin, name):
                setattr(self, name, partial(self._hook, name))

    async def load(self, _: Any) -> None:
        if _has(self._plugin, "load"):
            await _settled(self._plugin.load(self._contexts.native.systemContext(), self._face))

    async def unload(self) -> None:
        if _has(self._plugin, "unload"):
            await _settled(self._plugin.unload(self._contexts.native.systemContext(), self._face))

    async def ready(self) -> None:
        if _has(self._plugin, "ready"):
            await _settled(self._plugin.ready())

    async def _hook(self, name: str, context: Context) -> Context:
        shown = self._contexts.show(context)
        try:
            returned = await _settled(getattr(self._plugin, name)(shown))
        except Exception as error:
            stopped = getattr(shown, "stopped", None)
            if stopped is not None:
                raise Cancelled(str(getattr(stopped, "reason", None) or stopped)) from error
            raise
        self._contexts.take_back(context, shown if returned is None else returned)
        return context


class PageMiddleware:
    """A middleware of the page: ``({payload, next, integrations}) => next(payload)``."""

    def __init__(self, function: Callable[..., Any], contexts: Contexts, window: Any, about: Mapping[str, Any]) -> None:
        """Take the page's function.

        Args:
            about: what it is given beside ``payload`` and ``next``.
        """
        self._function = function
        self._contexts = contexts
        self._window = window
        self._about = about

    async def __call__(self, event: Event) -> Event | None:
        passed: list[Any] = []
        given = to_page(dict(self._about), self._window)
        given.payload = self._contexts.payload(event)
        given.next = create_once_callable(lambda payload=None, *_: passed.append(payload))
        await _settled(self._function(given))
        if not passed:
            return None
        [payload] = passed
        # As in analytics.js: next(null) passes the event on as it was.
        return self._contexts.event_of(payload) if getattr(payload, "obj", None) else event


def _has(plugin: Any, name: str) -> bool:
    return callable(getattr(plugin, name, None))


async def _settled(answer: Any) -> Any:
    return await answer if hasattr(answer, "then") else answer
