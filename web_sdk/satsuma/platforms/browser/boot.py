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
    # Not at the top: a module that holds JavaScript's globals could not be kept in a memory snapshot.
    import js

    reseed()
    platform = BrowserPlatform(js, "")
    options = platform.reader.data(loader.options) or {}
    settings = platform.reader.data(loader.settings)
    endpoint = Endpoint.from_settings(loader.writeKey, _merged(settings, options))
    platform.url = endpoint.url
    analytics = Analytics(platform, endpoint, LoadOptions.from_mapping(options))
    _send_when_leaving(js, analytics)
    bridge = Bridge(analytics, platform)
    loader.install(*map(create_proxy, (bridge.event, bridge.method, bridge.user, bridge.group)))
    analytics.initialize()


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
