"""A browser context that forgets its visitor, and keeps its HTTP cache."""

from __future__ import annotations

from collections.abc import Iterable

from playwright.sync_api import BrowserContext


class Device:
    """One browser context."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self._session = context.new_cdp_session(context.new_page())

    def forget(self, origins: Iterable[str]) -> None:
        """Clear all cookies, and what these origins have stored."""
        self.context.clear_cookies()
        for origin in origins:
            self._session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "local_storage"})
