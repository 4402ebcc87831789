"""The face of the SDK: identify, track, page and the rest, for any platform.

Two doors lead to the same rooms: the methods here are for Python, with keyword arguments; `call` takes the argument
forms of analytics.js, as a page's JavaScript (or its stub, before Python was up) gives them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from . import arguments
from .arguments import AliasCall, Call, IdentifyCall, PageCall, TrackCall
from .delivery import Delivery, DeliveryReport
from .emitter import Emitter
from .events import Event, EventFactory, Moment
from .identity import Group, User
from .options import Endpoint, LoadOptions
from .pipeline import Context, Pipeline, Plugin
from .platform import Platform
from .sender import Sender
from .storage import StorageFactory

Dispatch = Awaitable[Context]
"""What a call returns. It may be awaited, to know what became of the event, or left alone."""

EVENT_CALLS = ("track", "identify", "page", "screen", "group", "alias")


class Analytics:
    """One visitor's analytics.

    Example:
        >>> analytics = Analytics(platform, Endpoint("demo", "https://shop.test/v1"))
        >>> analytics.identify("97980cfea0067", {"plan": "premium"})
        >>> analytics.track("Signed Up")
    """

    def __init__(self, platform: Platform, endpoint: Endpoint, options: LoadOptions | None = None) -> None:
        """Take up the visitor whom the platform's cookies and localStorage know."""
        self.options = options or LoadOptions.from_mapping()
        self.initialized = False
        self.timeout = 300.0
        """Milliseconds that a link or a form waits for its event before it goes on."""
        self._platform = platform
        self._emitter = Emitter(platform.warn)
        self._user, self._group = self._identities()
        self._factory = EventFactory(self._user, platform.environment(), self.options.integrations)
        self._delivery = Delivery(endpoint.write_key, self.options.delivery, platform.chance, platform.warn)
        self.sender = Sender(self._delivery, platform)
        self.pipeline = Pipeline(platform.warn)
        if self.options.delivers():
            self.pipeline.plugins.append(self.sender)

    def _identities(self) -> tuple[User, Group]:
        platform, options = self._platform, self.options
        factory = StorageFactory(
            platform.jar, platform.area, platform.warn, options.cookie, options.persist, options.kinds
        )
        return User(factory, options.user, platform.new_id), Group(factory, options.group, platform.new_id)

    # Calls that become events

    def track(
        self,
        event: str,
        properties: Mapping[str, Any] | None = None,
        *,
        options: Mapping[str, Any] | None = None,
        callback: arguments.Callback | None = None,
    ) -> Dispatch:
        """Record what a visitor did.

        Raises:
            ArgumentError: `event` is empty or not text.
        """
        return self.call("track", [event, dict(properties or {}), dict(options or {}), callback])

    def identify(
        self,
        user_id: str | int | None = None,
        traits: Mapping[str, Any] | None = None,
        *,
        options: Mapping[str, Any] | None = None,
        callback: arguments.Callback | None = None,
    ) -> Dispatch:
        """Say who the visitor is, or what is known of them: ids and traits are kept and sent.

        Without `user_id` the traits belong to the current user, or to the anonymousId where there is none.
        """
        return self.call("identify", [user_id, dict(traits or {}), dict(options or {}), callback])

    def page(
        self,
        category: str | None = None,
        name: str | None = None,
        properties: Mapping[str, Any] | None = None,
        *,
        options: Mapping[str, Any] | None = None,
        callback: arguments.Callback | None = None,
    ) -> Dispatch:
        """Record that a page was seen. A lone text is the name."""
        return self.call("page", [category, name, dict(properties or {}), dict(options or {}), callback])

    def screen(
        self,
        category: str | None = None,
        name: str | None = None,
        properties: Mapping[str, Any] | None = None,
        *,
        options: Mapping[str, Any] | None = None,
        callback: arguments.Callback | None = None,
    ) -> Dispatch:
        """Record that a screen of an app was seen."""
        return self.call("screen", [category, name, dict(properties or {}), dict(options or {}), callback])

    def group(
        self,
        group_id: str | int | None = None,
        traits: Mapping[str, Any] | None = None,
        *,
        options: Mapping[str, Any] | None = None,
        callback: arguments.Callback | None = None,
    ) -> Dispatch:
        """Say which group the visitor belongs to. (The group itself is at `current_group`.)"""
        return self.call("group", [group_id, dict(traits or {}), dict(options or {}), callback])

    def alias(
        self,
        user_id: str,
        previous_id: str | None = None,
        *,
        options: Mapping[str, Any] | None = None,
        callback: arguments.Callback | None = None,
    ) -> Dispatch:
        """Say that two ids are one person. `previous_id` defaults to the current userId or anonymousId."""
        return self.call("alias", [user_id, previous_id, dict(options or {}), callback])

    def call(self, name: str, args: Sequence[Any], moment: Moment | None = None) -> Dispatch:
        """Make the call `name` with analytics.js's argument forms.

        Args:
            name: one of `EVENT_CALLS`.
            args: plain Python values; see `arguments`.
            moment: when and where the call was made; None for here and now.

        Raises:
            ArgumentError: no form of the method takes the arguments.
        """
        read, make = self._calls()[name]
        call = read(args)
        event = make(call, moment or self._now())
        return self._platform.start(self._dispatch(event, call))

    def _calls(self) -> dict[str, tuple[Callable[[Sequence[Any]], Any], Callable[[Any, Moment], Event]]]:
        factory = self._factory
        return {
            "track": (arguments.read_track, factory.track),
            "page": (arguments.read_page, factory.page),
            "screen": (arguments.read_page, factory.screen),
            "alias": (arguments.read_alias, factory.alias),
            "identify": (arguments.read_identify, self._identify),
            "group": (arguments.read_identify, self._identify_group),
        }

    def _identify(self, call: IdentifyCall, moment: Moment) -> Event:
        self._user.identify(call.id or self._user.id(), call.traits)
        held = IdentifyCall(call.options, call.callback, self._user.id(), self._user.traits() or {})
        return self._factory.identify(held, moment)

    def _identify_group(self, call: IdentifyCall, moment: Moment) -> Event:
        self._group.identify(call.id or self._group.id(), call.traits)
        held = IdentifyCall(call.options, call.callback, self._group.id(), self._group.traits() or {})
        return self._factory.group(held, moment)

    def _now(self) -> Moment:
        platform = self._platform
        return Moment(platform.now(), platform.page(), new_message_id(platform))

    async def _dispatch(self, event: Event, call: Call) -> Context:
        context = await self.pipeline.run(Context(event))
        if call.callback is not None:
            try:
                call.callback(context)
            except Exception as error:
                self._platform.warn(f"The callback of {event['type']} raised {type(error).__name__}: {error}")
        self._emitter.emit(event["type"], *_told(call, context.event))
        return context

    # Identity

    def user(self) -> User:
        """Return the visitor."""
        return self._user

    @property
    def current_group(self) -> Group:
        """The visitor's group."""
        return self._group

    def set_anonymous_id(self, anonymous_id: str | None = None) -> str | None:
        """Set the anonymousId; without one, return the current one."""
        return self._user.anonymous_id(anonymous_id) if anonymous_id else self._user.anonymous_id()

    def reset(self) -> None:
        """Forget the visitor and the group; the next call makes a new anonymousId."""
        self._user.reset()
        self._group.reset()
        self._emitter.emit("reset")

    # Plugins and listeners

    async def register(self, *plugins: Plugin) -> None:
        """Add plugins, in order."""
        await asyncio.gather(*(self.pipeline.register(plugin, self) for plugin in plugins))

    async def deregister(self, *names: str) -> None:
        """Take plugins out by name."""
        for name in names:
            await self.pipeline.deregister(name)

    def on(self, name: str, listener: Callable[..., Any]) -> Analytics:
        """Call `listener` whenever `name` happens: a call's name, ``reset`` or ``initialize``."""
        self._emitter.on(name, listener)
        return self

    def once(self, name: str, listener: Callable[..., Any]) -> Analytics:
        """Call `listener` the next time `name` happens."""
        self._emitter.once(name, listener)
        return self

    def off(self, name: str, listener: Callable[..., Any]) -> Analytics:
        """Call `listener` no more."""
        self._emitter.off(name, listener)
        return self

    # Life

    def initialize(self) -> None:
        """Say that calls go straight through from now on."""
        self.initialized = True
        self._emitter.emit("initialize")

    def flush(self) -> None:
        """Send what waits for company."""
        self.sender.flush()

    def leave(self) -> None:
        """Hand over everything that waits before the page goes."""
        self.sender.leave()

    @property
    def delivery(self) -> DeliveryReport:
        """What became of the events so far."""
        return self._delivery.report()


def new_message_id(platform: Platform) -> str:
    """Return a fresh messageId in the specification's form, ``ajs-`` and 32 hexadecimal digits."""
    return f"ajs-{platform.new_id().replace('-', '')}"


def _told(call: Call, event: Event) -> tuple[Any, ...]:
    """Return what listeners of a call are told, as analytics.js's emitter does."""
    match call:
        case TrackCall():
            return call.event, event["properties"], call.options
        case PageCall():
            return call.category, call.name, event["properties"], call.options
        case IdentifyCall():
            return event.get("groupId", event.get("userId")), event["traits"], call.options
        case AliasCall():
            return call.to, call.from_, call.options
    return ()
