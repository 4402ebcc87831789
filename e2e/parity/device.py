"""A browser context that forgets its visitor, and keeps its HTTP cache and its first tab: both are slow to warm up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from playwright.sync_api import BrowserContext, Request


class Device:
    """One browser context.

    Attributes:
        errors: what its pages wrote to the console as errors, and what they threw.
        under_way: posts without an answer.
        issued: the bodies of all posts, in the order in which the pages sent them: the reference's, side by side on
            several connections, arrive in any.
    """

    def __init__(self, context: Any) -> None:
        self.context = context
        self.tab = context.new_page()
        self.errors: list[str] = []
        self.under_way: set[Request] = set()
        self.issued: list[bytes | None] = []
        # Chromium clears another page's storage only by its debugger, and needn't open one of the site's pages for it.
        self._session = context.new_cdp_session(self.tab) if isinstance(context, BrowserContext) else None
        if self._session:
            self._session.send("ServiceWorker.enable")
        context.on("console", lambda line: line.type == "error" and self.errors.append(f"console: {line.text}"))
        context.on("weberror", lambda error: self.errors.append(f"page error: {error.error}"))
        context.on("request", lambda request: request.method == "POST" and self._note(request))
        context.on("requestfinished", lambda request: self.under_way.discard(request))
        context.on("requestfailed", lambda request: self.under_way.discard(request))

    def forget(self, origins: Iterable[str]) -> None:
        """Close all tabs but the first; clear all cookies, and what these origins have stored."""
        for page in self.context.pages[1:]:
            page.close()
        self.tab.goto("about:blank")
        if self._session:
            # What a service worker knows of the visitor, it tells the next page of the site.
            self._session.send("ServiceWorker.stopAllWorkers")
        self.context.clear_cookies()
        for origin in origins:
            if self._session:
                given = {"origin": origin, "storageTypes": "local_storage,indexeddb"}
                self._session.send("Storage.clearDataForOrigin", given)
            else:
                self.context.clear_storage(origin)
        self.errors.clear()
        self.under_way.clear()
        self.issued.clear()

    def _note(self, request: Request) -> None:
        self.under_way.add(request)
        self.issued.append(request.post_data_buffer)
