"""The seam between visitors and browsers that Playwright doesn't drive.

Visitors use a narrow part of Playwright's interface. `Context` and `Page` have that part, with the same names and
meanings, so that visitors, expectations and tests are the same in every engine. What the driver of an engine can't do
skips the test, with the reason.
"""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, NoReturn
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Error

LOAD_SECONDS = 60
POLL_SECONDS = 0.02

DRIVER = "the driver for"

type Cookie = dict[str, Any]
"""A cookie with the names that Playwright uses: ``name``, ``value``, ``domain``, ``path``, ``expires`` (seconds since
1970, -1 for a session cookie), ``httpOnly``, ``secure`` and ``sameSite``."""


type Wish = str | re.Pattern[str] | None


class DriverError(Error):
    """A browser could not do what it was told to, or has gone."""


def cannot(engine: str, what: str, why: str) -> NoReturn:
    """Skip the test, since the driver of this engine can't do something."""
    pytest.skip(f"{DRIVER} {engine} can't {what}: {why}")


def left_out(text: str) -> str:
    """Return the reason in the text of a skipped test, where it is one of `cannot`; else an empty text."""
    reason = text.removeprefix("Skipped: ")
    return reason if reason.startswith(DRIVER) else ""


@dataclass(frozen=True, slots=True)
class Said:
    """A line on a page's console."""

    type: str
    text: str


@dataclass(eq=False, slots=True)
class Request:
    """A request of a page. Its body is not known."""

    method: str
    url: str
    post_data_buffer: bytes = b""


class Context:
    """One device: cookies and storage that no other context shares.

    Attributes:
        engine: name of the engine.
        pages: the open tabs.
    """

    engine = ""

    def __init__(self) -> None:
        self.pages: list[Any] = []
        self._handlers: dict[str, list[Callable[[Any], Any]]] = defaultdict(list)

    def on(self, event: str, handler: Callable[[Any], Any]) -> None:
        """Call `handler` for each ``console``, ``request``, ``requestfinished`` or ``requestfailed``."""
        self._handlers[event].append(handler)

    def tell(self, event: str, what: Any) -> None:
        """Call the handlers of an event."""
        for handler in self._handlers[event]:
            handler(what)

    def cookies(self, url: str | None = None) -> list[Cookie]:
        """Return all cookies, or those that the browser would send to `url`."""
        # Engines list those too whose time is over, which no page sees any more. They count in whole seconds.
        now = time.time()
        found = [one for one in self._all_cookies() if one["expires"] == -1 or one["expires"] + 1 > now]
        return found if url is None else [one for one in found if _goes_to(one, url)]

    def add_cookies(self, cookies: Sequence[Mapping[str, Any]]) -> None:
        """Set cookies; each has a ``domain`` and a ``path``, or a ``url``."""
        for one in cookies:
            place = {"domain": urlsplit(one["url"]).hostname, "path": "/"} if "url" in one else {}
            defaults = {"expires": -1, "httpOnly": False, "secure": False, "sameSite": "Lax"}
            self._add_cookie({**defaults, **place, **one})

    def clear_cookies(self, *, name: Wish = None, domain: Wish = None, path: Wish = None) -> None:
        """Delete all cookies, or those that have this name, domain and path; each a text or a pattern."""
        wishes = {"name": name, "domain": domain, "path": path}
        for one in self._all_cookies():
            if all(_is(one[what], wish) for what, wish in wishes.items()):
                self._delete_cookie(one)

    # What Playwright's contexts can do, and drivers of other engines may not

    def new_cdp_session(self, page: Any) -> NoReturn:
        """Skip the test: the Chrome DevTools Protocol is Chromium's."""
        cannot(self.engine, "speak the Chrome DevTools Protocol", "it is Chromium's")

    def route(self, *_: Any) -> NoReturn:
        """Skip the test."""
        cannot(self.engine, "answer in a server's place", "only Playwright does")

    def set_offline(self, offline: bool) -> None:
        """Skip the test, where it is to be offline."""
        if offline:
            cannot(self.engine, "take the network away", "the engine has no switch for it")

    def block_cookies(self) -> None:
        """Skip the test."""
        cannot(self.engine, "block cookies in a running browser", "the engine has no switch for it")

    def clear_storage(self, origin: str) -> None:
        """Remove what the scripts of a site can write, apart from its cookies."""
        page = self.new_page()
        page.goto(f"{origin}/robots.txt")
        page.evaluate(CLEAR)
        page.close()

    # What each engine does its own way

    def new_page(self) -> Any:
        """Open a tab."""
        raise NotImplementedError

    def add_init_script(self, script: str) -> None:
        """Run a script in each page to come, before the page's own."""
        raise NotImplementedError

    def close(self) -> None:
        """Close all tabs, and forget the device."""
        raise NotImplementedError

    def _all_cookies(self) -> list[Cookie]:
        raise NotImplementedError

    def _add_cookie(self, cookie: Cookie) -> None:
        raise NotImplementedError

    def _delete_cookie(self, cookie: Cookie) -> None:
        raise NotImplementedError


class Page:
    """One tab."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._closed = False
        context.pages.append(self)

    @property
    def url(self) -> str:
        """The address of the page."""
        return str(self.evaluate("location.href"))

    def is_closed(self) -> bool:
        """Tell whether the tab was closed."""
        return self._closed

    def close(self, run_before_unload: bool = False) -> None:
        """Close the tab."""
        if not self._closed:
            self._close(run_before_unload)
            self._gone()

    def _gone(self) -> None:
        self._closed = True
        self.context.pages.remove(self)

    def evaluate(self, script: str, argument: Any = None) -> Any:
        """Return what an expression is, or what a function returns for an argument; both in JSON."""
        if self._closed:
            raise DriverError("the tab is closed")
        return json.loads(self._call(script, json.dumps(argument)))

    def fill(self, selector: str, text: str) -> None:
        """Write into a field."""
        self.evaluate(
            """([selector, text]) => {
              const field = document.querySelector(selector);
              field.focus();
              field.value = text;
              for (const type of ["input", "change"]) field.dispatchEvent(new Event(type, { bubbles: true }));
            }""",
            [selector, text],
        )

    def click(self, selector: str) -> None:
        """Click on an element, named by CSS or as ``text=``. The click is the script's, not a pointer's."""
        self.evaluate(f"(selector) => {{ ({FIND})(selector).click(); }}", selector)

    def inner_text(self, selector: str) -> str:
        """Return the text of an element."""
        return str(self.evaluate("(selector) => document.querySelector(selector).innerText", selector))

    @contextmanager
    def expect_navigation(self) -> Iterator[None]:
        """Wait until what is done within the block has led to another document."""
        self.evaluate("() => { window[Symbol.for('satsuma.left')] = true; }")
        yield
        limit = time.monotonic() + LOAD_SECONDS
        arrived = "() => !window[Symbol.for('satsuma.left')] && document.readyState === 'complete'"
        while not self._asked(arrived):
            if time.monotonic() > limit:
                raise DriverError("no other page came")
            self.wait_for_timeout(POLL_SECONDS * 1000)

    def _asked(self, script: str) -> Any:
        try:
            return self.evaluate(script)
        except DriverError:
            return False

    def goto(self, url: str, wait_until: str = "load") -> None:
        """Go to a page, and stay until it has loaded, or with ``commit`` until it is there."""
        self._go(url, wait_until != "commit")

    def wait_for_url(self, url: str, wait_until: str = "commit", timeout: float = LOAD_SECONDS * 1000) -> None:
        """Wait until the tab has a page whose address matches, with ``**`` for anything.

        Raises:
            DriverError: it didn't come within `timeout` milliseconds.
        """
        limit = time.monotonic() + timeout / 1000
        while not fnmatchcase(self.url, url.replace("**", "*")):
            if time.monotonic() > limit:
                raise DriverError(f"{url} didn't come")
            self.wait_for_timeout(POLL_SECONDS * 1000)

    # What each engine does its own way

    def _go(self, url: str, until_loaded: bool) -> None:
        raise NotImplementedError

    def wait_for_timeout(self, milliseconds: float) -> None:
        """Wait, and hear meanwhile what the browser tells."""
        raise NotImplementedError

    def add_init_script(self, script: str) -> None:
        """Run a script in each page of this tab to come, before the page's own."""
        raise NotImplementedError

    def kill(self) -> None:
        """Let the tab's process die."""
        cannot(self.context.engine, "kill a tab's process", "the engine has no switch for it")

    def _close(self, run_before_unload: bool) -> None:
        raise NotImplementedError

    def _call(self, script: str, argument: str) -> str:
        raise NotImplementedError


CLEAR = """async () => {
  localStorage.clear();
  for (const { name } of await indexedDB.databases()) indexedDB.deleteDatabase(name);
  if (!isSecureContext) return;
  for (const name of await caches.keys()) await caches.delete(name);
  for (const one of await navigator.serviceWorker.getRegistrations()) await one.unregister();
}"""
FIND = """(selector) => selector.startsWith("text=")
  ? [...document.querySelectorAll("a, button, input")].find((one) => one.textContent.trim() === selector.slice(5))
  : document.querySelector(selector)"""


def function_of(script: str) -> str:
    """Return a JavaScript function that does what a script for `evaluate` says, with argument and result as JSON."""
    return f"""async (text) => {{
      const made = ({script});
      const value = typeof made === "function" ? await made(JSON.parse(text)) : await made;
      return JSON.stringify(value === undefined ? null : value);
    }}"""


def _is(text: str, wish: Wish) -> bool:
    return wish is None or (text == wish if isinstance(wish, str) else bool(wish.search(text)))


def _goes_to(cookie: Cookie, url: str) -> bool:
    place = urlsplit(url)
    host, domain, path = place.hostname or "", cookie["domain"].lstrip("."), place.path or "/"
    within = host == domain or (cookie["domain"].startswith(".") and host.endswith(f".{domain}"))
    below = path == cookie["path"] or path.startswith(cookie["path"].rstrip("/") + "/")
    return within and below and (not cookie["secure"] or place.scheme == "https")
