"""A visitor over Playwright's asynchronous API, for tests that run in an event loop.

Playwright's synchronous API, which pytest-playwright's fixtures use, doesn't work in a process with a running event
loop. Such tests start their browser themselves, and let `async_visitor` create visitors from its contexts.
"""

from __future__ import annotations

import asyncio
from typing import Any, Self

from playwright.async_api import BrowserContext, Page

from .device import Device
from .identity import IdentityState
from .libraries import AUTO, Library, named
from .steps import awaited, run_async
from .stores import AsyncCookies, AsyncLocalStorage
from .tab import Tab
from .timeline import Timeline


class AsyncVisitor(Tab):
    """One browser context on one site, over Playwright's asynchronous API; see `Visitor` for what each method does."""

    page: Page

    @classmethod
    async def open(
        cls,
        context: BrowserContext,
        base_url: str,
        *,
        libraries: tuple[Library, ...] = named(AUTO),
        label: str = "visitor",
        timeline: Timeline | None = None,
    ) -> Self:
        """Open the first tab of a context. The arguments are those of `Visitor`."""
        return await cls._in(Device(context, libraries, label, timeline or Timeline()), base_url)

    @classmethod
    async def _in(cls, device: Device, base_url: str) -> Self:
        tab = cls(device, base_url)
        tab.page = await run_async(tab._open())
        tab.cookies = AsyncCookies(tab)
        tab.storage = AsyncLocalStorage(tab)
        return tab

    cookies: AsyncCookies
    storage: AsyncLocalStorage

    async def new_tab(self) -> Self:
        """Return the same visitor in another tab."""
        return await self._in(self.device, self.base_url)

    @property
    async def identity(self) -> IdentityState:
        """The identity in cookies and localStorage now, as ``await visitor.identity``."""
        return await run_async(self._identity())

    def pause(self, seconds: float) -> Any:
        return asyncio.sleep(seconds)

    visit = awaited(Tab._visit)
    wait_for_boot = awaited(Tab._wait_for_boot)
    evaluate = awaited(Tab._evaluate)
    until = awaited(Tab._until)
    after = awaited(Tab._after)
    under_itp = awaited(Tab._under_itp)
    block_cookies = awaited(Tab._block_cookies)
    offline = awaited(Tab._offline)
    online = awaited(Tab._online)
    leave = awaited(Tab._leave)
    kill = awaited(Tab._kill)
    settle = awaited(Tab._settle)
