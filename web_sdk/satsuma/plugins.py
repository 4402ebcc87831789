"""What a plugin is, and what it is given: one event on its way, with what has happened to it."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from .errors import SatsumaError
from .events import Event

DELIVERY_NAME = "Segment.io"
"""Name of the destination that posts to the collector, in ``integrations``."""

IDS = ("anonymousId", "userId")
NEEDED = (*IDS, "messageId", "timestamp")

MIDDLEWARE_STOPS = "middleware_cancellation"
"""The type of a `Cancelled` by which a source middleware stops an event; its log says no more of it."""


class PluginKind(StrEnum):
    """When a plugin sees an event."""

    BEFORE = "before"
    ENRICHMENT = "enrichment"
    DESTINATION = "destination"
    AFTER = "after"
    UTILITY = "utility"


class PluginFailure(SatsumaError):
    """What a plugin of the page threw, or rejected with.

    Attributes:
        native: the value itself; None where there is none of another language.
    """

    def __init__(self, text: str, native: Any = None) -> None:
        super().__init__(text)
        self.native = native


class Cancelled(PluginFailure):
    """A plugin or middleware stops an event on purpose. Raise it from a hook of a ``before`` plugin.

    Attributes:
        retry: whether the event passes the plugins once more, after a pause.
        type: what the event's log says.
    """

    def __init__(self, text: str, *, retry: bool = False, type: str = "plugin Error", native: Any = None) -> None:
        super().__init__(text, native)
        self.retry = retry
        self.type = type


@dataclass(frozen=True, slots=True)
class LogLine:
    """One thing that happened to an event.

    Attributes:
        level: ``debug``, ``info``, ``warn`` or ``error``.
        message: as analytics.js has it.
        extras: what more there is to tell, as JSON has it; None where the error is all.
        error: what went wrong.
        at: milliseconds since 1970.
    """

    level: str
    message: str
    extras: dict[str, Any] | None = field(default_factory=dict)
    error: Exception | None = None
    at: float = 0.0

    def __str__(self) -> str:
        return " ".join(map(str, (self.message, *(self.extras or {}).values(), *([self.error] if self.error else []))))


@dataclass(frozen=True, slots=True)
class Count:
    """One of something that is counted, with its tags; or how long something took."""

    metric: str
    tags: tuple[str, ...] = ()
    milliseconds: float | None = None


@dataclass(slots=True)
class Context:
    """One event on its way through the pipeline.

    Attributes:
        event: the event; plugins may change it in place or return another context.
        cancelled: why the event was stopped, None where it wasn't.
        delivered: True once the collector has acknowledged it, False once it was dropped, None before: also where the
            event still waits for the network or for another try when the call is answered.
        attempts: how often it has entered the pipeline, and one more once it is sent, as analytics.js counts.
        failure: what stopped it, or what a destination says went wrong.
        log: what happened on the way.
        counts: what was counted and measured on the way.
        native: what a platform keeps with it: in a page, the context as JavaScript sees it.
        native_event: the event's JSON as `native` has got it.
        made: what every event needs, as it was before any plugin saw it.
    """

    event: Event
    cancelled: str | None = None
    delivered: bool | None = None
    attempts: int = 1
    failure: PluginFailure | None = None
    log: list[LogLine] = field(default_factory=list)
    counts: list[Count] = field(default_factory=list)
    native: Any = None
    native_event: str = ""
    made: Event = field(default_factory=dict)
    _told: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        self.made = self.made or {name: self.event[name] for name in NEEDED if self.event.get(name)}

    def complete(self) -> Event:
        """Return the event with what every event needs, where a plugin has put another one in its place.

        What a plugin has taken out of it stays out, unless nothing would be left to say whose event it is.
        """
        event = self.event
        nobody = not any(event.get(name) for name in IDS)
        kept = {name: value for name, value in self.made.items() if not event.get(name) and (nobody or name not in IDS)}
        return {"userId": None, **event, **kept}

    @property
    def id(self) -> str:
        """The event's messageId."""
        return str(self.event.get("messageId", ""))

    def cancel(self, reason: str = "cancelled") -> None:
        """Stop this event.

        Raises:
            Cancelled: always.
        """
        raise Cancelled(reason)

    def note(self, level: str, message: str, error: Exception | None = None, **extras: Any) -> None:
        """Write a line into the log."""
        self.log.append(LogLine(level, message, extras, error, time.time() * 1000))

    def note_failure(self, error: Exception, message: str = "Failed to deliver") -> None:
        """Write into the log that the event was stopped, or what else has failed."""
        self.log.append(LogLine("error", message, None, error, time.time() * 1000))

    def count(self, metric: str, *tags: str, milliseconds: float | None = None) -> None:
        """Count one of something, or note how long it took."""
        self.counts.append(Count(metric, tags, milliseconds))

    def untold(self) -> tuple[list[LogLine], list[Count]]:
        """Return what is new in the log and among the counts since this was asked last."""
        lines, counts = self._told
        self._told = len(self.log), len(self.counts)
        return self.log[lines:], self.counts[counts:]


@dataclass(frozen=True, slots=True)
class DeliveryFailure:
    """What listeners of ``error`` are told: an event that will never reach the collector."""

    context: Context
    reason: PluginFailure
    code: str = "delivery_failure"


class Plugin(Protocol):
    """A plugin. It may also have ``load(analytics)``, ``unload()``, ``ready()``, ``alternative_names`` (by which
    ``integrations`` may name it too), ``middleware`` (functions that see, change or stop what a destination gets), and
    a hook per call: ``track(context)`` …

    A hook changes the context it gets, or returns another one; it may be a coroutine function. A hook of a ``before``
    plugin stops the event by raising `Cancelled`; by any other exception it fails, and is tried again.
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
        event = self.function(context.event)
        if inspect.isawaitable(event):
            event = await event
        if event is None:
            raise Cancelled("Middleware `next` function skipped", type=MIDDLEWARE_STOPS)
        context.event = event
        return context

    track = identify = page = screen = group = alias = _apply
