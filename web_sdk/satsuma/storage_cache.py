"""Caches a page's cookies and localStorage, so that each is read only once for a call.

Reading is expensive: a browser may have to ask another process for ``document.cookie``. While a call is turned into an
event, nothing else runs in the page. What another tab changes at that moment is seen by the next call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .cookie_jar import REFRESHED_KEY, CookieJar, CookieOptions
from .storage import KeyValueArea

RENEWAL = 60_000
"""Milliseconds after which a cookie with the right value is written again, to renew its lifetime.

A browser can read cookies from the page's own memory as long as none is written; after that it has to ask another
process. So a page with many calls must not write each cookie at each call.
"""


class StorageCache:
    """Cookies and localStorage that don't change inside a ``with`` block, except by what is written through them."""

    def __init__(self, cookie_jar: CookieJar, local_storage: KeyValueArea, now: Callable[[], float]) -> None:
        """Take the page's cookies and localStorage, and a function that returns the time in milliseconds."""
        self.cookie_jar = CachedCookieJar(cookie_jar, now)
        self.local_storage = CachedLocalStorage(local_storage)

    def __enter__(self) -> None:
        self.cookie_jar.hold(True)
        self.local_storage.hold(True)

    def __exit__(self, *_: object) -> None:
        self.cookie_jar.hold(False)
        self.local_storage.hold(False)


class CachedCookieJar:
    """A `CookieJar` that doesn't write cookies that have the right value already."""

    def __init__(self, cookie_jar: CookieJar, now: Callable[[], float]) -> None:
        self._cookie_jar = cookie_jar
        self._now = now
        self._written: dict[str, tuple[str, float]] = {}
        self._holds = False
        self._seen: str | None = None

    def hold(self, still: bool) -> None:
        """Start or stop caching the cookies."""
        self._holds, self._seen = still, None

    def read(self) -> str:
        if self._seen is not None:
            return self._seen
        found = self._cookie_jar.read()
        if self._holds:
            self._seen = found
        return found

    def write(self, name: str, value: str, *, days: float, options: CookieOptions) -> None:
        now = self._now()
        if self._stands(name, value, days, now):
            return
        self._seen = None
        self._cookie_jar.write(name, value, days=days, options=options)
        self._written[name] = value, now

    def remove_strays(self, name: str, options: CookieOptions, *, below: bool = False) -> None:
        self._seen = None
        self._cookie_jar.remove_strays(name, options, below=below)

    def _stands(self, name: str, value: str, days: float, now: float) -> bool:
        """Tell whether a cookie has this value and a fresh lifetime or, if it is to be removed, doesn't exist."""
        pairs = self.read().split("; ")
        shown = next((pair for pair in pairs if pair.startswith(f"{name}=")), None)
        if days < 0:
            return shown is None
        if shown == f"{name}={value}" and f"{REFRESHED_KEY}=1" in pairs:
            return True  # A server renews it, and a script would only shorten its life.
        written, at = self._written.get(name, (None, 0.0))
        return shown == f"{name}={value}" and written == value and 0 <= now - at < RENEWAL


class CachedLocalStorage:
    """A `KeyValueArea` that reads each item only once."""

    def __init__(self, local_storage: KeyValueArea) -> None:
        self._local_storage = local_storage
        self._holds = False
        self._seen: dict[str, str | None] = {}

    def hold(self, still: bool) -> None:
        """Start or stop caching the items."""
        self._holds = still
        self._seen.clear()

    def get_item(self, key: str) -> str | None:
        if key in self._seen:
            return self._seen[key]
        found = self._local_storage.get_item(key)
        if self._holds:
            self._seen[key] = found
        return found

    def set_item(self, key: str, value: str) -> None:
        self._seen.pop(key, None)
        self._local_storage.set_item(key, value)

    def remove_item(self, key: str) -> None:
        self._seen.pop(key, None)
        self._local_storage.remove_item(key)

    def all_keys(self) -> Sequence[str]:
        return self._local_storage.all_keys()
