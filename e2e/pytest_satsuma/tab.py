"""One tab of a visitor's browser: the recipes of what a visitor does there, for both of Playwright's APIs."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urljoin, urlsplit

from playwright.sync_api import Error

from . import engines
from .device import Device
from .identity import CookieState, IdentityState, read_identity
from .itp import CAP, STORAGE, limited
from .itp import SECONDS as ITP_SECONDS
from .steps import Steps
from .timeline import Kind, Timeline, short
from .travel import SCRIPT, shortened

BOOT_SECONDS = 90
"""Where the memory image can't be used, a boot beside other work took 35 seconds."""

POLL_SECONDS = 0.02
SECONDS_A_DAY = 86_400
CRASH = "chrome://crash"

ITEMS = "() => { try { return {...localStorage}; } catch { return {}; } }"
"""JavaScript that returns the items of the page's localStorage."""


class Tab:
    """One tab on one site, with the recipes of what a visitor does. `Visitor` and `AsyncVisitor` run them.

    Attributes:
        device: what all tabs of the visitor share.
        base_url: origin of the site.
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
        """Errors that the visitor's pages wrote to the console or threw."""
        return self.device.errors

    @property
    def timeline(self) -> Timeline:
        """What has happened so far."""
        return self.device.timeline

    @property
    def address(self) -> str:
        """The URL of the page, or of the site where no page is open yet."""
        url: str = self.page.url
        return url if url.startswith("http") else self.base_url

    def pause(self, seconds: float) -> Any:
        """Wait, while Playwright still handles events of pages."""
        raise NotImplementedError

    # Recipes

    def did(self, text: str) -> Steps[None]:
        """Add something that the visitor did to the timeline, and the identity if it has changed."""
        self.device.note(Kind.DID, text)
        yield from self._look()

    def _look(self) -> Steps[None]:
        """Add the identity to the timeline, if it has changed."""
        try:
            state = yield from self._identity()
        except Error:
            return  # The page is being closed.
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
        """Open another tab with the same settings."""
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
        """Wait until a condition is true.

        It is polled by `evaluate`, since a strict Content-Security-Policy forbids the eval of Playwright's
        wait_for_function.

        Raises:
            AssertionError: it was not true in time.
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
            if "Execution context was destroyed" in str(error) or isinstance(error, engines.DriverError):
                return False  # The page is navigating.
            raise

    def _under_itp(self) -> Steps[None]:
        """Let cookies that pages write live seven days at most, as Safari does, from the next page on.

        To be called before the first visit, where servers set cookies as well: later it isn't known which of the
        cookies a script has written.
        """
        if self.device.under_itp:
            return
        self.device.under_itp = True
        yield self.context.add_init_script(f"({CAP})()")
        for page in self.context.pages:
            yield page.evaluate(CAP)

    def _forget(self) -> Steps[None]:
        """Remove what Safari removes of a site where the visitor has not been for seven days."""
        origins = {_origin(self.base_url)}
        for page in self.context.pages:
            if page.url.startswith("http"):
                origins.add(_origin(page.url))
                yield page.goto("about:blank")  # A page that is open would write again.
        if isinstance(self.context, engines.Context):
            for origin in origins:
                self.context.clear_storage(origin)
            return
        page = yield self.context.new_page()
        session = yield self.context.new_cdp_session(page)
        for origin in origins:
            yield session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": STORAGE})
        yield page.close()

    def _after(
        self, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0, *, itp: bool = False
    ) -> Steps[None]:
        """Let time pass: set the clock of the pages ahead, and let cookies expire.

        ``Date`` and ``performance.timeOrigin`` return the later time in this page and in all pages opened from now on.
        The expiry of each cookie is moved closer by the same time, and those that would have expired are removed.
        Session cookies stay.

        Not affected are timers (a page that stays open doesn't experience the time), workers, the HTTP cache and
        servers: a collector sets ``receivedAt`` by its own clock. ``performance.now`` doesn't jump.

        With `itp` the browser is a Safari that was used on all these days, and not on this site: see `under_itp`. Where
        that was not called, all cookies but those with HttpOnly count as written by scripts. After seven days
        localStorage, IndexedDB, caches and service workers of the site are empty, and its tabs have left it.
        """
        passed = days * SECONDS_A_DAY + hours * 3600 + minutes * 60 + seconds
        assert passed >= 0, "time passes forwards only"
        device = self.device
        cookies = yield self.context.cookies()
        if itp:
            cookies = cookies if device.under_itp else limited(cookies, time.time())
            yield from self._under_itp()
            if passed >= ITP_SECONDS:
                yield from self._forget()
        living, due = shortened(cookies, passed)
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
        """Forbid cookies to all pages, and remove the existing ones. localStorage can still be used.

        In Chromium and WebKit this is the engine's own switch for ``document.cookie``: reading returns nothing, writing
        does nothing, and ``navigator.cookieEnabled`` is false. Cookies that a server sets by a header are not blocked.
        """
        self.device.blocks_cookies = True
        if isinstance(self.context, engines.Context):
            self.context.block_cookies()
        yield self.context.clear_cookies()
        for page in self.context.pages:
            yield from self._forbid(page)
        yield from self.did("blocked cookies")

    def _forbid(self, page: Any) -> Steps[None]:
        if isinstance(self.context, engines.Context):
            return  # The whole device forbids them.
        session = yield self.context.new_cdp_session(page)
        yield session.send("Emulation.setDocumentCookieDisabled", {"disabled": True})

    def _offline(self) -> Steps[None]:
        """Disconnect all tabs of the visitor from the network."""
        yield self.context.set_offline(True)
        yield from self.did("went offline")

    def _online(self) -> Steps[None]:
        """Connect the tabs to the network again."""
        yield self.context.set_offline(False)
        yield from self.did("came back online")

    def _leave(self) -> Steps[None]:
        """Close the tab as people do: the page gets its events, and may send a beacon. The next visit opens another
        tab."""
        yield from self._look()
        page = self.page
        yield page.close(run_before_unload=True)
        limit = time.monotonic() + 60
        while not page.is_closed():
            assert time.monotonic() < limit, "the page keeps its tab open"
            yield self.pause(POLL_SECONDS)
        self.device.note(Kind.DID, "closed the tab")

    def _kill(self) -> Steps[None]:
        """Kill the tab's process: the page gets no event, and can save nothing. The next visit opens another tab."""
        yield from self._look()
        if isinstance(self.page, engines.Page):
            self.page.kill()
            self.page.close()
            self.device.note(Kind.DID, "the tab's process died")
            return
        with suppress(Error):  # The error says that the page has crashed, which is intended.
            yield self.page.goto(CRASH)
        yield self.page.close()
        self.device.note(Kind.DID, "the tab's process died")

    def _settle(self, seconds: float = 5) -> Steps[None]:
        """Wait until everything that the pages have posted is answered, for at most so many seconds."""
        limit = time.monotonic() + seconds
        while self.device.under_way and time.monotonic() < limit:
            yield self.pause(POLL_SECONDS)


def _origin(url: str) -> str:
    place = urlsplit(url)
    return f"{place.scheme}://{place.netloc}"
