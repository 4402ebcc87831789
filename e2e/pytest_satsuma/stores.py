"""Reads, changes and removes the visitor's cookies and localStorage items."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

from .identity import CookieState
from .steps import Steps, awaited, sync
from .tab import ITEMS, Tab

SHORT_LIFE = 0.2
"""Seconds after which a cookie expires that a test lets expire."""


class Jar:
    """The recipes for cookies."""

    def __init__(self, tab: Tab) -> None:
        self._tab = tab

    def _here(self) -> Steps[list[Any]]:
        """Return the cookies that the browser would send to the page, as Playwright has them."""
        cookies: list[Any] = yield self._tab.device.context.cookies(self._tab.address)
        return cookies

    def _chosen(self, names: tuple[str, ...]) -> Steps[list[Any]]:
        cookies = yield from self._here()
        libraries = self._tab.device.libraries
        if names:
            return [one for one in cookies if one["name"] in names]
        return [one for one in cookies if any(library.owns(one["name"]) for library in libraries)]

    def _all(self) -> Steps[dict[str, CookieState]]:
        """Return the cookies that the browser would send to the page, by name."""
        cookies = yield from self._here()
        now = time.time()
        return {cookie["name"]: CookieState.of(cookie, now) for cookie in cookies}

    def _read(self) -> Steps[str]:
        """Return ``document.cookie`` of the page."""
        text = yield self._tab.page.evaluate("() => document.cookie")
        return str(text)

    def _expire(self, *names: str, seconds: float = SHORT_LIFE) -> Steps[None]:
        """Let the browser itself expire cookies: set a short lifetime, and wait until they are gone.

        Args:
            names: the cookies; all cookies of the library if none are named.
            seconds: their new lifetime.

        Raises:
            AssertionError: there are no such cookies.
        """
        chosen = yield from self._chosen(names)
        missing = set(names) - {one["name"] for one in chosen}
        assert chosen and not missing, f"there is no cookie {', '.join(sorted(missing)) or 'of the library'} to expire"
        at = time.time() + seconds
        yield self._tab.device.context.add_cookies([{**one, "expires": at} for one in chosen])
        gone = {one["name"] for one in chosen}
        limit = time.monotonic() + seconds + 60
        while gone & {one["name"] for one in (yield from self._here())}:
            assert time.monotonic() < limit, f"the browser keeps {sorted(gone)} beyond their time"
            yield self._tab.pause(0.02)
        yield from self._tab.did(f"let expire: {', '.join(sorted(gone))}")

    def _clear(self, *names: str) -> Steps[None]:
        """Remove cookies, as a visitor does who clears them. Without names, all are removed."""
        context = self._tab.device.context
        if not names:
            yield context.clear_cookies()
        for name in names:
            yield context.clear_cookies(name=name)
        yield from self._tab.did(f"cleared {', '.join(names) or 'all'} cookies")

    def _tamper(self, name: str, value: str) -> Steps[None]:
        """Change the value of a cookie and keep its attributes. If it doesn't exist, a session cookie is created.

        The value is percent-encoded, as the libraries do.
        """
        raw = quote(value, safe="")
        cookies = [one for one in (yield from self._here()) if one["name"] == name]
        chosen = cookies or [{"name": name, "url": self._tab.address}]
        yield self._tab.device.context.add_cookies([{**one, "value": raw} for one in chosen])
        yield from self._tab.did(f"wrote {value!r} into the cookie {name}")


class Cookies(Jar):
    """The visitor's cookies."""

    all = sync(Jar._all)
    read = sync(Jar._read)
    expire = sync(Jar._expire)
    clear = sync(Jar._clear)
    tamper = sync(Jar._tamper)


class AsyncCookies(Jar):
    """The visitor's cookies, over Playwright's asynchronous API."""

    all = awaited(Jar._all)
    read = awaited(Jar._read)
    expire = awaited(Jar._expire)
    clear = awaited(Jar._clear)
    tamper = awaited(Jar._tamper)


class Area:
    """The recipes for localStorage."""

    def __init__(self, tab: Tab) -> None:
        self._tab = tab

    def _all(self) -> Steps[dict[str, str]]:
        """Return all items as texts; none where the page may not use localStorage."""
        items: dict[str, str] = yield self._tab.page.evaluate(ITEMS)
        return items

    def _clear(self, *keys: str) -> Steps[None]:
        """Remove items. Without keys, all are removed."""
        yield self._tab.page.evaluate(
            "(keys) => keys.length ? keys.forEach((key) => localStorage.removeItem(key)) : localStorage.clear()",
            [*keys],
        )
        yield from self._tab.did(f"cleared {', '.join(keys) or 'all'} of localStorage")

    def _tamper(self, key: str, text: str) -> Steps[None]:
        """Set the text of an item, without any encoding."""
        yield self._tab.page.evaluate("([key, text]) => localStorage.setItem(key, text)", [key, text])
        yield from self._tab.did(f"wrote {text!r} into localStorage's {key}")


class LocalStorage(Area):
    """The localStorage of the visitor's page."""

    all = sync(Area._all)
    clear = sync(Area._clear)
    tamper = sync(Area._tamper)


class AsyncLocalStorage(Area):
    """The localStorage of the visitor's page, over Playwright's asynchronous API."""

    all = awaited(Area._all)
    clear = awaited(Area._clear)
    tamper = awaited(Area._tamper)
