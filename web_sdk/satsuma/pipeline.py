"""What an event passes before it is handed over: middleware and plugins, in order.

Source: analytics-core ``queue/event-queue`` and ``queue/delivery``: ``before`` plugins may change or stop an event,
``enrichment`` may change it, ``destination`` gets it, ``after`` sees it. Destinations run side by side, so that a slow
one keeps nothing from the collector.
"""

from __future__ import annotations

import asyncio
import copy
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol

from .errors import SatsumaError
from .events import Event

DELIVERY_NAME = "Segment.io"
"""Name of the destination that posts to the collector, in ``integrations``."""

EVERY_DESTINATION = "*"


class PluginKind(StrEnum):
    """When a plugin sees an event."""

    BEFORE = "before"
    ENRICHMENT = "enrichment"
    DESTINATION = "destination"
    AFTER = "after"
    UTILITY = "utility"


class Cancelled(SatsumaError):
    """A plugin or middleware stops an event on purpose. Raise it from a hook of a ``before`` plugin."""


@dataclass(slots=True)
class Context:
    """One event on its way through the pipeline.

    Attributes:
        event: the event; plugins may change it in place or return another context.
        cancelled: why the event was stopped, None where it wasn't.
        delivered: True once the collector has acknowledged it, False once it was dropped, None before: also where the
            event still waits for the network or for another try when the call is answered.
        attempts: 1 before the event is sent for the first time, and counted up then, as analytics.js does.
        log: what happened on the way, one line each.
        native: what a platform keeps with it: in a page, the context as JavaScript sees it.
    """

    event: Event
    cancelled: str | None = None
    delivered: bool | None = None
    attempts: int = 1
    log: list[str] = field(default_factory=list)
    native: Any = None

    @property
    def id(self) -> str:
        """The event's messageId."""
        return str(self.event["messageId"])

    def cancel(self, reason: str = "cancelled") -> None:
        """Stop this event.

        Raises:
            Cancelled: always.
        """
        raise Cancelled(reason)


class Plugin(Protocol):
    """A plugin. It may also have ``load(analytics)``, ``unload()``, and a hook per call: ``track(context)`` …

    A hook changes the context it gets, or returns another one; it may be a coroutine function. A hook of a ``before``
    plugin stops the event by raising `Cancelled`.
    """

    name: str
    kind: PluginKind


Middleware = Callable[[Event], Any]
"""Takes an event and returns it, changed or another, or None to stop it. May be a coroutine function."""


@dataclass(slots=True)
class SourceMiddleware:
    """A middleware as a ``before`` plugin: it sees every event first."""

    function: Middleware
    name: str = "Source Middleware"
    kind: PluginKind = PluginKind.BEFORE

    async def _apply(self, context: Context) -> Context:
        event = await _maybe(self.function, context.event)
        if event is None:
            raise Cancelled("a source middleware did not pass the event on")
        context.event = event
        return context

    track = identify = page = screen = group = alias = _apply


class Pipeline:
    """The plugins of one `Analytics`, in the order of their registration.

    Attributes:
        failed: names of the plugins that did not load; events tell them, as analytics.js's do.
    """

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._warn = warn
        self._middleware: list[tuple[str, Middleware]] = []
        self.plugins: list[Plugin] = []
        self.failed: list[str] = []

    async def register(self, plugin: Plugin, analytics: Any) -> None:
        """Add a plugin and load it. One that fails to load is left out, with a warning."""
        self.plugins.append(plugin)
        try:
            await _maybe(getattr(plugin, "load", None), analytics)
        except Exception as error:
            self.plugins.remove(plugin)
            self.failed.append(plugin.name)
            self._warn(f"Plugin {plugin.name!r} failed to load and is left out: {error}")

    async def deregister(self, name: str) -> None:
        """Take a plugin out, after its ``unload``."""
        for plugin in [known for known in self.plugins if known.name == name]:
            try:
                await _maybe(getattr(plugin, "unload", None))
            except Exception as error:
                self._warn(f"Plugin {name!r} failed to unload: {error}")
            self.plugins.remove(plugin)

    async def ready(self) -> None:
        """Wait until every plugin that has a ``ready()`` says so."""
        await asyncio.gather(*(_maybe(getattr(plugin, "ready", None)) for plugin in self.plugins))

    def add_destination_middleware(self, destination: str, *functions: Middleware) -> None:
        """Let functions see, change or stop what goes to one destination (``*`` for each), and to that one only.

        The collector is no destination in this sense: what it gets is the business of source middleware.
        """
        self._middleware += ((destination.lower(), function) for function in functions)

    async def run(self, context: Context) -> Context:
        """Pass a context through all plugins. Never raises; see `Context.cancelled`."""
        try:
            for plugin in self._allowed(context, PluginKind.BEFORE):
                context = await self._hook(plugin, context, stops=True)
        except Cancelled as stop:
            context.cancelled = str(stop)
            context.log.append(f"cancelled: {stop}")
            return context
        for plugin in self._allowed(context, PluginKind.ENRICHMENT):
            context = await self._hook(plugin, context)
        await self._deliver(context)
        for plugin in self._allowed(context, PluginKind.AFTER):
            context = await self._hook(plugin, context)
        return context

    async def _deliver(self, context: Context) -> None:
        destinations = self._allowed(context, PluginKind.DESTINATION)
        # The collector first, and within this very task: a visitor may leave before the next one.
        destinations.sort(key=lambda plugin: plugin.name != DELIVERY_NAME)
        loop = asyncio.get_running_loop()
        tasks = [asyncio.Task(self._reach(plugin, context), loop=loop, eager_start=True) for plugin in destinations]
        for task in tasks:
            await task

    async def _reach(self, plugin: Plugin, context: Context) -> None:
        functions = [] if plugin.name == DELIVERY_NAME else self._middleware_of(plugin)
        if not functions:
            await self._hook(plugin, context)
            return
        # A copy: what one destination's middleware changes is nobody else's business.
        event: Any = copy.deepcopy(context.event)
        for function in functions:
            try:
                event = await _maybe(function, event)
            except Exception as error:
                self._warn(f"A middleware of {plugin.name!r} raised {type(error).__name__}: {error}")
                return
            if event is None:
                return
        await self._hook(plugin, replace(context, event=event, native=None))

    def _middleware_of(self, plugin: Plugin) -> list[Middleware]:
        names = (EVERY_DESTINATION, plugin.name.lower())
        return [function for destination, function in self._middleware if destination in names]

    async def _hook(self, plugin: Plugin, context: Context, *, stops: bool = False) -> Context:
        hook = getattr(plugin, context.event["type"], None)
        if hook is None:
            return context
        context.log.append(f"plugin {plugin.name}")
        try:
            result = await _maybe(hook, context)
        except Exception as error:
            if not (stops and isinstance(error, Cancelled)):
                self._warn(f"Plugin {plugin.name!r} raised {type(error).__name__}: {error}")
            if stops:
                # A `before` plugin that breaks may have been there to keep something back: nothing goes past it.
                raise Cancelled(str(error) or f"plugin {plugin.name!r} failed") from error
            return context
        return result if isinstance(result, Context) else context

    def _allowed(self, context: Context, kind: PluginKind) -> list[Plugin]:
        integrations = context.event.get("integrations") or {}
        return [p for p in self.plugins if p.kind == kind and _enabled(p, integrations)]


def _enabled(plugin: Plugin, integrations: Mapping[str, Any]) -> bool:
    if plugin.kind is not PluginKind.DESTINATION:
        return True
    given = integrations.get(plugin.name)
    if given is None:
        given = True if plugin.name == DELIVERY_NAME else integrations.get("All")
    return given is not False


async def _maybe(function: Callable[..., Any] | None, *args: Any) -> Any:
    if function is None:
        return None
    result = function(*args)
    return await result if inspect.isawaitable(result) else result
