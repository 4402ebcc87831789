"""The SDK's main class, with identify, track, page and the other methods, for any platform."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from . import arguments
from .arguments import AliasCall, Call, IdentifyCall, PageCall, TrackCall
from .backlog import Backlog
from .calls import Calls, Dispatch
from .consent import Consent, ConsentState
from .cookie_jar import REFRESHED_KEY
from .delivery import Delivery, DeliveryReport
from .diagnostics import Diagnostics
from .emitter import Emitter
from .errors import EventError, SatsumaError
from .events import Event, EventFactory, Moment
from .generation import Generation
from .identity import UNSET, Group, Unset, User
from .options import Endpoint, LoadOptions
from .outbox import Outbox
from .pipeline import MOST_ATTEMPTS, Pipeline
from .platform import Platform
from .plugins import Context, DeliveryFailure, Middleware, Plugin, PluginFailure, SourceMiddleware
from .query_string import read_query
from .sender import WITHDRAWN, Sender
from .server_identity import ServerIdentity
from .storage import Loss, Storage, StorageFactory, StoreKind
from .storage_cache import StorageCache
from .strays import Fate, Strays
from .visitor_state import VisitorState

STRAY = (
    "There is another cookie {name}, on another domain or path, which this page can't remove: whoever uses this "
    "browser may be taken for somebody else. Let whatever sets it name this page's Domain and Path, or leave it"
)

EVENT_CALLS = ("track", "identify", "page", "screen", "group", "alias")

MakeEvent = Callable[[VisitorState, Moment], Event]
"""Makes the event of a call that was read, for the visitor as they are at that moment."""

CALLBACK_SECONDS = 1.0
"""Seconds that a call waits for the promise of its callback, as in analytics.js."""


class Analytics(Calls):
    """The analytics of one page's visitor.

    Examples:
        >>> analytics = Analytics(platform, Endpoint("demo", "https://shop.test/v1"))
        >>> analytics.identify("97980cfea0067", {"plan": "premium"})
        >>> analytics.track("Signed Up")
    """

    def __init__(
        self,
        platform: Platform,
        endpoint: Endpoint,
        options: LoadOptions | None = None,
        destination: Plugin | None = None,
    ) -> None:
        """Continue with the visitor in the platform's cookies and localStorage.

        Args:
            destination: takes events to the collector in place of the `Sender`, for a platform with a queue of its own.
        """
        self.options = options or LoadOptions.from_mapping()
        self.initialized = False
        self.timeout = 300.0
        """Milliseconds after which callbacks are called. A link or a form waits at most as long for its event."""
        self.debug = False
        """Whether the log of each event is written to the console."""
        self.write_key = endpoint.write_key
        self._platform = platform
        self._destination = destination
        self._emitter = Emitter(platform.warn)
        environment = platform.environment()
        self.consent = Consent(self.options.consent(environment), platform.warn)
        self._storage_cache = StorageCache(platform.cookie_jar, platform.local_storage, platform.now)
        self._stores = StorageFactory(
            self._storage_cache.cookie_jar,
            self._storage_cache.local_storage,
            platform.warn,
            self.options.cookie,
            self._persists,
            self.options.kinds,
            self._healed,
            self._changed,
            Strays(self._strayed),
        )
        self._storage: Storage | None = None
        keys = self.options.user.keys, self.options.group.keys
        self._handover = ServerIdentity(self._stores, *keys)
        self._generation = Generation(self._stores, *keys, platform.now)
        self.diagnostics = Diagnostics(self._handover.gave)
        self._environment = environment
        self._visitor = self._read_visitor()
        self._delivery = Delivery(endpoint.write_key, self.options.delivery, platform.random, platform.warn)
        self.pipeline = Pipeline(
            platform.warn,
            platform.random,
            changed=lambda: self.sender.look_at_held(),
            most_attempts=MOST_ATTEMPTS if self.options.retry_queue else 1,
        )
        self.sender = Sender(
            self._delivery,
            platform,
            self._make_outbox(),
            endpoint.metadata,
            lambda: self.pipeline.failed,
            lambda: bool(self.pipeline.waiting()),
            lambda context, why: self._emitter.emit("error", DeliveryFailure(context, PluginFailure(why))),
        )
        self._backlog = Backlog(platform.local_storage, endpoint.write_key, platform.new_id, platform.warn)
        if self.options.delivers():
            self.pipeline.plugins.append(destination or self.sender)
            self.sender.take_over(look_again=True)

    # From call to event

    def call(self, name: str, args: Sequence[Any], moment: Moment | None = None) -> Dispatch:
        """Make the call `name`, with arguments in any form of analytics.js.

        Args:
            name: one of `EVENT_CALLS`.
            args: Python values; see `arguments`.
            moment: when and on which page the call was made; None for now and the current page.

        Raises:
            ArgumentError: no form of the method has such arguments.
            EventError: an option is not valid.
        """
        call, make = self._read_call(name, args)
        begin = partial(self._begin, call, make, moment or self._now())
        return begin() if self.consent.granted else self._platform.start(self._hold(name, begin))

    def dispatch(self, event: Any, native: Any = None) -> Dispatch:
        """Pass an event that a page has made itself, or has sent before, through the plugins.

        Args:
            event: the event.
            native: what the platform keeps with its context.

        Raises:
            EventError: it has no type of an event.
        """
        if not isinstance(event, dict) or event.get("type") not in EVENT_CALLS:
            raise EventError(".type", f"is none of {', '.join(EVENT_CALLS)}")
        made = {"messageId": new_message_id(self._platform), **event}
        context = Context(made, native=native)
        name = str(made["type"])
        begin: Callable[[], Dispatch] = lambda: self._platform.start(self.pipeline.run(context))
        return begin() if self.consent.granted else self._platform.start(self._hold(name, begin))

    def relay(self, name: str, args: Sequence[Any], event: Event) -> Dispatch:
        """Tell plugins and listeners of an event that the collector has already made of a call, and keeps.

        The call changes nothing about the visitor any more, and the event is not sent again.

        Args:
            name: one of `EVENT_CALLS`.
            args: Python values; see `arguments`.
            event: the event, as the collector made it.
        """
        call, _ = self._read_call(name, args)
        context = Context(event, delivered=True)
        self._emitter.emit("dispatch_start", context)
        return self._platform.start(self._dispatch(context, call))

    def _read_call(self, name: str, args: Sequence[Any]) -> tuple[Call, MakeEvent]:
        """Read a call's arguments; return them with a function that makes the event for the visitor at that time."""
        match name:
            case "track":
                track = arguments.read_track(args)
                return track, lambda visitor, moment: visitor.events.track(track, moment)
            case "identify":
                identify = arguments.read_identify(args)
                return identify, lambda visitor, moment: visitor.identify(identify, moment)
            case "page":
                page = arguments.read_page(args)
                return page, lambda visitor, moment: visitor.events.page(page, moment)
            case "screen":
                screen = arguments.read_page(args)
                return screen, lambda visitor, moment: visitor.events.screen(screen, moment)
            case "group":
                group = arguments.read_identify(args)
                return group, lambda visitor, moment: visitor.join_group(group, moment)
            case "alias":
                alias = arguments.read_alias(args)
                return alias, lambda visitor, moment: visitor.events.alias(alias, moment)
        raise KeyError(name)

    def _begin(self, call: Call, make: MakeEvent, moment: Moment) -> Dispatch:
        with self._storage_cache:
            self._follow()
            context = Context(make(self._visitor, moment))
        context.count("analytics_js.invoke", context.event["type"])
        if not (self.options.retry_queue or self._delivery.is_online):
            return self._platform.start(self._pass_over(context, call))
        if self._emitter.emit("dispatch_start", context):
            self.pipeline.heard(context)
        return self._platform.start(self._dispatch(context, call))

    async def _pass_over(self, context: Context, call: Call) -> Context:
        """Notify listeners of an event that isn't sent: there is no network, and the page wants no later try."""
        self._emitter.emit(context.event["type"], *_told(call, context.event))
        return context

    async def _hold(self, name: str, begin: Callable[[], Dispatch]) -> Context:
        answer: asyncio.Future[Dispatch | None] = asyncio.get_running_loop().create_future()

        def resume(granted: bool) -> None:
            begun = None
            try:
                begun = begin() if granted else None
            except SatsumaError as error:
                if answer.done():
                    self._platform.warn(f"analytics.{name}: {error}")
                else:
                    answer.set_exception(error)
            if not answer.done():
                answer.set_result(begun)

        self.consent.hold(resume)
        await asyncio.wait((answer,), timeout=self.timeout / 1000)
        if not answer.done():
            # The call continues when the visitor has answered, which may never happen: callers must not wait for it.
            answer.set_result(None)
            waiting = Context({"type": name, "messageId": ""})
            waiting.note("info", "the visitor has not been asked for consent yet")
            return waiting
        begun = answer.result()
        refused = Context({"type": name, "messageId": ""}, cancelled="the visitor has not consented")
        return refused if begun is None else await begun

    def _remark(self, context: dict[str, Any]) -> None:
        self.diagnostics.tell(context, self.sender.troubles, self.sender.lost)

    def _healed(self, key: str, place: StoreKind, loss: Loss, value: Any) -> None:
        self.diagnostics.healed(key, place, loss, value)

    def _strayed(self, name: str, fate: Fate) -> None:
        self.diagnostics.strayed(name, fate)
        if fate is Fate.STAYS:
            self._platform.warn(STRAY.format(name=name))

    def _now(self) -> Moment:
        platform = self._platform
        return Moment(platform.now(), platform.page(), new_message_id(platform))

    async def _dispatch(self, context: Context, call: Call) -> Context:
        passing = self._platform.start(self.pipeline.run(context))
        if call.callback is not None:
            # Not before, as in analytics.js: a page may rely on the delay.
            await asyncio.sleep(self.timeout / 1000)
        elif not passing.done():
            # Listeners are called when the event was sent, but not later than this.
            await asyncio.wait((passing,), timeout=self.timeout / 1000)
        so_far = passing.result() if passing.done() else context
        if call.callback is not None:
            await self._tell(call.callback, so_far)
        self._emitter.emit(context.event["type"], *_told(call, so_far.event))
        passed: Context = await passing
        if self.debug:
            self._platform.tell(f"{passed.event['type']} {passed.id}: {'; '.join(map(str, passed.log))}")
        return passed

    async def _tell(self, callback: Callable[..., Any], context: Context) -> None:
        try:
            answer = callback(context)
            if inspect.isawaitable(answer):
                # A callback must not delay its call for ever.
                await asyncio.wait_for(answer, CALLBACK_SECONDS)
        except Exception as raised:
            error = PluginFailure("Promise timed out") if isinstance(raised, TimeoutError) else raised
            context.note("warn", "Callback Error", error)
            context.count("callback_error")
            self._platform.warn(f"The callback of {context.event['type']} raised {type(error).__name__}: {error}")

    def follow_link(self, query: str) -> list[Dispatch]:
        """Make the calls in a query string (``?ajs_uid=…``), unless links are not allowed to; return them."""
        if self.options.query_patterns is None:
            return []
        asked = read_query(query, self.options.query_patterns)
        if asked.anonymous_id:
            self.set_anonymous_id(asked.anonymous_id)
        calls = [self.identify(asked.user_id, asked.traits)] if asked.user_id else []
        return [*calls, self.track(asked.event, asked.properties)] if asked.event else calls

    def normalize(self, given: Mapping[str, Any]) -> Event:
        """Complete an event that a plugin or page has created: apply its options, and add ids, time and messageId.

        Raises:
            EventError: an option is not valid.
        """
        return self._visitor.events.finish(dict(given), self._now())

    # Identity

    def user(self) -> User:
        """Return the visitor."""
        self._follow()
        return self._visitor.user

    @property
    def current_group(self) -> Group:
        """The visitor's group."""
        self._follow()
        return self._visitor.group

    @property
    def storage(self) -> Storage:
        """A storage over all stores of the page, for other values that should be kept as long as the identity."""
        if self._storage is None:
            # Always the same object, since another one would have another memory store.
            self._storage = self._stores.make()
        return self._storage

    def set_anonymous_id(self, anonymous_id: str | Unset | None = UNSET) -> str | None:
        """Set the anonymousId, or remove it by None. Without an argument, return the current one."""
        self._follow()
        return self._visitor.user.anonymous_id(anonymous_id)

    def reset(self) -> None:
        """Remove the ids and traits of visitor and group. The next call creates a new anonymousId."""
        self._visitor.user.reset()
        self._visitor.group.reset()
        self._emitter.emit("reset")

    def _follow(self) -> None:
        """Take over changes that a server, other origins of the site or other tabs have made."""
        if not (self._persists and self.consent.granted):
            return
        outdated = self._handover.follow()
        if outdated is None:
            outdated = self._generation.follow()
        else:
            self._generation.adopt()
        if outdated:
            self._visitor = self._read_visitor()

    def _changed(self) -> None:
        self._generation.advance()
        # What a server has declared about the visitor is outdated now.
        self._handover.forget()

    def _read_visitor(self) -> VisitorState:
        """Return the visitor in the stores or, without consent, a new one in memory."""
        options, new_id, kept = self.options, self._platform.new_anonymous_id, self.consent.granted
        user = User(self._stores, options.identity(options.user, kept=kept), new_id)
        group = Group(self._stores, options.identity(options.group, kept=kept), new_id)
        warn = self._platform.warn
        events = EventFactory(user, self._environment, self._cookies(), options.integrations, self._remark, warn)
        return VisitorState(user, group, events)

    def _cookies(self) -> Storage:
        """Return the storage that remembers advertisements: cookies, if anything may be kept."""
        if self._persists and self.consent.granted:
            return self._stores.make(only=lambda kind: kind is StoreKind.COOKIE)
        return Storage([], self._platform.warn)

    def _make_outbox(self) -> Outbox | None:
        """Return an outbox, which keeps events after the end of the page, if anything may be kept."""
        if self._destination is not None or not (self._persists and self.consent.granted):
            return None
        platform = self._platform
        return Outbox(platform.local_storage, self.write_key, platform.new_id(), platform.warn)

    @property
    def _persists(self) -> bool:
        return self.options.persist and not self.options.disable

    # Consent

    def grant_consent(self) -> None:
        """Record the visitor's yes. Calls made so far are kept and sent, in order, with their times."""
        if self.consent.granted:
            return
        before = self._visitor
        refused = self.consent.state is ConsentState.DENIED
        held = self.consent.grant()
        self._follow()
        self._visitor = self._read_visitor()
        self.sender.outbox = self._make_outbox()
        self._visitor.user.adopt(before.user)
        self._visitor.group.adopt(before.group)
        if refused and self._persists:
            # Other origins of the site may still have the identity from before the no, which is outdated.
            self._generation.advance()
        for resume in held:
            resume(True)
        self._emitter.emit("consent", True)

    def withdraw_consent(self) -> None:
        """Record the visitor's no: clear cookies and localStorage, drop everything that waits, and send nothing
        more."""
        if self.consent.granted:
            self._visitor.clear()
            self._handover.forget()
            self._generation.forget()
            self._stores.make(only=lambda kind: kind is StoreKind.COOKIE).clear(REFRESHED_KEY)
        self.consent.withdraw()
        self.pipeline.abandon()
        self._backlog.clear()
        self._visitor = self._read_visitor()
        self._delivery.abandon(WITHDRAWN)
        self.sender.forget()
        self._emitter.emit("consent", False)

    # Plugins and listeners

    async def register(self, *plugins: Plugin, context: Context | None = None) -> None:
        """Add plugins, in order; what goes wrong is noted in the `context`. Nobody waits for destinations to load."""
        await asyncio.gather(*(self.pipeline.register(plugin, self, context) for plugin in plugins))

    async def deregister(self, *names: str, context: Context | None = None) -> None:
        """Take plugins out by name; what goes wrong is noted in the `context`."""
        for name in names:
            await self.pipeline.deregister(name, context)

    async def add_source_middleware(self, middleware: Middleware, name: str = "") -> None:
        """Let a function see, change or stop every event before anything else does; `name` tells it from others."""
        await self.register(SourceMiddleware(middleware, f"Source Middleware {name}"))

    def add_destination_middleware(self, destination: str, *middleware: Middleware) -> None:
        """Let functions see, change or stop events for one destination, or for all by ``*``."""
        self.pipeline.add_destination_middleware(destination, *middleware)

    async def ready(self) -> list[Any]:
        """Wait until every plugin that has a ``ready()`` says so; return what each has said, None for the others."""
        return await self.pipeline.ready()

    def emit(self, name: str, *args: Any) -> None:
        """Call the listeners of `name`."""
        self._emitter.emit(name, *args)

    def on(self, name: str, listener: Callable[..., Any]) -> Analytics:
        """Call `listener` for each `name`: the name of a call, ``reset``, ``initialize``, ``consent`` …"""
        self._emitter.on(name, listener)
        return self

    def once(self, name: str, listener: Callable[..., Any]) -> Analytics:
        """Call `listener` the next time `name` happens."""
        self._emitter.once(name, listener)
        return self

    def off(self, name: str, listener: Callable[..., Any]) -> Analytics:
        """Stop calling `listener`."""
        self._emitter.off(name, listener)
        return self

    def limit_listeners(self, most: int) -> None:
        """Warn only where a name has more listeners than this; 0 for never."""
        self._emitter.most_listeners = most

    # Life

    def leaves_plugins_out(self) -> bool:
        """Tell whether a page's plugins are not wanted: those that came before the library, where nothing is tracked.

        Source: analytics-next's ``NullAnalytics``, which plays none of the calls that were made before it.
        """
        return self.options.disable and not self.initialized

    def initialize(self, given: Mapping[str, Any] | None = None) -> None:
        """Report that the SDK is initialized, with the options of the page."""
        self.initialized = True
        self._emitter.emit("initialize", {"writeKey": self.write_key}, dict(given or {}))
        self._platform.start(self._go_through_backlog())

    async def flush(self) -> DeliveryReport:
        """Send everything that waits for its batch to fill, and wait until all events are acknowledged or dropped."""
        await self.sender.flush()
        return self.delivery

    def leave(self) -> None:
        """Send everything that waits, because the page is hidden or left."""
        self.sender.leave()
        if self._persists and self.consent.granted:
            self._backlog.keep(self.pipeline.waiting())

    def come_back(self) -> None:
        """Continue: the page was only hidden, or is shown again."""
        self.sender.come_back()
        self._backlog.drop()

    async def _go_through_backlog(self) -> None:
        """Have the events that earlier pages' plugins had not let pass yet pass this page's."""
        await asyncio.sleep(0)  # This page's own calls come first.
        if self._persists and self.consent.granted:
            for event in self._backlog.take():
                self._platform.start(self.pipeline.run(Context(event, attempts=2)))

    @property
    def delivery(self) -> DeliveryReport:
        """The report on all events so far."""
        return self._delivery.report()


def new_message_id(platform: Platform) -> str:
    """Return a new messageId in the form of the specification: ``ajs-`` and 32 hexadecimal digits."""
    return f"ajs-{platform.new_id().replace('-', '')}"


def _told(call: Call, event: Event) -> tuple[Any, ...]:
    """Return the arguments for listeners of a call, as in analytics.js, whose options have been processed by then."""
    match call:
        case TrackCall():
            return call.event, event["properties"], None
        case PageCall():
            return call.category, call.name, event["properties"], None
        case IdentifyCall():
            return event.get("groupId", event.get("userId")), event["traits"], None
        case AliasCall():
            return call.to, call.from_, None
    return ()
