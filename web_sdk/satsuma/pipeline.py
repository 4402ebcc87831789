"""What an event passes before it is handed over: middleware and plugins, in order.

Source: analytics-core ``queue/event-queue`` and ``queue/delivery``: ``before`` plugins may change or stop an event,
``enrichment`` may change it, ``destination`` gets it, ``after`` sees it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from .errors import SatsumaError
from .events import Event

DELIVERY_NAME = "Segment.io"
"""Name of the destination that posts to the collector, in ``integrations``."""


class PluginKind(StrEnum):
    """When a plugin sees an event."""

    BEFORE = "before"
    ENRICHMENT = "enrichment"
    DESTINATION = "destination"
    AFTER = "after"
    UTILITY = "utility"


class Cancelled(SatsumaError):
    """A plugin or middleware stops an event on purpose. Raise it from a hook."""


@dataclass(slots=True)
class Context:
    """One event on its way through the pipeline.

    Attributes:
        event: the event; plugins may change it in place or return another context.
        cancelled: why the event was stopped, None where it wasn't.
        delivered: True once the collector has acknowledged it, False once it was dropped, None before.
        log: what happened on the way, one line each.
    """

    event: Event
    cancelled: str | None = None
    delivered: bool | None = None
    log: list[str] = field(default_factory=list)

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


class Pipeline:
    """The plugins of one `Analytics`, in the order of their registration."""

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._warn = warn
        self.plugins: list[Plugin] = []

    async def register(self, plugin: Plugin, analytics: Any) -> None:
        """Add a plugin and load it. One that fails to load is left out, with a warning."""
        self.plugins.append(plugin)
        try:
            await _maybe(getattr(plugin, "load", None), analytics)
        except Exception as error:
            self.plugins.remove(plugin)
            self._warn(f"Plugin {plugin.name!r} failed to load and is left out: {error}")

    async def deregister(self, name: str) -> None:
        """Take a plugin out, after its ``unload``."""
        for plugin in [known for known in self.plugins if known.name == name]:
            try:
                await _maybe(getattr(plugin, "unload", None))
            except Exception as error:
                self._warn(f"Plugin {name!r} failed to unload: {error}")
            self.plugins.remove(plugin)

    async def run(self, context: Context) -> Context:
        """Pass a context through all plugins. Never raises; see `Context.cancelled`."""
        try:
            for plugin in self._allowed(context, PluginKind.BEFORE):
                context = await self._hook(plugin, context, stops=True)
            for plugin in self._allowed(context, PluginKind.ENRICHMENT):
                context = await self._hook(plugin, context)
            for plugin in self._allowed(context, PluginKind.DESTINATION):
                await self._hook(plugin, context)
            for plugin in self._allowed(context, PluginKind.AFTER):
                context = await self._hook(plugin, context)
        except Cancelled as stop:
            context.cancelled = str(stop)
        return context

    async def _hook(self, plugin: Plugin, context: Context, *, stops: bool = False) -> Context:
        hook = getattr(plugin, context.event["type"], None)
        if hook is None:
            return context
        try:
            result = await _maybe(hook, context)
        except Cancelled:
            raise
        except Exception as error:
            self._warn(f"Plugin {plugin.name!r} raised {type(error).__name__}: {error}")
            if stops:
                # A `before` plugin that breaks may have been there to keep something back: nothing goes past it.
                raise Cancelled(f"plugin {plugin.name!r} failed") from error
            return context
        return result if isinstance(result, Context) else context

    def _allowed(self, context: Context, kind: PluginKind) -> list[Plugin]:
        integrations = context.event.get("integrations") or {}
        return [p for p in self.plugins if p.kind == kind and _enabled(p, integrations)]


def _enabled(plugin: Plugin, integrations: Mapping[str, Any]) -> bool:
    if plugin.kind is not PluginKind.DESTINATION:
        return True
    default = True if plugin.name == DELIVERY_NAME else integrations.get("All")
    return integrations.get(plugin.name, default) is not False


async def _maybe(function: Callable[..., Any] | None, *args: Any) -> Any:
    if function is None:
        return None
    result = function(*args)
    return await result if inspect.isawaitable(result) else result
