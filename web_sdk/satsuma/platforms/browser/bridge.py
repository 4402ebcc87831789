"""What ``window.analytics`` is behind its face: calls from the page's JavaScript, answered by Python.

The face itself (an object with analytics.js's method names) is made by the loader; each of its methods comes here as
a name and an array of arguments. No exception leaves this module for the page: it becomes a console warning.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from math import isfinite
from typing import Any

from pyodide.ffi import jsnull, to_js

from satsuma.analytics import Analytics, new_message_id
from satsuma.errors import ArgumentError
from satsuma.events import Moment
from satsuma.identity import UNSET, Group, User
from satsuma.page import chosen_id, is_buffered_page, page_context
from satsuma.plugins import Context, PluginFailure, PluginKind
from satsuma.storage import Storage

from .contexts import Contexts
from .platform import BrowserPlatform
from .plugins import PageEnrichment, PageMiddleware, PagePlugin, refusals, system_context
from .values import Callback, called, to_page


class Bridge:
    """Answers the calls of one page."""

    def __init__(self, analytics: Analytics, platform: BrowserPlatform, native: Any) -> None:
        """Take what the page's calls go to, and the loader's ``native``, which makes JavaScript's objects."""
        self.face: Any = None
        """The page's ``window.analytics``, once the loader has made it."""
        self._analytics = analytics
        self._platform = platform
        self._window = platform.window
        self.contexts = Contexts(native, platform.reader, platform.window)
        platform.reader.show = self.contexts.shown
        platform.reader.native = native
        analytics.pipeline.heard = lambda context: self.contexts.take_back(context, context.native)
        if not analytics.options.disable:
            analytics.pipeline.plugins.insert(0, PageEnrichment())
        self._at_once: dict[str, Callable[..., Any]] = {
            "reset": self._reset,
            "setAnonymousId": lambda value=UNSET, *_: analytics.set_anonymous_id(_text_or(value)),
            "on": lambda name, listener, *_: analytics.on(name, self._bound(listener)),
            "once": lambda name, listener, *_: analytics.once(name, self._bound(listener)),
            "off": lambda name, listener, *_: analytics.off(name, listener),
            "maxListeners": lambda most, *_: analytics.limit_listeners(int(most)),
            "debug": self._debug,
            "timeout": self._timeout,
            "delivery": lambda *_: asdict(analytics.delivery),
            "consent": self._consent,
            "hold": lambda work, *_: analytics.pipeline.hold(work()),
            "normalize": lambda given, *_: analytics.normalize(given),
        }
        self._later: dict[str, Callable[..., Awaitable[Any]]] = {
            "register": self._register,
            "deregister": self._deregister,
            "addSourceMiddleware": self.add_source_middleware,
            "addDestinationMiddleware": self._add_destination_middleware,
            "ready": self._ready,
            "flush": self._flush,
            "dispatch": self._dispatch,
            "queryString": self._query_string,
            "pageview": lambda url=None, *_: analytics.page(properties={"path": url}),
        }

    # The page's ways in

    def event(self, name: str, args: Any, note: Any, resolve: Any, reject: Any) -> None:
        """Take a call that becomes an event; `resolve` is called with its context once its fate is known.

        Where the call can't be one, `reject` is called with the reason.
        """
        try:
            values = [self._platform.reader.argument(arg) for arg in args]
            if name == "page":
                self._mark_undefined(args, values)
            noted = self._platform.reader.data(note) if note else {}
            if made := noted.get("made"):
                task = self._analytics.relay(name, values, json.loads(made))
            else:
                task = self._analytics.call(name, values, self._moment(noted))
        except Exception as error:
            self._refuse(name, error, reject)
            return
        self._answer(name, task, resolve, reject)

    def later(self, name: str, args: Any, resolve: Any, reject: Any) -> None:
        """Take a call that is answered by a promise."""
        try:
            work = self._later[name](*args)
        except Exception as error:
            self._refuse(name, error, reject)
            return
        self._answer(name, work, resolve, reject)

    def now(self, name: str, args: Any) -> Any:
        """Take a call that is answered at once."""
        if name == "emit":
            # What listeners are told is the caller's own, whatever it is.
            return self._guarded(name, self._analytics.emit, args)
        return self._guarded(name, self._at_once[name], self._values(args))

    def queue(self, name: str, args: Any) -> Any:
        """Take a call of ``analytics.queue``'s methods, or a look at it."""
        pipeline = self._analytics.pipeline
        if name == "plugins":
            return to_js([self.contexts.plugin(plugin) for plugin in pipeline.plugins])
        if name == "failedInitializations":
            return to_js(list(pipeline.failed))
        if name == "length":
            return len(pipeline.waiting())
        event, *rest = args
        given = rest if name == "emit" else [self._bound(self._platform.reader.argument(one)) for one in rest]
        self._guarded(f"queue.{name}", getattr(pipeline.events, name), [event, *given])
        return None

    def user(self, name: str, args: Any) -> Any:
        """Take a call of ``analytics.user()``'s methods."""
        return self._identity(self._analytics.user(), name, args)

    def group(self, name: str, args: Any) -> Any:
        """Take a call of ``analytics.group()``'s methods."""
        return self._identity(self._analytics.current_group, name, args)

    def storage(self, name: str, args: Any) -> Any:
        """Take a call of ``analytics.storage``'s methods."""
        storage: Storage = self._analytics.storage
        methods: dict[str, Callable[..., Any]] = {
            "get": storage.get,
            "set": storage.set,
            "clear": storage.clear,
            "getAndSync": storage.get_and_sync,
        }
        answer = self._guarded(name, methods[name], [self._data(arg) for arg in args])
        return jsnull if answer is None and name.startswith("get") else answer

    def who(self) -> str:
        """Return, as JSON, what a page with its Python in a worker can be told at once; makes no anonymousId."""
        user, group = self._analytics.user(), self._analytics.current_group
        told = {
            "user": {"id": user.id(), "anonymousId": user.known_anonymous_id(), "traits": user.traits()},
            "group": {"id": group.id(), "traits": group.traits()},
            "delivery": asdict(self._analytics.delivery),
            "failed": self._analytics.pipeline.failed,
        }
        return json.dumps(told)

    # What is asked

    def _identity(self, identity: User | Group, name: str, args: Any) -> Any:
        values = self._values(args)
        first = values[0] if values else UNSET
        methods: dict[str, Callable[[], Any]] = {
            "id": lambda: identity.id(_text_or(first)),
            "anonymousId": lambda: identity.anonymous_id(_text_or(first)),
            "traits": lambda: identity.traits(first),
            "load": lambda: identity.load() and None,
            "identify": lambda: identity.identify(*(None if v is UNSET else _text_or(v) for v in values[:2])),
            "logout": identity.logout,
            "reset": identity.reset,
            "save": identity.save,
        }
        answer = self._guarded(name, methods[name], [])
        # analytics.js answers null, not undefined, where nobody is known.
        return jsnull if answer is None and name in ("id", "anonymousId") else answer

    async def _register(self, *plugins: Any) -> Context:
        if self._analytics.leaves_plugins_out():
            return system_context()
        made = []
        for plugin in plugins:
            try:
                made.append(PagePlugin(plugin, self.contexts, self.face))
            except (ValueError, AttributeError) as error:
                self._platform.warn(f"A plugin could not be registered: {error}")
        context = system_context()
        await self._analytics.register(*made, context=context)
        if any(plugin.kind is PluginKind.DESTINATION for plugin in made):
            await refusals()
        return context

    async def _deregister(self, *names: Any) -> Context:
        context = system_context()
        await self._analytics.deregister(*map(str, names), context=context)
        return context

    async def add_source_middleware(self, function: Any, *_: Any) -> None:
        """Have a function of the page see every event first."""
        if self._analytics.leaves_plugins_out():
            return
        destinations = [plugin.name for plugin in self._analytics.pipeline.plugins if plugin.kind == "destination"]
        about = {"integrations": dict.fromkeys(destinations, True)}
        middleware = PageMiddleware(function, self.contexts, self._window, about)
        await self._analytics.add_source_middleware(middleware, str(getattr(function, "name", "")))

    async def _add_destination_middleware(self, destination: Any, *functions: Any) -> None:
        made = (PageMiddleware(one, self.contexts, self._window, {}, null_stops=True) for one in functions)
        self._analytics.add_destination_middleware(str(destination), *made)

    async def _ready(self, callback: Any = None, *_: Any) -> Any:
        said = to_js(await self._analytics.ready())
        if callable(callback):
            called(self.contexts.native, callback, "call", None, said)
        return said

    async def _query_string(self, query: Any = "", *_: Any) -> Any:
        # As an address that is relative to the page's own: one that is empty or a hash has the page's query.
        address = str(query).partition("#")[0] or str(self._window.location.search)
        contexts = [await call for call in self._analytics.follow_link(address.partition("?")[2])]
        return to_js([self.contexts.show(context) for context in contexts])

    async def _dispatch(self, shown: Any, *_: Any) -> Context:
        event = self._platform.reader.data(shown).get("event") if shown else None
        return await self._analytics.dispatch(event, native=shown)

    async def _flush(self, *_: Any) -> dict[str, Any]:
        return asdict(await self._analytics.flush())

    def _reset(self, call: Any = None, *_: Any) -> None:
        self._platform.chosen_id = chosen_id(call)
        self._analytics.reset()

    def _consent(self, given: Any = True, *_: Any) -> None:
        if given is UNSET or given:
            self._analytics.grant_consent()
        else:
            self._analytics.withdraw_consent()

    def _debug(self, toggle: Any = True, *_: Any) -> None:
        self._analytics.debug = toggle is UNSET or bool(toggle)
        if toggle is False and self._platform.local_storage.get_item("debug"):
            # Where the classic library kept the same wish.
            self._platform.local_storage.remove_item("debug")

    def _timeout(self, milliseconds: float = 300, *_: Any) -> None:
        self._analytics.timeout = float(milliseconds)
        self.face.settings.timeout = milliseconds

    # Between the languages

    def _guarded(self, name: str, method: Callable[..., Any], args: Sequence[Any]) -> Any:
        try:
            return to_page(method(*args), self._window)
        except Exception as error:
            self._platform.warn(f"analytics.{name}: {error}")
            return None

    def _values(self, args: Any) -> list[Any]:
        # JavaScript's undefined comes as None, its null as jsnull: a setter must tell them apart.
        return [UNSET if arg is None else self._platform.reader.argument(arg) for arg in args]

    def _data(self, value: Any) -> Any:
        read = self._platform.reader.argument(value)
        if isinstance(read, float) and not isfinite(read):
            return None  # JSON knows no such number.
        return self._platform.reader.data(read) if hasattr(read, "js_id") else read

    def _moment(self, noted: dict[str, Any]) -> Moment:
        return Moment(
            at=noted.get("at") or self._platform.now(),
            page=page_context(noted) if is_buffered_page(noted) else self._platform.page(),
            message_id=noted.get("id") or new_message_id(self._platform),
        )

    def _answer(self, name: str, work: Awaitable[Any], resolve: Any, reject: Any) -> None:
        def done(future: asyncio.Future[Any]) -> None:
            error = future.exception()
            if error is not None:
                self._refuse(name, error, reject)
            else:
                resolve(self._platform.reader.shown(future.result()))

        asyncio.ensure_future(work).add_done_callback(done)

    def _refuse(self, name: str, error: BaseException, reject: Any) -> None:
        self._platform.warn(f"analytics.{name}: {error}")
        native = error.native if isinstance(error, PluginFailure) else None
        reject(native if native is not None else error.reason if isinstance(error, ArgumentError) else str(error))

    def _bound(self, listener: Any) -> Any:
        return listener.bound(self.face) if isinstance(listener, Callback) else listener

    def _mark_undefined(self, args: Any, values: list[Any]) -> None:
        """Keep a place for what a page takes away by ``undefined``, which JSON leaves out."""
        for arg, value in zip(args, values, strict=True):
            if isinstance(value, dict):
                for key in self._window.Object.keys(arg):
                    if key not in value and getattr(arg, key, None) is None:
                        value[key] = UNSET


def _text_or(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
