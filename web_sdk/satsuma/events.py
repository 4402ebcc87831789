"""Builds events from calls, with ids, times and context.

Source: analytics-core ``EventFactory`` and analytics-next ``events`` and ``page``. An event is a dict in the tracking
API's own names (camelCase), ready to be written as JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .arguments import AliasCall, IdentifyCall, PageCall, TrackCall
from .clock import iso_time, read_time
from .environment import Environment
from .errors import EventError
from .identity import UNSET, User
from .storage import Storage

Event = dict[str, Any]

OVERRIDES = ("userId", "anonymousId", "timestamp", "messageId")
"""Options that become fields of the event itself; all others go to its context."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When and where a call was made.

    Attributes:
        at: milliseconds since 1970.
        page: ``context.page`` at that time.
        message_id: created with the call, and the same in every retry.
    """

    at: float
    page: Mapping[str, Any]
    message_id: str


@dataclass(frozen=True, slots=True)
class EventFactory:
    """Builds events from calls.

    Attributes:
        user: the visitor, whose ids the events get.
        environment: the browser.
        cookies: the storage that remembers advertisements.
        integrations: the ``integrations`` load option; an event gets its names as booleans.
        remark: a function that may add more to an event's context.
        warn: called with a line for whoever made a call.
    """

    user: User
    environment: Environment
    cookies: Storage
    integrations: Mapping[str, Any] = field(default_factory=dict)
    remark: Callable[[dict[str, Any]], None] = field(default=lambda context: None)
    warn: Callable[[str], None] = field(default=lambda line: None)

    def track(self, call: TrackCall, moment: Moment) -> Event:
        return self._finish({"type": "track", "event": call.event, "properties": call.properties}, call.options, moment)

    def identify(self, call: IdentifyCall, moment: Moment) -> Event:
        """Build an identify event with the id and traits that the visitor has after the call."""
        return self._finish({"type": "identify", "userId": call.id, "traits": call.traits}, call.options, moment)

    def group(self, call: IdentifyCall, moment: Moment) -> Event:
        return self._finish({"type": "group", "groupId": call.id, "traits": call.traits}, call.options, moment)

    def page(self, call: PageCall, moment: Moment) -> Event:
        """Build a page event. Its properties describe the page; those of the call take precedence."""
        event = self._named("page", call)
        if call.category is not None:
            event["properties"]["category"] = call.category
        return self._finish(event, call.options, moment)

    def screen(self, call: PageCall, moment: Moment) -> Event:
        return self._finish(self._named("screen", call), call.options, moment)

    def alias(self, call: AliasCall, moment: Moment) -> Event:
        event: Event = {"type": "alias", "userId": call.to or self.user.id()}
        if call.from_ is not None:
            event["previousId"] = call.from_
        event = self._finish(event, call.options, moment)
        event["previousId"] = event.get("previousId") or self.user.id() or self.user.anonymous_id()
        return event

    def finish(self, event: Event, moment: Moment) -> Event:
        """Complete an event that the page has created itself, and apply its ``options``."""
        options = event.pop("options", None)
        given = dict(options) if isinstance(options, Mapping) else {}
        named = event.get("integrations")
        overrides, context = split_options(given)
        finished: Event = {
            **event,
            "context": context,
            "integrations": {
                **({name: bool(value) for name, value in named.items()} if isinstance(named, Mapping) else {}),
                **(given["integrations"] if isinstance(given.get("integrations"), Mapping) else {}),
            },
            **overrides,
            "messageId": overrides.get("messageId") or moment.message_id,
        }
        finished["timestamp"] = self._time(finished, moment)
        self._add_identity(finished)
        return finished

    def _named(self, kind: str, call: PageCall) -> Event:
        event: Event = {"type": kind, "properties": dict(call.properties)}
        if call.category is not None:
            event["category"] = call.category
        if call.name is not None:
            event["name"] = call.name
        return event

    def _finish(self, event: Event, options: Mapping[str, Any], moment: Moment) -> Event:
        given = dict(options)
        anonymous_id = given.get("anonymousId")
        if anonymous_id:
            # As in analytics.js, this changes the visitor's anonymousId permanently: "some customers rely on this".
            self.user.anonymous_id(str(anonymous_id))
        overrides, context = split_options(given)
        finished: Event = {
            **event,
            "context": context,
            "integrations": self._integrations(given.get("integrations")),
            **overrides,
            "messageId": overrides.get("messageId") or moment.message_id,
        }
        finished["timestamp"] = self._time(finished, moment)
        self._add_identity(finished)
        add_page(finished, moment.page)
        self.environment.enrich(finished["context"], self.cookies)
        self.remark(finished["context"])
        return finished

    def _time(self, event: Event, moment: Moment) -> str:
        """Return when the event happened: as the call says, or else when it was made."""
        if "timestamp" in event:
            try:
                return read_time(event["timestamp"])
            except ValueError:
                given = f"{event['timestamp']!r:.60}"
                self.warn(
                    f"The timestamp {given} of this {event.get('type')} can't be read, so that it is told as of "
                    "now: give a Date, an ISO 8601 text, or seconds or milliseconds since 1970."
                )
        return iso_time(moment.at)

    def _integrations(self, per_event: object) -> dict[str, Any]:
        named = {name: bool(value) for name, value in self.integrations.items()}
        return {**named, **(per_event if isinstance(per_event, Mapping) else {})}

    def _add_identity(self, event: Event) -> None:
        user_id = self.user.id()
        if user_id and event.get("type") != "alias":
            event["userId"] = user_id
        event.setdefault("userId", None)
        anonymous_id = self.user.anonymous_id()
        if anonymous_id:
            event["anonymousId"] = anonymous_id


def split_options(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the options for the event itself, and those for its context. Dotted names become nested objects.

    Raises:
        EventError: the ``context`` option isn't an object.
    """
    given = options.get("context")
    if given is not None and not isinstance(given, Mapping):
        raise EventError(".context", "is not an object")
    if options.get("messageId") and not isinstance(options["messageId"], str):
        raise EventError(".messageId", "is not a string")
    overrides: dict[str, Any] = {}
    context: dict[str, Any] = dict(given or {})
    for name, value in options.items():
        if name in ("context", "integrations"):
            continue
        _put(overrides if name in OVERRIDES else context, name, value)
    return overrides, context


def _put(target: dict[str, Any], dotted: str, value: Any) -> None:
    *parents, last = dotted.split(".")
    for name in parents:
        inner = target.get(name)
        target[name] = dict(inner) if isinstance(inner, Mapping) else {}
        target = target[name]
    target[last] = value


def add_page(event: Event, page: Mapping[str, Any]) -> None:
    """Add the page to the event's context and, for a page call, to its properties."""
    from_properties: dict[str, Any] = {}
    if event["type"] == "page":
        properties = event["properties"]
        from_properties = {name: properties[name] for name in page if name in properties}
        named = {"name": event["name"]} if event.get("name") else {}
        event["properties"] = _present({**page, **properties, **named})
    own = event["context"].get("page")
    event["context"]["page"] = _present({**page, **from_properties, **(own if isinstance(own, Mapping) else {})})


def _present(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that are not `UNSET`. A page can pass ``undefined`` to leave out a default value."""
    return {name: value for name, value in given.items() if value is not UNSET}
