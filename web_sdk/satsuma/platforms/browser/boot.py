"""Starts the SDK in a page: called once by the loader, as soon as the interpreter is up."""

from __future__ import annotations

import os
import random
from typing import Any

from pyodide.ffi import create_proxy

from satsuma.analytics import Analytics
from satsuma.options import Endpoint, LoadOptions

from .bridge import Bridge
from .platform import BrowserPlatform


def start(loader: Any) -> None:
    """Start analytics and hand the loader what its face calls.

    Args:
        loader: ``writeKey``, ``settings`` (the collector's answer), ``options`` (of ``analytics.load``) and the
            function ``install(event, method, user, group)``.

    Raises:
        BootError: the settings name no collector.
    """
    reseed()
    platform = _this_page()
    options = platform.reader.data(loader.options) or {}
    settings = platform.reader.data(loader.settings)
    endpoint = Endpoint.from_settings(loader.writeKey, _merged(settings, options))
    analytics = _make(platform, endpoint, options)
    bridge = Bridge(analytics, platform)
    loader.install(*map(create_proxy, (bridge.event, bridge.method, bridge.user, bridge.group)))
    analytics.initialize()


def load(write_key: str, collector: str = "", **options: Any) -> Analytics:
    """Start analytics in an app that runs Pyodide already: no snippet, no second interpreter.

    Args:
        write_key: the source.
        collector: its origin, as ``https://collector.example``; empty for the page's own.
        options: those of analytics.js's ``load``, by their names there (``cookie={"secure": True}``).
    """
    platform = _this_page()
    origin = collector.rstrip("/") or str(platform.window.location.origin)
    analytics = _make(platform, Endpoint(write_key, f"{origin}/v1"), options)
    analytics.initialize()
    return analytics


def _this_page() -> BrowserPlatform:
    # Not at the top: a module that holds JavaScript's globals could not be kept in a memory snapshot.
    import js

    return BrowserPlatform(js, "")


def _make(platform: BrowserPlatform, endpoint: Endpoint, options: dict[str, Any]) -> Analytics:
    platform.url = endpoint.url
    analytics = Analytics(platform, endpoint, LoadOptions.from_mapping(options))
    _send_when_leaving(platform.window, analytics)
    return analytics


def reseed() -> None:
    """Give this page randomness of its own: all pages restored from one snapshot start with the same."""
    random.seed(os.urandom(32))


def _merged(settings: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """Return the ``Segment.io`` settings, with those of the load options laid over them."""
    remote = (settings.get("integrations") or {}).get("Segment.io") or {}
    local = (options.get("integrations") or {}).get("Segment.io")
    return {**remote, **(local if isinstance(local, dict) else {})}


def _send_when_leaving(window: Any, analytics: Analytics) -> None:
    def hidden(_: Any) -> None:
        if window.document.visibilityState == "hidden":
            analytics.leave()

    window.document.addEventListener("visibilitychange", create_proxy(hidden))
    window.addEventListener("pagehide", create_proxy(lambda _: analytics.leave()))
    window.addEventListener("online", create_proxy(lambda _: analytics.sender.online(True)))
    window.addEventListener("offline", create_proxy(lambda _: analytics.sender.online(False)))
