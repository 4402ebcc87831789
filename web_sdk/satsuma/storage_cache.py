"""A page's cookies and localStorage, looked at once for each call.

Each look costs the page: a browser answers ``document.cookie`` out of another process where something may have been
written. While a call is made into an event nothing else of the page runs. What another tab does in that moment counts
at the next call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .cookie_jar import CookieJar, CookieOptions
from .storage import KeyValueArea

RENEWAL = 60_000
"""Milliseconds after which a cookie that is as it should be is given its whole lifetime again.

A browser may answer a page that reads cookies out of its own memory as long as nobody writes one; after that it has to
ask another process. So a page that makes many calls does not write each cookie at each of them.
"""


class StorageCache:
    """Cookies and localStorage that hold still inside a ``with`` block, but for what is written there."""

    def __init__(self, cookie_jar: CookieJar, local_storage: KeyValueArea, now: Callable[[], float]) -> None:
        """Take the page's own; `now` returns milliseconds."""
        self.cookie_jar = CachedCookieJar(cookie_jar, now)
        self.local_storage = CachedLocalStorage(local_storage)

    def __enter__(self) -> None:
        self.cookie_jar.hold(True)
        self.local_storage.hold(True)

    def __exit__(self, *_: object) -> None:
        self.cookie_jar.hold(False)
        self.local_storage.hold(False)


class CachedCookieJar:
    """A `CookieJar` that leaves alone what is as it should be."""

    def __init__(self, cookie_jar: CookieJar, now: Callable[[], float]) -> None:
        self._cookie_jar = cookie_jar
        self._now = now
        self._written: dict[str, tuple[str, float]] = {}
        self._holds = False
        self._seen: str | None = None

    def hold(self, still: bool) -> None:
        """Say whether one look is enough from now on."""
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
        """Tell whether a cookie is there with a fresh lifetime or, where it is to be removed, isn't there."""
        shown = next((pair for pair in self.read().split("; ") if pair.startswith(f"{name}=")), None)
        if days < 0:
            return shown is None
        written, at = self._written.get(name, (None, 0.0))
        return shown == f"{name}={value}" and written == value and 0 <= now - at < RENEWAL


class CachedLocalStorage:
    """A `KeyValueArea` whose items are read once."""

    def __init__(self, local_storage: KeyValueArea) -> None:
        self._local_storage = local_storage
        self._holds = False
        self._seen: dict[str, str | None] = {}

    def hold(self, still: bool) -> None:
        """Say whether one look at each item is enough from now on."""
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
