"""Destinations of the classic library: scripts at the CDN, each of which leaves an integration in the page.

Source: analytics-next ``plugins/ajs-destination``. An integration emits ``initialize`` and ``ready``, and is given each
event by its method ``invoke``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping
from functools import partial
from typing import Any
from urllib.parse import quote

from pyodide.ffi import create_proxy

from satsuma.plugins import Context, Middleware, PluginKind
from satsuma.validation import as_mapping

from .contexts import Contexts
from .plugins import settled

METHODS = ("track", "identify", "page", "group", "alias")
"""The calls that such a destination knows."""

INVOKED = "analytics_js.integration.invoke"
"""What analytics.js counts for each event that a destination is given; with ``.error``, for each that it fails on."""

MOST_WAITING = 1000
"""Events that may wait for one destination; of more it misses the newest."""

FOLDER = "/next-integrations"
"""Where the scripts lie at the CDN."""


class ClassicDestination:
    """One destination of the settings."""

    kind = PluginKind.DESTINATION

    def __init__(
        self,
        name: str,
        settings: Mapping[str, Any],
        address: str,
        contexts: Contexts,
        window: Any,
        face: Any,
        source: Any = None,
    ) -> None:
        """Take what the destination is.

        Args:
            name: the destination's.
            settings: its own.
            address: of its script.
            contexts: makes the page's objects.
            window: the page's, where the script leaves the integration.
            face: ``window.analytics``.
            source: the class, or the function with one, where the page has it already: no script is loaded then.
        """
        self.name = name
        self.middleware: list[Middleware] = []
        self._settings = settings
        self._address = address
        self._contexts = contexts
        self._window = window
        self._face = face
        self._given = source
        keeps_texts = getattr(face.options, "disableAutoISOConversion", False) is True
        self._payload = partial(contexts.payload, reads_dates=not keeps_texts)
        self._integration: Any = None
        loop = asyncio.get_running_loop()
        self._initialized: asyncio.Future[None] = loop.create_future()
        self._ready: asyncio.Future[None] = loop.create_future()
        self._waiting: set[asyncio.Task[None]] = set()
        for method in METHODS:
            setattr(self, method, partial(self._hook, method))

    @property
    def shown(self) -> Any:
        """What the page is shown as the plugin."""
        version = _version(self._settings)
        return self._contexts.plain({"name": self.name, "type": str(self.kind), "version": version})

    async def load(self, analytics: Any) -> None:
        """Load the script, and initialize the integration that it leaves.

        Raises:
            PluginFailure: it can't be loaded, or fails.
        """
        self._integration = integration = self._made(await self._source())
        integration.analytics = self._face
        await self._ask("once", "ready", create_proxy(partial(_settle, self._ready)))
        await self._ask("on", "initialize", create_proxy(partial(_settle, self._initialized)))
        await self._ask("initialize")

    async def unload(self) -> None:
        """Take the script's element out of the page."""
        self._contexts.native.unload(self._address)

    async def ready(self) -> bool:
        """Wait until the integration says that it is ready."""
        await self._initialized
        await self._ready
        return True

    async def _hook(self, method: str, context: Context) -> Context:
        if method == "page":
            # A view can't wait: some destinations count one by themselves as they are initialized.
            if getattr(self._integration, "_assumesPageview", False) and not self._initialized.done():
                await self._ask("initialize")
            await self._initialized
        elif not (self._ready.done() and self._initialized.done()):
            self._keep(self._invoke(method, context))
            return context
        await self._invoke(method, context)
        return context

    def _keep(self, invoking: Coroutine[Any, Any, None]) -> None:
        """Give the integration an event as soon as it is ready."""
        if len(self._waiting) >= MOST_WAITING:
            invoking.close()
            return

        async def later() -> None:
            await self.ready()
            await invoking

        task = asyncio.ensure_future(later())
        self._waiting.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._waiting.discard(task)
        task.exception()  # The integration's own business, which its event counts.

    async def _invoke(self, method: str, context: Context) -> None:
        self._count(context, INVOKED, method)
        try:
            await self._ask("invoke", method, self._payload(context.event))
        except Exception:
            self._count(context, f"{INVOKED}.error", method)
            raise

    def _count(self, context: Context, metric: str, method: str) -> None:
        context.count(metric, f"method:{method}", f"integration_name:{self.name}", "type:classic")

    async def _ask(self, name: str, *args: Any) -> Any:
        return await settled(self._contexts.native, self._integration, name, *args)

    async def _source(self) -> Any:
        """Load the script and what it needs; return the class, or the function with one, that it has left."""
        if self._given is not None:
            return self._given
        native, window, file = self._contexts.native, self._window, _file(self.name)
        await settled(native, native, "load", self._address)
        cdn, _, _ = self._address.partition(FOLDER)
        # Elements of the page with these ids are not what the script has left.
        needed = native.left(f"{file}Deps")
        for path in needed.to_py() if needed is not None else ():
            await settled(native, native, "load", f"{cdn}{FOLDER}{path}.gz")
        await settled(native, window, f"{file}Loader")
        return native.left(f"{file}Integration")

    def _made(self, source: Any) -> Any:
        told = {key: value for key, value in self._settings.items() if (key, value) != ("type", "browser")}
        if hasattr(source, "Integration"):
            # Some destinations add their class to the library themselves.
            stub = self._contexts.plain({})
            stub.user, stub.addIntegration = self._face.user, create_proxy(lambda *_: None)
            source(stub)
            source = source.Integration
        return source.new(self._contexts.plain(told))


def classic_destinations(
    settings: Mapping[str, Any], integrations: Mapping[str, Any], brought: Collection[str] = ()
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the names and settings of the classic destinations that a page loads.

    Args:
        settings: the source's, where each of ``integrations`` may be a destination for the page.
        integrations: the page's: which are on or off, and settings that are laid over the source's.
        brought: names of those that the app brings along: they need settings of the source's or of the page's.
    """
    given = as_mapping(settings.get("integrations"))
    for name in dict.fromkeys((*given, *brought)):
        own, remote = integrations.get(name), given.get(name)
        is_off = own is False or (own is None and integrations.get("All") is False)
        is_meant = isinstance(remote, dict) or isinstance(own, dict)
        is_loaded = len(given) > 1 and _is_for_pages(name, as_mapping(remote))
        if not is_off and (is_meant if name in brought else is_loaded):
            # What only the page has settings for is made with none, as in analytics.js.
            yield name, {**remote, **as_mapping(own)} if isinstance(remote, dict) else {}


def _is_for_pages(name: str, remote: Mapping[str, Any]) -> bool:
    components = as_mapping(remote.get("versionSettings")).get("componentTypes")
    browser = remote.get("type") == "browser" or (isinstance(components, list) and "browser" in components)
    # Segment's own is the collector; Iterable is named among these by mistake.
    return browser and remote.get("bundlingStatus") != "unbundled" and not name.startswith(("Segment", "Iterable"))


def address_of(cdn: str, name: str, settings: Mapping[str, Any], hide: Callable[[str], str]) -> str:
    """Return the address of a destination's script; `hide` gives the name that its file has at the CDN."""
    file = quote(hide(_file(name)))
    return f"{cdn}{FOLDER}/integrations/{file}/{quote(_version(settings))}/{file}.dynamic.js.gz"


def _version(settings: Mapping[str, Any]) -> str:
    versions = as_mapping(settings.get("versionSettings"))
    return str(versions.get("override") or versions.get("version") or "latest")


def _file(name: str) -> str:
    return "-".join(name.lower().replace(".", "", 1).split())


def _settle(future: asyncio.Future[None], *_: Any) -> None:
    if not future.done():
        future.set_result(None)
