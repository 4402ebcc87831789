"""What an event passes before it is handed over: middleware and plugins, in order.

Source: analytics-core ``queue/event-queue`` and ``queue/delivery``: ``before`` plugins may change or stop an event,
``enrichment`` may change it, ``destination`` gets it, ``after`` sees it. Destinations run side by side, so that a slow
one keeps nothing from the collector. An event that a ``before`` plugin fails on is tried again, after a growing pause.
"""

from __future__ import annotations

import asyncio
import copy
import inspect
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from typing import Any

from .emitter import Emitter
from .events import Event
from .plugins import (
    DELIVERY_NAME,
    MIDDLEWARE_STOPS,
    Cancelled,
    Context,
    Middleware,
    Plugin,
    PluginFailure,
    PluginKind,
    SourceMiddleware,
)

EVERY_DESTINATION = "*"

MOST_ATTEMPTS = 10
"""How often an event passes the plugins at most, as in analytics.js."""

MOST_WAITING = 1000
"""Events that may wait for another attempt; one more is dropped, so that a broken plugin can't fill the memory."""

DROPPED_BY_MIDDLEWARE = "dropped by destination middleware"
"""The reason in an event's log for which a destination was not given it, as in analytics.js."""

LONGEST_HOLD = 10.0
"""Seconds that a critical task may hold events back."""

FIRST_PAUSE = 0.5
"""Seconds before the second attempt, times what analytics.js's backoff makes of it."""


class Pipeline:
    """The plugins of one `Analytics`, in the order of their registration.

    Attributes:
        failed: names of the plugins that did not load; events tell them, as analytics.js's do.
        most_attempts: how often an event passes the plugins at most.
        pause: waits for some seconds before the next attempt.
        events: tells ``message_enriched``, ``message_delivered``, ``delivery_success``, ``delivery_retry``,
            ``delivery_failure``, ``flush`` and ``initialization_failure``, as analytics.js's queue does.
    """

    def __init__(
        self,
        warn: Callable[[str], None],
        random: Callable[[], float] = lambda: 0.0,
        pause: Callable[[float], Awaitable[Any]] = asyncio.sleep,
        changed: Callable[[], None] = lambda: None,
        most_attempts: int = MOST_ATTEMPTS,
    ) -> None:
        """Start without plugins.

        Args:
            warn: takes one line for the console.
            random: returns a random number from 0 to 1.
            pause: waits for some seconds.
            changed: called when an event begins to wait for another attempt, or no longer does.
            most_attempts: how often an event passes the plugins at most.
        """
        self._warn = warn
        self._random = random
        self.pause = pause
        self._middleware: list[tuple[str, Middleware]] = []
        self._waiting: dict[int, Context] = {}
        self._changed = changed
        self._abandoned = 0
        self._background: set[asyncio.Task[Any]] = set()
        self._critical: set[asyncio.Future[Any]] = set()
        self.plugins: list[Plugin] = []
        self.failed: list[str] = []
        self.most_attempts = most_attempts
        self.events = Emitter(warn)
        self.heard: Callable[[Context], None] = lambda context: None
        """Called with a context that listeners have seen before its event is sent, and may have changed."""

    # Plugins

    async def register(self, plugin: Plugin, analytics: Any, context: Context | None = None) -> None:
        """Add a plugin and load it; one that fails to load is left out, with a warning.

        Nobody waits for a destination: it may be slow to load, and has nothing to say to other plugins.

        Args:
            plugin: the plugin.
            analytics: what it is loaded with.
            context: where a failure is noted.
        """
        self.plugins.append(plugin)
        loading = self._load(plugin, analytics, context)
        if plugin.kind is not PluginKind.DESTINATION:
            await loading
            return
        task = asyncio.Task(loading, loop=asyncio.get_running_loop(), eager_start=True)
        if not task.done():
            self._background.add(task)
            task.add_done_callback(self._background.discard)

    async def _load(self, plugin: Plugin, analytics: Any, context: Context | None) -> None:
        try:
            await _maybe(getattr(plugin, "load", None), analytics)
        except Exception as error:
            self.failed.append(plugin.name)
            self.events.emit("initialization_failure", plugin)
            self._warn(f"Plugin {plugin.name!r} failed to load and is left out: {error}")
            if context is not None:
                context.note("warn", "Failed to load destination", error, plugin=plugin.name)
            if plugin in self.plugins:
                self.plugins.remove(plugin)

    async def deregister(self, name: str, context: Context | None = None) -> None:
        """Take a plugin out, after its ``unload``. One that fails to unload stays."""
        found = [known for known in self.plugins if known.name == name]
        if not found and context is not None:
            context.note("warn", f"plugin {name} not found")
        for plugin in found:
            try:
                await _maybe(getattr(plugin, "unload", None))
            except Exception as error:
                self._warn(f"Plugin {name!r} failed to unload: {error}")
                if context is not None:
                    context.note("warn", "Failed to unload destination", error, plugin=name)
                continue
            if plugin in self.plugins:
                self.plugins.remove(plugin)

    def put_delivery_last(self) -> None:
        """Put the collector behind the plugins that there are so far, where analytics.js's pages find it."""
        self.plugins.sort(key=lambda plugin: plugin.name == DELIVERY_NAME)

    async def ready(self) -> list[Any]:
        """Wait until every plugin that has a ``ready()`` says so; return what each of them has said, or None.

        Raises:
            PluginFailure: a plugin's ``ready`` failed.
        """
        return list(await asyncio.gather(*(_maybe(getattr(plugin, "ready", None)) for plugin in self.plugins)))

    def add_destination_middleware(self, destination: str, *functions: Middleware) -> None:
        """Let functions see, change or stop what goes to one destination (``*`` for each), and to that one only.

        The collector is no destination in this sense: what it gets is the business of source middleware.
        """
        self._middleware += ((destination.lower(), function) for function in functions)

    # Events

    async def run(self, context: Context) -> Context:
        """Pass a context through all plugins. Never raises; see `Context.cancelled`."""
        abandoned = self._abandoned
        context.count("message_dispatched")
        context.note("debug", "Dispatching")
        began = time.time()
        for attempt in count(context.attempts):
            context.attempts = attempt
            if attempt > 1:
                self.events.emit("delivery_retry", context)
            try:
                await self._until_critical_tasks_are_done(context)
                passed = await self._pass(context, abandoned)
            except Cancelled as stop:
                self._failed(context, stop)
                if not self._may_retry(attempt, stop):
                    return self._stopped(context, stop)
                await self._wait(context, attempt)
            else:
                return self._done(passed, attempt, _since(began))
        raise AssertionError("attempts are counted without end")

    def hold(self, work: Awaitable[Any]) -> None:
        """Let no event on its way before some work is done, well or badly, or has taken `LONGEST_HOLD` seconds."""
        task = asyncio.ensure_future(work)
        self._critical.add(task)

        def done(task: asyncio.Future[Any]) -> None:
            self._critical.discard(task)
            if not task.cancelled() and (error := task.exception()) is not None:
                self._warn(f"A critical task failed: {error}")

        task.add_done_callback(done)

    def abandon(self) -> None:
        """Stop every event that is on its way: none of them reaches a destination any more."""
        self._abandoned += 1

    def _check(self, abandoned: int) -> None:
        if abandoned != self._abandoned:
            raise Cancelled("the event was abandoned on its way")

    async def _pass(self, context: Context, abandoned: int) -> Context:
        self._check(abandoned)
        for plugin in self._allowed(context, PluginKind.BEFORE):
            context = await self._ensure(plugin, context)
            if self.events.emit("message_enriched", context, plugin):
                self.heard(context)
        for plugin in self._allowed(context, PluginKind.ENRICHMENT):
            context, _ = await self._attempt(plugin, context)
            if self.events.emit("message_enriched", context, plugin):
                self.heard(context)
        self._check(abandoned)
        await self._deliver(context)
        context.count("message_delivered")
        self.events.emit("message_delivered", context)
        await self._side_by_side(self._call(plugin, context) for plugin in self._told(context, PluginKind.AFTER))
        return context

    def _failed(self, context: Context, failure: PluginFailure) -> None:
        context.note_failure(failure)
        self.events.emit("delivery_failure", context, failure)
        context.count("delivery_failed")

    def _may_retry(self, attempt: int, stop: Cancelled) -> bool:
        return stop.retry and attempt < self.most_attempts and len(self._waiting) < MOST_WAITING

    async def _wait(self, context: Context, attempt: int) -> None:
        with self._kept_waiting(context):
            await self.pause(FIRST_PAUSE * (1 + self._random()) * 2**attempt)

    async def _until_critical_tasks_are_done(self, context: Context) -> None:
        if not self._critical:
            return
        if len(self._waiting) >= MOST_WAITING:
            raise Cancelled("too many events wait for a critical task")
        with self._kept_waiting(context):
            _, endless = await asyncio.wait(self._critical, timeout=LONGEST_HOLD)
        if endless & self._critical:
            self._warn(f"A critical task has taken more than {LONGEST_HOLD:.0f} s, and events wait for it no longer.")
            self._critical -= endless

    @contextmanager
    def _kept_waiting(self, context: Context) -> Iterator[None]:
        self._waiting[id(context)] = context
        self._changed()
        try:
            yield
        finally:
            del self._waiting[id(context)]
            self._changed()

    def waiting(self) -> list[Event]:
        """Return the events that wait for another attempt, in the order in which they came to wait."""
        return [context.event for context in self._waiting.values()]

    def _stopped(self, context: Context, stop: Cancelled) -> Context:
        context.cancelled = str(stop)
        context.failure = stop
        if context.attempts > 1:
            self.events.emit("flush", context, False)
        return context

    def _done(self, context: Context, attempt: int, milliseconds: float) -> Context:
        if context.delivered is False and context.failure is None:
            context.failure = PluginFailure("the collector has not taken it")
        failure = context.failure
        if failure is not None:
            self._failed(context, failure)
        else:
            self.events.emit("delivery_success", context)
            context.count("delivered", milliseconds=milliseconds)
            context.note("debug", "Delivered", type=context.event["type"])
        if attempt > 1:
            # As in analytics.js: what goes through at once was never in its queue.
            self.events.emit("flush", context, failure is None)
        return context

    async def _ensure(self, plugin: Plugin, context: Context) -> Context:
        """Have a ``before`` plugin see an event: one that fails may have been there to keep something back."""
        passed, error = await self._attempt(plugin, context)
        if error is None:
            return passed
        if isinstance(error, Cancelled) and error.type == MIDDLEWARE_STOPS:
            raise error
        context.note("debug", "Context canceled")
        context.count("context_canceled")
        if isinstance(error, Cancelled):
            raise error
        raise Cancelled(str(error) or f"plugin {plugin.name!r} failed", retry=True, native=_native(error)) from error

    async def _deliver(self, context: Context) -> None:
        destinations = self._told(context, PluginKind.DESTINATION)
        # The collector first, and within this very task: a visitor may leave before the next one.
        destinations.sort(key=lambda plugin: plugin.name != DELIVERY_NAME)
        await self._side_by_side(self._reach(plugin, context) for plugin in destinations)

    def _told(self, context: Context, kind: PluginKind) -> list[Plugin]:
        """Return the plugins of a kind that see an event side by side, and tell its log of them in their order."""
        plugins = self._allowed(context, kind)
        for plugin in plugins:
            context.note("debug", "plugin", plugin=plugin.name)
        return plugins

    async def _side_by_side(self, works: Iterable[Coroutine[Any, Any, Any]]) -> None:
        """Begin everything before anything is waited for."""
        loop = asyncio.get_running_loop()
        for task in [asyncio.Task(work, loop=loop, eager_start=True) for work in works]:
            await task

    async def _reach(self, plugin: Plugin, context: Context) -> None:
        functions = [] if plugin.name == DELIVERY_NAME else self._middleware_of(plugin)
        if not functions:
            await self._call(plugin, context)
            return
        try:
            event = await _through(functions, context.event)
        except Exception as error:
            self._note_failure(plugin, context, error)
            return
        await self._call(plugin, replace(context, event=event, native=None, _told=(0, 0)))

    def _middleware_of(self, plugin: Plugin) -> list[Middleware]:
        names = (EVERY_DESTINATION, plugin.name.lower())
        own = getattr(plugin, "middleware", ())
        given = (function for destination, function in self._middleware if destination in names)
        return [*own, *(_made_for(function, plugin.name) for function in given)]

    async def _attempt(self, plugin: Plugin, context: Context) -> tuple[Context, Exception | None]:
        """Have a plugin see an event; return the context that it leaves, and what went wrong."""
        context.note("debug", "plugin", plugin=plugin.name)
        return await self._call(plugin, context)

    async def _call(self, plugin: Plugin, context: Context) -> tuple[Context, Exception | None]:
        hook = getattr(plugin, context.event["type"], None)
        if hook is None:
            return context, None
        began = time.time()
        try:
            result = await _maybe(hook, context)
        except Exception as error:
            self._note_failure(plugin, context, error)
            return context, error
        context.count("plugin_time", f"plugin:{plugin.name}", milliseconds=_since(began))
        return (result if isinstance(result, Context) else context), None

    def _note_failure(self, plugin: Plugin, context: Context, error: Exception) -> None:
        if isinstance(error, Cancelled):
            if error.type != MIDDLEWARE_STOPS:
                context.note("warn", error.type, error, plugin=plugin.name)
            return
        context.note("error", "plugin Error", error, plugin=plugin.name)
        context.count("plugin_error", f"plugin:{plugin.name}")
        self._warn(f"Plugin {plugin.name!r} raised {type(error).__name__}: {error}")

    def _allowed(self, context: Context, kind: PluginKind) -> list[Plugin]:
        integrations = context.event.get("integrations") or {}
        return [p for p in self.plugins if p.kind == kind and _enabled(p, integrations)]


def _made_for(function: Middleware, destination: str) -> Middleware:
    """Return a middleware that says for which destination it is called, where it wants to know (by a method ``of``)."""
    of = getattr(function, "of", None)
    return of(destination) if of else function


def _enabled(plugin: Plugin, integrations: Any) -> bool:
    if plugin.kind is not PluginKind.DESTINATION and plugin.name != DELIVERY_NAME:
        return True
    given = integrations.get(plugin.name)
    for name in getattr(plugin, "alternative_names", ()):
        given = integrations.get(name) if given is None else given
    if given is None:
        given = True if plugin.name == DELIVERY_NAME else integrations.get("All")
    return given is not False


async def _through(functions: Iterable[Middleware], event: Event) -> Event:
    """Return an event as a destination's middleware leaves it.

    Raises:
        Cancelled: a middleware has stopped it.
    """
    # A copy: what one destination's middleware changes is nobody else's business.
    passed: Any = copy.deepcopy(event)
    for function in functions:
        passed = await _maybe(function, passed)
        if passed is None:
            raise Cancelled(DROPPED_BY_MIDDLEWARE)
    changed: Event = passed
    return changed


def _since(began: float) -> float:
    return round((time.time() - began) * 1000)


def _native(error: Exception) -> Any:
    return error.native if isinstance(error, PluginFailure) else None


async def _maybe(function: Callable[..., Any] | None, *args: Any) -> Any:
    if function is None:
        return None
    result = function(*args)
    return await result if inspect.isawaitable(result) else result


__all__ = [
    "DELIVERY_NAME",
    "Cancelled",
    "Context",
    "Middleware",
    "Pipeline",
    "Plugin",
    "PluginFailure",
    "PluginKind",
    "SourceMiddleware",
]
