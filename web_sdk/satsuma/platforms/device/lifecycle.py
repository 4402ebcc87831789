"""Lifecycle events, by the names and properties of Segment's specification for mobile apps.

Source: Segment's spec "Mobile" (Application Installed, Application Updated, Application Opened, Application
Backgrounded). Whether an app is new or updated is known by what an earlier start has kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from satsuma.storage import KeyValueArea

from .app import App

RELEASE_KEY = "satsuma_app"
"""Name of the item that has version and build of the app's last start."""


class Lifecycle:
    """The lifecycle of an app on one device."""

    def __init__(self, app: App, items: KeyValueArea, track: Callable[[str, dict[str, Any]], Any]) -> None:
        self._app = app
        self._items = items
        self._track = track

    def start(self) -> None:
        """Tell that the app was started, and before that whether it is new here, or another version."""
        known, release = self._known(), self._app.release()
        if known is None:
            self._track("Application Installed", dict(release))
        elif known != release:
            before = {f"previous_{name}": value for name, value in known.items()}
            self._track("Application Updated", {**before, **release})
        if known != release:
            self._items.set_item(RELEASE_KEY, json.dumps(release))
        self.foreground(from_background=False)

    def foreground(self, *, from_background: bool = True) -> None:
        """Tell that the app is in use."""
        self._track("Application Opened", {"from_background": from_background, **self._app.release()})

    def background(self) -> None:
        """Tell that the app is no longer in use."""
        self._track("Application Backgrounded", {})

    def _known(self) -> dict[str, str] | None:
        text = self._items.get_item(RELEASE_KEY)
        if text is None:
            return None
        try:
            kept = json.loads(text)
        except (ValueError, RecursionError):
            return {}
        return {str(name): str(value) for name, value in kept.items()} if isinstance(kept, Mapping) else {}
