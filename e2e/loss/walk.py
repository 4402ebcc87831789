"""What one visitor does: opens pages that make calls, and comes back."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from typing import Any

from loss.diary import NOTE
from loss.scene import Scene, Tally, tally
from playwright.sync_api import BrowserContext, CDPSession, Error, Page
from pytest_satsuma import engines

PATIENCE = 90  # Seconds; a page that boots on a busy machine may need most of it.
HESITATION = 3  # Seconds; two navigations that begin at one time may end each other.
QUIET = 12  # Seconds; a page looks for what a killed one has left within eight.
LINGERING = 2  # Seconds that a browser is there still after its last tab.
MOMENT = 40  # Milliseconds between two looks at what no event tells of.

BOOTED = "() => Boolean(window.analytics && window.analytics.initialized)"
GO = "([steps, url]) => { setTimeout(() => location.href !== url && history.go(steps)); return true; }"
CALL = "() => typeof make === 'function' && (make(), true)"

HIDDEN = """Object.defineProperty(document, "visibilityState", {get: () => "hidden", configurable: true});
Object.defineProperty(document, "hidden", {get: () => true, configurable: true});"""
"""Playwright's Chromium shows all its tabs, also those behind others: so the page is only told that it is hidden."""

HIDE = f"""() => {{ {HIDDEN}
document.dispatchEvent(new Event("visibilitychange", {{bubbles: true}})); }}"""


class Walk:
    """A visitor on a site.

    Attributes:
        name: what the names of this visitor's calls begin with.
    """

    def __init__(self, scene: Scene, context: BrowserContext, name: str) -> None:
        self.scene = scene
        self.context = context
        self.name = name
        self._since = scene.last()
        self._pages = 0
        self._opened: dict[Page, str] = {}
        self._ended: set[str] = set()
        context.on("console", lambda line: self._ended.add(line.text))

    def path(self, *times: int, then: str = "") -> str:
        """Return the path of a new page that makes calls.

        Args:
            times: of the calls: milliseconds after the snippet, 0 for at once.
            then: what it runs after the last, as ``go('/elsewhere')`` or ``submit()``; see `diary`.
        """
        self._pages += 1
        path = f"/{self.name}/{self._pages}"
        self.scene.diary.plan(path, times, then)
        return path

    def open(self, *times: int, then: str = "", tab: Page | None = None) -> Page:
        """Open a new page (see `path`), in a new tab unless one is given; return as soon as it is there."""
        return self.go(self.path(*times, then=then), tab)

    def go(self, path: str, tab: Page | None = None) -> Page:
        """Open a page, in a new tab unless one is given; return as soon as it is there."""
        tab = tab or self.context.new_page()
        self._opened[tab] = path
        tab.goto(self.scene.url + path, wait_until="commit")
        return tab

    def reach(self, path: str, tab: Page) -> None:
        """Open a page in a tab that is going there by itself: where that fails just then, ours may fail with it."""
        self.until(lambda: self.go(path, tab), tab, f"{path} to be there")

    def made_all(self, tab: Page) -> None:
        """Wait until the page that was opened in a tab has made its last call."""
        path = self._opened[tab]
        self.until(lambda: path in self._ended, tab, f"{path} to make its calls")

    def left(self, tab: Page) -> None:
        """Wait until the page that was opened in a tab is no longer there."""
        url = self.scene.url + self._opened[tab]
        self.until(lambda: tab.url != url, tab, f"{url} to be left")

    def call(self, tab: Page) -> None:
        """Have the page that is in a tab now make one more call."""
        self.until(lambda: tab.evaluate(CALL), tab, "the page's script")

    def go_in_history(self, tab: Page, steps: int, path: str) -> None:
        """Go back or forward to a page, and wait until it is shown."""
        url = self.scene.url + path
        self.until(lambda: self._goes(tab, steps, url), tab, f"{url} to be shown again")

    def hide(self, tab: Page) -> None:
        """Hide a page."""
        tab.evaluate(HIDE)

    def freeze(self, tab: Page) -> CDPSession:
        """Stop a page's clock, timers and tasks, as a browser does to tabs that nobody looks at; return what wakes it.

        Chromium freezes hidden tabs only, and a headless one hides none, so the debugger has to do it.
        """
        session = self.context.new_cdp_session(tab)
        session.send("Debugger.enable")
        session.send("Debugger.pause")
        return session

    def thaw(self, frozen: CDPSession) -> None:
        """Let a frozen page go on."""
        frozen.send("Debugger.disable")
        frozen.detach()

    def booted(self, tab: Page) -> None:
        """Wait until the library of a page is up."""
        self.until(lambda: tab.evaluate(BOOTED), tab, "the library to be up")

    def crash(self, tab: Page) -> None:
        """Kill the process behind a tab: the page hears nothing of it."""
        if isinstance(tab, engines.Page):
            tab.kill()
            tab.close()
            return
        try:
            tab.goto("chrome://crash")
        except Error:
            tab.close()

    def go_offline(self) -> None:
        """Lose the network. Chromium's beacons don't mind being told so, and the collector has to be out of reach."""
        self.context.set_offline(True)
        self.scene.front.go_down()

    def go_online(self) -> None:
        """Have the network again."""
        self.scene.front.come_up()
        self.context.set_offline(False)

    def come_back(self) -> Page:
        """Visit the site once more, in good weather, and make another call; return the tab."""
        self.scene.front.clear_up()
        self.context.set_offline(False)
        tab = self.go(f"/{self.name}/0")
        self.booted(tab)
        self.call(tab)
        return tab

    def go_away(self) -> None:
        """Close all tabs and, when what they sent had time to go, the browser; weather and network stay as they are."""
        for tab in [*self.context.pages]:
            tab.close()
        limit = time.monotonic() + LINGERING
        while not set(self.stored()) >= set(self.made()) and time.monotonic() < limit:
            time.sleep(MOMENT / 1000)

    def kept(self, tab: Page) -> None:
        """Wait until all calls are stored, or the network has been quiet for so long that nothing more will come."""
        begun = time.monotonic()
        while not set(self.stored()) >= set(self.made()):
            if time.monotonic() - max(begun, self.scene.front.heard_at) > QUIET:
                return
            tab.wait_for_timeout(MOMENT)

    def tally(self) -> Tally:
        """Tell what became of this visitor's calls so far."""
        stored = self.stored()
        return tally(self.made(), stored, self._mine(self.scene.arrived()))

    def made(self) -> list[str]:
        """Return the names of the calls that were made, also of those that a page noted offline."""
        notes = {cookie["name"] for cookie in self.context.cookies() if cookie["name"].startswith(NOTE)}
        if notes:
            # The site may have heard of a call although the page was told that it had not.
            known, noted = set(self.scene.diary.made), sorted(note.removeprefix(NOTE) for note in notes)
            self.scene.diary.made += [name for name in noted if name not in known]
            self.context.clear_cookies(name=re.compile(f"^{NOTE}"))
        return self._mine(self.scene.diary.made)

    def stored(self) -> list[str]:
        """Return the names of this visitor's calls that are stored, in the collector's order."""
        return self._mine(self.scene.stored(self._since))

    def until(self, true: Callable[[], Any], tab: Page, what: str) -> None:
        """Wait until something is true, with an open tab to let the browser's events in by.

        Raises:
            AssertionError: it never was.
        """
        limit = time.monotonic() + PATIENCE
        while not _tried(true):
            if time.monotonic() > limit:
                raise AssertionError(f"waited {PATIENCE} s for {what}")
            tab.wait_for_timeout(MOMENT)

    def _goes(self, tab: Page, steps: int, url: str) -> bool:
        """Try to go in the history: a page that leaves by itself may take the step with it, or come there first."""
        tab.evaluate(GO, [steps, url])
        tab.wait_for_url(url, wait_until="commit", timeout=HESITATION * 1000)
        return True

    def _mine(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if name.startswith(f"{self.name}.")]


def _tried(true: Callable[[], Any]) -> Any:
    try:
        return true()
    except Error:
        # The tab is between two pages.
        return False
