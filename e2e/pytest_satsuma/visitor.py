"""A visitor: a browser of one's own, with the means to look into it and to break it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urljoin

from playwright.sync_api import BrowserContext, ConsoleMessage, Page

BOOTED = "() => Boolean(window.analytics && window.analytics.initialized)"
BOOT_SECONDS = 30
POLL_SECONDS = 0.02
SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class CookieState:
    """One cookie as the browser keeps it.

    Attributes:
        value: decoded.
        expires_in_days: None for a session cookie.
    """

    name: str
    value: str
    domain: str
    path: str
    expires_in_days: float | None
    same_site: str
    secure: bool


@dataclass(frozen=True, slots=True)
class IdentityState:
    """What cookies and localStorage say of the visitor, without asking the library (which would heal them)."""

    cookie_user_id: str | None
    cookie_anonymous_id: str | None
    storage_user_id: str | None
    storage_anonymous_id: str | None
    traits: dict[str, Any] | None

    @property
    def user_id(self) -> str | None:
        """The userId, from whichever store has it."""
        return self.storage_user_id or self.cookie_user_id

    @property
    def anonymous_id(self) -> str | None:
        """The anonymousId, from whichever store has it."""
        return self.cookie_anonymous_id or self.storage_anonymous_id


class Cookies:
    """The visitor's cookies."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor

    def all(self) -> dict[str, CookieState]:
        """Return the cookies that the browser would send to the page, by name."""
        now = time.time()
        return {cookie["name"]: _state(cookie, now) for cookie in self._visitor.context.cookies(self._visitor.page.url)}

    def read(self) -> str:
        """Return ``document.cookie`` as the page reads it."""
        return str(self._visitor.page.evaluate("() => document.cookie"))

    def expire(self, *names: str, seconds: int = 1) -> None:
        """Let cookies expire for real: set anew with a short max-age, then waited for.

        Args:
            names: which; all of the library's (``ajs_…``) if none are named.
            seconds: their new lifetime.
        """
        chosen = [name for name in self.all() if name in names or (not names and name.startswith("ajs_"))]
        self._visitor.page.evaluate(
            """([names, seconds]) => {
                for (const pair of document.cookie.split("; "))
                    if (names.includes(pair.split("=")[0]))
                        document.cookie = `${pair}; path=/; samesite=lax; max-age=${seconds}`;
            }""",
            [chosen, seconds],
        )
        self._visitor.until(lambda: not set(chosen) & set(self.all()), "the cookies to expire", seconds + 10)

    def clear(self) -> None:
        """Remove all cookies, as a visitor does who clears them."""
        self._visitor.context.clear_cookies()


class LocalStorage:
    """The localStorage of the visitor's page."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor

    def all(self) -> dict[str, str]:
        """Return all items, as text."""
        items: dict[str, str] = self._visitor.page.evaluate("() => ({...localStorage})")
        return items

    def clear(self) -> None:
        """Remove all items."""
        self._visitor.page.evaluate("() => localStorage.clear()")


class Visitor:
    """One browser context on one site.

    Attributes:
        page: Playwright's page.
        cookies, storage: to look into and to break.
        errors: what the page wrote to the console as an error, and what it threw.
    """

    def __init__(self, context: BrowserContext, base_url: str) -> None:
        self.context = context
        self.base_url = base_url
        self.page: Page = context.new_page()
        self.cookies = Cookies(self)
        self.storage = LocalStorage(self)
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(f"page error: {error}"))
        self.page.on("console", self._note)

    def _note(self, line: ConsoleMessage) -> None:
        if line.type == "error":
            self.errors.append(f"console: {line.text}")

    def visit(self, path: str = "/") -> None:
        """Open a page and wait until the library is up."""
        self.page.goto(urljoin(self.base_url, path))
        self.wait_for_boot()

    def wait_for_boot(self) -> None:
        """Wait until ``analytics.initialized``."""
        self.until(lambda: self.page.evaluate(BOOTED), "analytics to be initialized", BOOT_SECONDS)

    def evaluate(self, script: str, argument: Any = None) -> Any:
        """Run JavaScript in the page and return its result."""
        return self.page.evaluate(script, argument)

    @property
    def identity(self) -> IdentityState:
        """What the stores say now."""
        cookies = {name: state.value for name, state in self.cookies.all().items()}
        stored = {key: _json_or_text(text) for key, text in self.storage.all().items()}
        return IdentityState(
            cookie_user_id=cookies.get("ajs_user_id"),
            cookie_anonymous_id=cookies.get("ajs_anonymous_id"),
            storage_user_id=stored.get("ajs_user_id"),
            storage_anonymous_id=stored.get("ajs_anonymous_id"),
            traits=stored.get("ajs_user_traits"),
        )

    def until(self, true: Callable[[], Any], what: str, seconds: float = 10) -> None:
        """Wait until something is true.

        Polled by evaluate, since a strict content policy forbids what Playwright's wait_for_function needs.

        Raises:
            AssertionError: it never was.
        """
        limit = time.monotonic() + seconds
        while not true():
            if time.monotonic() > limit:
                raise AssertionError(f"waited {seconds} s for {what}; the page's errors: {self.errors}")
            self.page.wait_for_timeout(POLL_SECONDS * 1000)


def _state(cookie: Any, now: float) -> CookieState:
    expires = cookie["expires"]
    return CookieState(
        name=cookie["name"],
        value=unquote(cookie["value"]),
        domain=cookie["domain"],
        path=cookie["path"],
        expires_in_days=None if expires == -1 else (expires - now) / SECONDS_A_DAY,
        same_site=cookie["sameSite"],
        secure=cookie["secure"],
    )


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
