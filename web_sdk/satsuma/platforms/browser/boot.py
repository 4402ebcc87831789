"""Starts the SDK in a page: called once by the loader, as soon as the interpreter is up."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from pyodide.ffi import create_proxy, to_js

from satsuma.analytics import Analytics
from satsuma.delivery_options import merged_http_config
from satsuma.errors import BootError
from satsuma.options import Endpoint, LoadOptions
from satsuma.plan import SchemaFilter

from .bridge import Bridge
from .device import Device
from .document import PageWindow
from .event_loop import PageEventLoop
from .modules import plugins_of
from .page_analytics import PageAnalytics
from .page_channel import PageChannel
from .platform import BrowserPlatform
from .posting import Posting

WAYS_IN = ("event", "later", "now", "user", "group", "storage", "queue", "who")
"""The bridge's methods that the page's face calls, or a worker for it."""

NOTHING_KEPT = (
    "This frame has neither cookies nor localStorage, as one that is sandboxed without allow-same-origin: "
    "the visitor is remembered until the frame is left, and events without an answer are not kept for the next page."
)


def start(page: Any) -> Coroutine[Any, Any, None]:
    """Return what starts the page, on the loop of all pages of this interpreter, which is nobody else's."""
    if not isinstance(asyncio.get_event_loop(), PageEventLoop):
        PageEventLoop()
    return _start(page)


async def _start(page: Any) -> None:
    """Start analytics, have the loader make its face, and play the calls that were made before.

    Args:
        page: the loader's: ``window`` (with its built-in objects as they were at first sight; in a worker, what it is
            told of the page's), ``writeKey``, ``settings`` (the collector's answer), ``options`` (of
            ``analytics.load``), ``query`` (the page's query string), ``clientHints`` (what was asked of them),
            ``plugins`` (modules in Python), ``given`` (what an app brings along: `Device.register`; absent in a
            worker), ``cdn`` (the collector's origin), ``native`` (makes JavaScript's objects), ``breathe`` (lets the
            page do something else) and ``install(ask, initialize, apiHost)``.

    Raises:
        BootError: the settings name no collector.
    """
    # What runs for the first time is slow: many small steps, between which the page may do something else.
    await page.breathe()
    reseed()
    await page.breathe()
    platform = BrowserPlatform(getattr(page, "window", None) or _globals(), "")
    await page.breathe()
    # The collector's, and as large as a plan is: it is read before the bounds of what the page gives.
    given = platform.reader.data(page.settings) or {}
    # In a worker all values have come as JSON already.
    platform.reader.written = getattr(page.native, "json", platform.reader.written)
    options = read_options(page.options, platform)
    settings = _merged(given, options, str(page.cdn))
    platform.posting = Posting.of(settings, page.options, platform.warn)
    await page.breathe()
    endpoint = Endpoint.from_settings(page.writeKey, settings, given.get("integrations"))
    hints = platform.reader.argument(page.clientHints)
    platform.client_hints = hints if isinstance(hints, dict) else None
    await platform.look_around(page.breathe)
    analytics = _make(platform, endpoint, LoadOptions.from_mapping(options, settings))
    await page.breathe()
    analytics.user().recall()
    await page.breathe()
    bridge = Bridge(analytics, platform, page.native)
    await page.breathe()
    query = str(page.query)

    def initialize() -> None:
        analytics.initialize(platform.reader.data(page.options) or {})
        analytics.follow_link(query)

    ways = {name: create_proxy(getattr(bridge, name)) for name in WAYS_IN}
    ask = to_js(ways, dict_converter=platform.window.Object.fromEntries)
    made = page.install(ask, create_proxy(initialize), endpoint.url)
    bridge.face = made.face
    device = Device(
        analytics,
        bridge.contexts,
        platform.window,
        given,
        str(page.cdn),
        platform.warn,
        bridge.add_source_middleware,
        platform.random,
    )
    if not analytics.options.disable:
        # Whom a page doesn't track, no destination is to hear of.
        await device.register(page.options, made.face, getattr(page, "given", None))
        planned = SchemaFilter.from_settings(given, options)
        if planned is not None:
            await analytics.register(planned)
        analytics.pipeline.put_delivery_last()
        await device.add_middleware()
        for module in page.plugins:
            await analytics.register(*plugins_of(str(module.url), str(module.text), platform.warn))
    await made.begin()


def load(write_key: str, collector: str = "", **options: Any) -> Analytics | PageAnalytics:
    """Start analytics in an app that runs Pyodide already: no snippet, no second interpreter.

    Where the app runs Python in a worker, which sees no cookie, the analytics is that of the worker's page. Its snippet
    has the options then, and what is asked for (``user().id()``) is awaited.

    Args:
        write_key: the source.
        collector: its origin, as ``https://collector.example``; empty for the page's own.
        options: those of analytics.js's ``load``, by their names there (``cookie={"secure": True}``). In a worker only
            ``globalAnalyticsKey`` counts.

    Raises:
        BootError: this is neither a page nor a worker of one.
    """
    scope = _globals()
    if hasattr(scope, "WorkerGlobalScope"):
        return PageAnalytics(PageChannel(scope, write_key, str(options.get("globalAnalyticsKey") or "analytics")))
    if not hasattr(scope, "document"):
        raise BootError("There is no page here: outside of browsers use satsuma.platforms.server.")
    platform = BrowserPlatform(PageWindow(scope), "")
    origin = collector.rstrip("/") or str(platform.window.location.origin)
    analytics = _make(platform, Endpoint(write_key, f"{origin}/v1"), LoadOptions.from_mapping(options))
    analytics.initialize(options)
    return analytics


def _globals() -> Any:
    # Not at the top: a module that holds JavaScript's globals could not be kept in a memory snapshot.
    import js

    return js


def _make(platform: BrowserPlatform, endpoint: Endpoint, options: LoadOptions) -> Analytics:
    platform.url = endpoint.url
    if options.persist and not platform.can_keep():
        platform.warn(NOTHING_KEPT)
        options = replace(options, persist=False)
    analytics = Analytics(platform, endpoint, options)
    platform.ending.listen(analytics.leave, analytics.come_back)
    _follow_network(platform.window, analytics)
    return analytics


def reseed() -> None:
    """Give this page randomness of its own: all pages restored from one snapshot start with the same."""
    random.seed(os.urandom(32))


def read_options(given: Any, platform: BrowserPlatform) -> dict[str, Any]:
    """Return the page's load options as plain Python; patterns that ids must match become functions."""
    options: dict[str, Any] = platform.reader.data(given) or {}
    patterns = getattr(given, "useQueryString", None)
    if isinstance(options.get("useQueryString"), dict):
        named = {name: getattr(patterns, name, None) for name in ("aid", "uid")}
        options["useQueryString"] = {name: _test(one) for name, one in named.items() if hasattr(one, "test")}
    return options


def _test(pattern: Any) -> Callable[[str], bool]:
    return lambda text: bool(pattern.test(text))


def _merged(settings: dict[str, Any], options: dict[str, Any], cdn: str) -> dict[str, Any]:
    """Return the ``Segment.io`` settings, with those of the load options laid over them.

    Settings that an app brings along may name no host: it is the one that has served the loader.
    """
    remote = (settings.get("integrations") or {}).get("Segment.io") or {}
    local = (options.get("integrations") or {}).get("Segment.io")
    merged = {"apiHost": f"{cdn}/v1", **remote, **(local if isinstance(local, dict) else {})}
    return {**merged, "httpConfig": merged_http_config(merged.get("httpConfig"), remote.get("httpConfig"))}


def _follow_network(window: Any, analytics: Analytics) -> None:
    window.addEventListener("online", create_proxy(lambda _: analytics.sender.online(True)))
    window.addEventListener("offline", create_proxy(lambda _: analytics.sender.online(False)))

    def shown(event: Any) -> None:
        # A page that the browser has kept aside heard nothing in the meantime.
        if event.persisted:
            analytics.sender.online(_is_online(window))

    window.addEventListener("pageshow", create_proxy(shown))
    if not _is_online(window):
        analytics.sender.online(False)


def _is_online(window: Any) -> bool:
    return window.navigator.onLine is not False
