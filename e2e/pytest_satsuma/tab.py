"""One tab of a visitor's browser: the recipes of what a visitor does there, for both of Playwright's APIs."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urljoin

from playwright.sync_api import Error

from .device import Device
from .identity import CookieState, IdentityState, read_identity
from .steps import Steps
from .timeline import Kind, Timeline, short
from .travel import SCRIPT, shortened

BOOT_SECONDS = 30
POLL_SECONDS = 0.02
SECONDS_A_DAY = 86_400
CRASH = "chrome://crash"

ITEMS = "() => { try { return {...localStorage}; } catch { return {}; } }"
"""JavaScript that returns the items of the page's localStorage."""


class Tab:
    """One tab on one site: the recipes of all that a visitor does. `Visitor` and `AsyncVisitor` are its two faces.

    Attributes:
        device: what the tab shares with the visitor's others.
        base_url: the site's origin.
        page: Playwright's page.
    """

    page: Any

    def __init__(self, device: Device, base_url: str) -> None:
        self.device = device
        self.base_url = base_url
        self._known = IdentityState()

    @property
    def context(self) -> Any:
        """Playwright's browser context."""
        return self.device.context

    @property
    def errors(self) -> list[str]:
        """What the visitor's pages wrote to the console as an error, and what they threw."""
        return self.device.errors

    @property
    def timeline(self) -> Timeline:
        """What happened so far."""
        return self.device.timeline

    @property
    def address(self) -> str:
        """The page's URL; the site's where no page is open yet."""
        url: str = self.page.url
        return url if url.startswith("http") else self.base_url

    def pause(self, seconds: float) -> Any:
        """Wait, while Playwright goes on hearing of pages."""
        raise NotImplementedError

    # Recipes

    def did(self, text: str) -> Steps[None]:
        """Note something that the visitor did, and what it made of the identity."""
        self.device.note(Kind.DID, text)
        yield from self._look()

    def _look(self) -> Steps[None]:
        """Note the identity where it has changed."""
        try:
            state = yield from self._identity()
        except Error:
            return  # The page is gone, or going.
        if state != self._known:
            self._known = state
            self.device.note(Kind.IDENTITY, short(state.as_dict() or "nobody", 300), state.as_dict())

    def _identity(self) -> Steps[IdentityState]:
        now = time.time()
        cookies = yield self.context.cookies(self.address)

        decoded = {one["name"]: CookieState.of(one, now).value for one in cookies}
        items: dict[str, str] = {}
        if not self.page.is_closed():
            items = yield self.page.evaluate(ITEMS)
        return read_identity(self.device.libraries, decoded, items)

    def _open(self) -> Steps[Any]:
        """Open a tab that is as the visitor's others."""
        page = yield self.context.new_page()
        if self.device.blocks_cookies:
            yield from self._forbid(page)
        return page

    def _visit(self, path: str = "/") -> Steps[None]:
        """Open a page of the site, in a new tab if this one was closed, and wait until its library is up."""
        if self.page.is_closed():
            self.page = yield from self._open()
        self.device.note(Kind.DID, f"opened {path}")
        yield self.page.goto(urljoin(self.base_url, path))
        yield from self._wait_for_boot()

    def _wait_for_boot(self) -> Steps[None]:
        """Wait until the page's library takes calls."""

        def booted() -> Any:
            return self.page.evaluate(self.device.is_up)

        yield from self._until(booted, "the library to be up", BOOT_SECONDS)
        yield from self._look()

    def _evaluate(self, script: str, argument: Any = None) -> Steps[Any]:
        """Run JavaScript in the page and return its result."""
        result = yield self.page.evaluate(script, argument)
        yield from self.did(f"ran {short(' '.join(script.split()), 100)}")
        return result

    def _until(self, true: Callable[[], Any], what: str, seconds: float = 10) -> Steps[None]:
        """Wait until something is true.

        Polled by evaluate, since a strict content policy forbids what Playwright's wait_for_function needs.

        Raises:
            AssertionError: it never was.
        """
        limit = time.monotonic() + seconds
        while not (yield from self._asked(true)):
            if time.monotonic() > limit:
                raise AssertionError(f"waited {seconds} s for {what}; the page's errors: {self.errors}")
            yield self.pause(POLL_SECONDS)

    def _asked(self, true: Callable[[], Any]) -> Steps[Any]:
        try:
            return (yield true())
        except Error as error:
            if "Execution context was destroyed" in str(error):
                return False  # The page is on its way to the next one.
            raise

    def _after(self, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> Steps[None]:
        """Let time pass: the pages' clock goes ahead, and cookies come nearer to their end or have reached it.

        ``Date`` and ``performance.timeOrigin`` tell the later time in this page and in all that are opened from now on.
        Each cookie's expiry comes nearer by as much, and those due are removed; session cookies stay.

        Not moved are timers (a page left open doesn't live through the time), workers, the HTTP cache and all servers:
        a collector stamps ``receivedAt`` with its own clock. `performance.now` goes on as it was.
        """
        passed = days * SECONDS_A_DAY + hours * 3600 + minutes * 60 + seconds
        assert passed >= 0, "time passes forwards only"
        device = self.device
        living, due = shortened((yield self.context.cookies()), passed)
        for cookie in due:
            yield self.context.clear_cookies(name=cookie["name"], domain=cookie["domain"], path=cookie["path"])
        if living:
            yield self.context.add_cookies(living)
        device.ahead += passed
        script = f"({SCRIPT})({device.ahead * 1000})"
        yield self.context.add_init_script(script)
        for page in self.context.pages:
            yield page.evaluate(script)
        ended = ", ".join(cookie["name"] for cookie in due) or "none"
        yield from self.did(f"let {passed / SECONDS_A_DAY:g} days pass; cookies that came to their end: {ended}")

    def _block_cookies(self) -> Steps[None]:
        """Forbid all pages cookies, and remove those that are there; localStorage stays usable.

        It is Chromium's own switch for ``document.cookie``: reading gives nothing, writing does nothing, and
        ``navigator.cookieEnabled`` says so. Cookies that a server sets by a header are not kept back.
        """
        self.device.blocks_cookies = True
        yield self.context.clear_cookies()
        for page in self.context.pages:
            yield from self._forbid(page)
        yield from self.did("blocked cookies")

    def _forbid(self, page: Any) -> Steps[None]:
        session = yield self.context.new_cdp_session(page)
        yield session.send("Emulation.setDocumentCookieDisabled", {"disabled": True})

    def _offline(self) -> Steps[None]:
        """Take the network away from all the visitor's tabs."""
        yield self.context.set_offline(True)
        yield from self.did("went offline")

    def _online(self) -> Steps[None]:
        """Give the network back."""
        yield self.context.set_offline(False)
        yield from self.did("came back online")

    def _leave(self) -> Steps[None]:
        """Close the tab as people do: the page hears of it, and may send a beacon. The next visit opens another."""
        yield from self._look()
        page = self.page
        yield page.close(run_before_unload=True)
        limit = time.monotonic() + 10
        while not page.is_closed():
            assert time.monotonic() < limit, "the page keeps its tab open"
            yield self.pause(POLL_SECONDS)
        self.device.note(Kind.DID, "closed the tab")

    def _kill(self) -> Steps[None]:
        """Have the tab's process die: the page hears nothing, and can save nothing. The next visit opens another."""
        yield from self._look()
        with suppress(Error):  # Which is what was asked for.
            yield self.page.goto(CRASH)
        yield self.page.close()
        self.device.note(Kind.DID, "the tab's process died")

    def _settle(self, seconds: float = 5) -> Steps[None]:
        """Wait until what the pages have posted is answered, at most so long."""
        limit = time.monotonic() + seconds
        while self.device.under_way and time.monotonic() < limit:
            yield self.pause(POLL_SECONDS)
