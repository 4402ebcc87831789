"""Destinations that work in the page (device mode): what the source's settings have the page load.

Source: analytics-next ``plugins/remote-loader``, ``plugins/remote-middleware`` and ``plugins/routing-middleware``.
Nothing but the collector's settings names a script: what a page or a link says is never one.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from functools import partial
from typing import Any
from urllib.parse import quote

from satsuma.analytics import Analytics
from satsuma.plugins import Context, Middleware, Plugin, PluginFailure, PluginKind
from satsuma.routing import Router
from satsuma.validation import as_mapping

from .classic import INVOKED, ClassicDestination, address_of, classic_destinations
from .contexts import Contexts
from .plugins import PagePlugin, refusals, settled

PATIENCE = 5.0
"""Seconds that the calls of a page wait for such scripts; one that comes later sees the calls from then on."""

SEGMENTS_CDN = ("https://cdn.segment.com", "https://cdn.segment.build")
"""Where scripts lie by the settings of a source at Segment; the page's own CDN stands for it."""


class RemotePlugin(PagePlugin):
    """A plugin that the settings have loaded: it is called once it says that it is loaded, and answers nothing."""

    def __init__(self, plugin: Any, contexts: Contexts, face: Any, name: str) -> None:
        """Take the page's object, and the name of its destination."""
        super().__init__(plugin, contexts, face)
        self.alternative_names = (self.name,)
        self.name = name
        told = {"name": name, "type": str(self.kind), "version": "1.0.0"}
        self.shown = contexts.plain({**told, "alternativeNames": list(self.alternative_names)})
        self.middleware: list[Middleware] = []
        self._loading: asyncio.Future[Any] | None = None

    async def load(self, analytics: Any) -> None:
        self._loading = asyncio.Task(super().load(analytics), loop=asyncio.get_running_loop(), eager_start=True)
        await asyncio.shield(self._loading)

    async def ready(self) -> bool:
        """Tell whether it could be loaded."""
        if self._loading is None:
            return False
        await asyncio.wait((self._loading,))
        return self._loading.exception() is None

    async def _hook(self, name: str, context: Context) -> Context:
        try:
            if not await self.ready():
                raise PluginFailure("Something prevented the destination from getting ready")
            self._count(context, INVOKED, name)
            await self._show(name, context)
        except Exception:
            self._count(context, f"{INVOKED}.error", name)
            raise
        return context

    async def _show(self, name: str, context: Context) -> None:
        if self.kind is PluginKind.DESTINATION:
            # It has a context of its own: what it does to the event is nobody else's business.
            await self._ask(name, self._contexts.show(Context(context.event, attempts=context.attempts)))
            return
        shown = self._contexts.show(context)
        await self._ask(name, shown)
        self._contexts.take_back(context, shown)

    def _count(self, context: Context, metric: str, name: str) -> None:
        context.count(metric, f"method:{name}", f"integration_name:{self.alternative_names[0]}", "type:action")


class Device:
    """What the settings of one page's source have loaded."""

    def __init__(
        self,
        analytics: Analytics,
        contexts: Contexts,
        window: Any,
        settings: Mapping[str, Any],
        cdn: str,
        warn: Callable[[str], None],
        add_source_middleware: Callable[[Any], Awaitable[None]],
        random: Callable[[], float],
    ) -> None:
        """Take a page's analytics.

        Args:
            analytics: gets the plugins.
            contexts: makes and has the page's objects.
            window: the page's.
            settings: the collector's answer.
            cdn: its origin.
            warn: takes a line for the console.
            add_source_middleware: takes a middleware of the page's.
            random: returns a random number from 0 to 1, for rules that let only a share of the events pass.
        """
        self._analytics = analytics
        self._contexts = contexts
        self._window = window
        self._settings = settings
        self._router = Router.from_settings(settings, random)
        self._cdn = cdn
        self._warn = warn
        self._add_source_middleware = add_source_middleware
        self._obfuscates = False
        self._factories: dict[str, Any] = {}
        self._classes: dict[str, Any] = {}

    async def register(self, options: Any, face: Any, given: Any = None) -> None:
        """Load and register the source's plugins.

        Args:
            options: the page's load options.
            face: ``window.analytics``.
            given: what an app brings along, so that no script is loaded for it: ``factories`` of plugins and
                ``classic`` destinations; None for none.
        """
        self._obfuscates = bool(getattr(options, "obfuscate", False))
        self._factories = _named(getattr(given, "factories", None), lambda one: one.pluginName)
        self._classes = _named(
            getattr(given, "classic", None), lambda one: getattr(one, "Integration", one).prototype.name
        )
        await self._analytics.register(*self._classic(face))
        await self._all([self._plugins(remote, options, face) for remote in self._remotes()])

    async def add_middleware(self) -> None:
        """Load and add the source's middleware."""
        enabled = as_mapping(self._settings.get("enabledMiddleware"))
        await self._all([self._middleware(name) for name, on in enabled.items() if on])

    async def _all(self, loads: list[Coroutine[Any, Any, None]]) -> None:
        if loads:
            await asyncio.wait([asyncio.ensure_future(load) for load in loads], timeout=PATIENCE)
            await refusals()

    def _classic(self, face: Any) -> Iterator[Plugin]:
        hide = _obfuscated if self._obfuscates else str
        found = list(classic_destinations(self._settings, self._analytics.options.integrations, self._classes))
        if found and not hasattr(self._contexts.native, "unload"):
            # They give and take objects of the page's own, which a worker never has.
            self._warn(f"Python runs in a worker, where {', '.join(name for name, _ in found)} can't be loaded.")
            return
        for name, own in found:
            address = address_of(self._cdn, name, own, hide)
            source = self._classes.get(name)
            yield self._routed(ClassicDestination(name, own, address, self._contexts, self._window, face, source))

    def _routed(self, plugin: ClassicDestination | RemotePlugin) -> Plugin:
        """Put the source's routing rules before a destination, where there are any for it."""
        if plugin.kind is PluginKind.DESTINATION and self._router.names(plugin.name):
            plugin.middleware.append(partial(self._router.route, plugin.name))
        return plugin

    def _remotes(self) -> list[dict[str, Any]]:
        given = self._settings.get("remotePlugins")
        found = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
        return [remote for remote in found if _enabled(remote, self._analytics.options.integrations)]

    async def _plugins(self, remote: dict[str, Any], options: Any, face: Any) -> None:
        told = {"settings": {}, **remote}
        about = {"integrations": as_mapping(self._settings.get("integrations"))}
        native, plain = self._contexts.native, self._contexts.plain
        own = getattr(options, "integrations", None)
        factory = self._factories.get(str(remote.get("name")))
        brought = () if factory is None else (factory,)
        try:
            if not brought:
                await self._load(str(remote.get("url")))
            made = await settled(native, native, "plugins", plain(told), plain(about), own, *brought)
            name = str(remote.get("creationName") or remote.get("name"))
            plugins = [RemotePlugin(one, self._contexts, face, name) for one in made]
        except (PluginFailure, ValueError, AttributeError) as error:
            self._warn(f"Failed to load Remote Plugin {remote.get('name')!r}: {error}")
            return
        await self._analytics.register(*map(self._routed, plugins))

    async def _load(self, url: str) -> None:
        """Load a plugin's script, under its obfuscated name where the page wants that and there is one.

        Raises:
            PluginFailure: it can't be loaded.
        """
        native, parts = self._contexts.native, url.split("/")
        if self._obfuscates and len(parts) > 1:
            hidden = url.replace(parts[-2], _obfuscated(parts[-2]), 1)
            try:
                await settled(native, native, "load", self._address(hidden))
                return
            except PluginFailure as error:
                self._warn(f"{error}: it has no other name, and is loaded by its own.")
        await settled(native, native, "load", self._address(url))

    async def _middleware(self, name: str) -> None:
        plain = name.removeprefix("@segment/")
        file = quote(_obfuscated(plain) if self._obfuscates else plain)
        path = f"{self._cdn}/next-integrations/middleware/{file}/latest/{file}.js.gz"
        native = self._contexts.native
        try:
            function = await settled(native, native, "middleware", path, f"{plain}Middleware")
        except PluginFailure as error:
            self._warn(f"The middleware {name!r} of the settings could not be loaded: {error}")
            return
        if callable(function):
            await self._add_source_middleware(function)

    def _address(self, url: str) -> str:
        for origin in SEGMENTS_CDN:
            if url.startswith(f"{origin}/"):
                return self._cdn + url.removeprefix(origin)
        return url


def _obfuscated(name: str) -> str:
    """Return the name that no list of names holds, which analytics.js's option ``obfuscate`` asks for."""
    return b64encode(name.encode()).decode().rstrip("=")


def _named(given: Any, name_of: Callable[[Any], Any]) -> dict[str, Any]:
    """Return what an app brings along by its names; what has none is nothing that the settings could mean."""
    named: dict[str, Any] = {}
    for one in given or ():
        try:
            named.setdefault(str(name_of(one)), one)
        except AttributeError:
            continue
    return named


def _enabled(remote: Mapping[str, Any], integrations: Mapping[str, Any]) -> bool:
    """Tell whether the page's ``integrations`` let a remote plugin in, by either of its names."""
    named = [integrations.get(str(remote.get(key))) for key in ("creationName", "name")]
    if False in [one for one in named if isinstance(one, bool)]:
        return False
    return integrations.get("All") is not False or any(named)
