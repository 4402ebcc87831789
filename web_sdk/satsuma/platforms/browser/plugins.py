"""Plugins and middleware written in JavaScript, as the pipeline knows plugins and middleware."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from satsuma.analytics import EVENT_CALLS
from satsuma.events import Event
from satsuma.plugins import Context, PluginKind

from .contexts import Contexts
from .values import called, to_page

MOMENT = 0.001
"""Seconds within which the browser has answered every promise that is settled."""


@dataclass(slots=True)
class PageEnrichment:
    """Stands for analytics.js's plugin of that name, which pages see in logs and lists: ours are complete before."""

    name: str = "Page Enrichment"
    kind: PluginKind = PluginKind.BEFORE

    def track(self, context: Context) -> Context:
        return context

    identify = page = screen = group = alias = track


class PagePlugin:
    """A plugin of the page: an object with ``name``, ``type``, ``load``, and a function for each call that it sees.

    Attributes:
        native: the page's object.
        shown: what the page is shown as the plugin.
    """

    def __init__(self, plugin: Any, contexts: Contexts, face: Any) -> None:
        """Take the page's object.

        Raises:
            ValueError: its ``type`` is none of `PluginKind`.
        """
        self.name = str(plugin.name)
        self.kind = PluginKind(str(plugin.type))
        self.native = self.shown = plugin
        self.alternative_names = _names(plugin)
        self._contexts = contexts
        self._face = face
        for name in EVENT_CALLS:
            if self._has(name):
                setattr(self, name, partial(self._hook, name))

    async def load(self, _: Any) -> None:
        await self._ask("load", self._system(), self._face)

    async def unload(self) -> None:
        await self._ask("unload", self._system(), self._face)

    async def ready(self) -> Any:
        return await self._ask("ready")

    async def _hook(self, name: str, context: Context) -> Context:
        shown = self._contexts.show(context)
        returned = await self._ask(name, shown)
        self._contexts.take_back(context, shown if returned is None else returned)
        return context

    async def _ask(self, name: str, *args: Any) -> Any:
        return await settled(self._contexts.native, self.native, name, *args) if self._has(name) else None

    def _system(self) -> Any:
        return self._contexts.show(system_context())

    def _has(self, name: str) -> bool:
        return callable(getattr(self.native, name, None))


class PageMiddleware:
    """A middleware of the page: ``({payload, next, integrations}) => next(payload)``."""

    def __init__(
        self,
        function: Callable[..., Any],
        contexts: Contexts,
        window: Any,
        about: Mapping[str, Any],
        *,
        null_stops: bool = False,
    ) -> None:
        """Take the page's function.

        Args:
            function: the page's.
            contexts: makes its payload.
            window: the page.
            about: what it is given beside ``payload`` and ``next``.
            null_stops: ``next(null)`` keeps the event back; else it passes the event on as it was.
        """
        self._function = function
        self._contexts = contexts
        self._window = window
        self._about = about
        self._null_stops = null_stops

    def of(self, destination: str) -> PageMiddleware:
        """Return the same middleware, told for which destination it is called."""
        about = {**self._about, "integration": destination}
        return PageMiddleware(self._function, self._contexts, self._window, about, null_stops=self._null_stops)

    async def __call__(self, event: Event) -> Event | None:
        passed: list[Any] = []
        given = to_page(dict(self._about), self._window)
        given.payload = self._contexts.payload(event)
        # Not for a single call: one that comes twice, or late, is no error of the page's.
        given.next = lambda payload=None, *_: passed.append(payload)
        await settled(self._contexts.native, self._function, "call", None, given)
        if not passed:
            return None
        payload = passed[-1]
        if getattr(payload, "obj", None):
            return self._contexts.event_of(payload)
        return None if self._null_stops else event


async def refusals() -> None:
    """Give destinations that refuse to load at once the time to say so: the next event tells them as failed."""
    await asyncio.sleep(MOMENT)


def system_context() -> Context:
    """Return the context of what belongs to no event."""
    return Context({"type": "track", "event": "system"})


async def settled(native: Any, target: Any, name: str, *args: Any) -> Any:
    """Call a method of the page's and return what it answers, or promises.

    Raises:
        Cancelled: it has thrown, or rejected with, a cancelation.
        PluginFailure: anything else.
    """
    answer = called(native, target, name, *args)
    return await answer if inspect.isawaitable(answer) else answer


def _names(plugin: Any) -> tuple[str, ...]:
    return tuple(map(str, getattr(plugin, "alternativeNames", None) or ()))
