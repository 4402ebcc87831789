"""A visitor with a browser context of their own, over Playwright's synchronous API."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Self

from playwright.sync_api import BrowserContext, Error, Page

from .device import Device
from .identity import IdentityState
from .libraries import AUTO, Library, named
from .steps import run, sync
from .stores import Cookies, LocalStorage
from .tab import Tab
from .timeline import Timeline


class Visitor(Tab):
    """One browser context on one site, over Playwright's synchronous API."""

    page: Page

    def __init__(
        self,
        context: BrowserContext,
        base_url: str,
        *,
        libraries: tuple[Library, ...] = named(AUTO),
        label: str = "visitor",
        timeline: Timeline | None = None,
    ) -> None:
        """Open the first tab of a context.

        Args:
            context: Playwright's context, which nothing else should use.
            base_url: origin of the site.
            libraries: the libraries that may be on the pages.
            label, timeline: the timeline for what the visitor does, and the visitor's name in it.
        """
        self._set_up(Device(context, libraries, label, timeline or Timeline()), base_url)

    def _set_up(self, device: Device, base_url: str) -> None:
        Tab.__init__(self, device, base_url)
        self.page = run(self._open())
        self.cookies = Cookies(self)
        self.storage = LocalStorage(self)

    def new_tab(self) -> Self:
        """Return the same visitor in another tab: the same cookies, the same localStorage."""
        tab = object.__new__(type(self))
        tab._set_up(self.device, self.base_url)
        return tab

    @property
    def identity(self) -> IdentityState:
        """The identity in cookies and localStorage now."""
        return run(self._identity())

    def pause(self, seconds: float) -> None:
        # Waiting on any page lets Playwright handle its events. This tab's own page may have been closed.
        page = next((page for page in self.context.pages if not page.is_closed()), None)
        if page is None:
            time.sleep(seconds)
            return
        with suppress(Error):  # The page may be closed while we wait.
            page.wait_for_timeout(seconds * 1000)

    visit = sync(Tab._visit)
    wait_for_boot = sync(Tab._wait_for_boot)
    evaluate = sync(Tab._evaluate)
    until = sync(Tab._until)
    after = sync(Tab._after)
    under_itp = sync(Tab._under_itp)
    block_cookies = sync(Tab._block_cookies)
    offline = sync(Tab._offline)
    online = sync(Tab._online)
    leave = sync(Tab._leave)
    kill = sync(Tab._kill)
    settle = sync(Tab._settle)
    look = sync(Tab._look)
