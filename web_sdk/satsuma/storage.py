"""Stores of an identity: cookie, localStorage and memory. The first value that is found counts, and heals the others.

Source: analytics-next ``core/storage``. The stores of a page do no I/O of their own: `CookieStore` works on a
`CookieJar`, and `LocalStore` on a `KeyValueArea`. A platform provides both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from . import codec
from .cookie_jar import CookieJar, CookieOptions
from .errors import StorageError
from .strays import Strays
from .validation import MAX_ID_LENGTH

Value = Any
"""A value in a store: JSON (text, number, object, list, boolean), or None for no value."""

Warn = Callable[[str], None]


class StoreKind(StrEnum):
    """The names that ``storage: {stores: [...]}`` takes."""

    LOCAL = "localStorage"
    COOKIE = "cookie"
    MEMORY = "memory"


class Loss(StrEnum):
    """How a store had lost a value.

    Attributes:
        GONE: the value was missing, or could not be read.
        OTHER: the store had another value.
    """

    GONE = "gone"
    OTHER = "other"


Healed = Callable[[str, StoreKind, Loss, Value], None]
"""Called after a store was healed, with the key, the store, how it had lost the value, and the value."""

DEFAULT_STORES = (StoreKind.LOCAL, StoreKind.COOKIE, StoreKind.MEMORY)


class KeyValueArea(Protocol):
    """A page's localStorage, with texts as keys and values. Every method may raise any exception."""

    def get_item(self, key: str) -> str | None: ...

    def set_item(self, key: str, value: str) -> None: ...

    def remove_item(self, key: str) -> None: ...

    def all_keys(self) -> Sequence[str]: ...


class Store(Protocol):
    """One store, which keeps values by key.

    Each method except `holds` raises `StorageError` where the store is missing, disabled, full or refuses the value.
    """

    kind: StoreKind

    def get(self, key: str) -> Value: ...

    def set(self, key: str, value: Value) -> None: ...

    def get_id(self, key: str) -> Value:
        """Return an id as the text that was set (see `codec.read_id`); None for none."""
        ...

    def set_id(self, key: str, value: Value) -> None:
        """Set an id, so that `get_id` returns the same text."""
        ...

    def remove(self, key: str) -> None: ...

    def holds(self, key: str, value: Value) -> bool:
        """Tell whether the store has this id. It never warns: a store that can't be read has nothing."""
        ...


class MemoryStore:
    """Keeps values in memory, as long as the page exists."""

    kind = StoreKind.MEMORY

    def __init__(self) -> None:
        self._values: dict[str, Value] = {}

    def get(self, key: str) -> Value:
        return self._values.get(key)

    def set(self, key: str, value: Value) -> None:
        self._values[key] = value

    def get_id(self, key: str) -> Value:
        return codec.number_to_text(self._values.get(key))

    set_id = set

    def remove(self, key: str) -> None:
        self._values.pop(key, None)

    def holds(self, key: str, value: Value) -> bool:
        return bool(self._values.get(key) == value)


class CookieStore:
    """Keeps values in cookies: texts percent-encoded, everything else as JSON."""

    kind = StoreKind.COOKIE

    def __init__(
        self, cookie_jar: CookieJar, options: CookieOptions | None = None, strays: Strays | None = None
    ) -> None:
        self._cookie_jar = cookie_jar
        self.options = options or CookieOptions()
        self._strays = strays or Strays()

    def get(self, key: str) -> Value:
        text = self._text(key)
        return None if text is None else codec.from_json(text)

    def set(self, key: str, value: Value) -> None:
        if value is None:
            self.remove(key)
            return
        text = value if isinstance(value, str) else codec.to_json(value)
        self._write(key, text, self.options.maxage)

    def get_id(self, key: str) -> Value:
        text = self._text(key)
        return None if text is None else codec.read_id(text)

    def set_id(self, key: str, value: Value) -> None:
        self.set(key, codec.write_id(value) if isinstance(value, str) else value)

    def remove(self, key: str) -> None:
        self._write(key, "", -1)

    def holds(self, key: str, value: Value) -> bool:
        try:
            return bool(self.get_id(key) == value)
        except Exception:
            return False

    def drop_strays(self, key: str, *, below: bool) -> None:
        """Remove cookies of this name from all other domains and paths; arguments as in `CookieJar`."""
        name = codec.encode_name(key)
        if self._strays.values(self._cookie_jar, name):
            self._cookie_jar.remove_strays(name, self.options, below=below)

    def _text(self, key: str) -> str | None:
        self._strays.settle(self._cookie_jar, codec.encode_name(key), self.options)
        return codec.find_cookie(self._cookie_jar.read(), key)

    def _write(self, key: str, text: str, days: float) -> None:
        name, value = codec.encode_name(key), codec.encode_value(text)
        self._cookie_jar.write(name, value, days=days, options=self.options)
        self._strays.drop(self._cookie_jar, name, self.options, value=None if days < 0 else value)


class LocalStore:
    """Keeps values in localStorage, as JSON; None is kept as ``null``, as analytics.js does."""

    kind = StoreKind.LOCAL

    def __init__(self, local_storage: KeyValueArea, warn: Warn) -> None:
        self._local_storage = local_storage
        self._warn = warn

    def get(self, key: str) -> Value:
        text = self._text(key)
        return None if text is None else codec.from_json(text)

    def get_id(self, key: str) -> Value:
        text = self._text(key)
        return None if text is None else codec.read_id(text)

    def _text(self, key: str) -> str | None:
        try:
            return self._local_storage.get_item(key)
        except Exception:
            self._complain(key, "unavailable")
            return None

    def set(self, key: str, value: Value) -> None:
        try:
            text = codec.to_json(value)
            # Writing is expensive, and writing the same again would have no effect.
            if self._local_storage.get_item(key) != text:
                self._local_storage.set_item(key, text)
        except Exception:
            self._complain(key, "full")

    set_id = set

    def remove(self, key: str) -> None:
        try:
            self._local_storage.remove_item(key)
        except Exception:
            self._complain(key, "unavailable")

    def holds(self, key: str, value: Value) -> bool:
        try:
            text = self._local_storage.get_item(key)
        except Exception:
            return False
        return text is not None and codec.read_id(text) == value

    def _complain(self, key: str, state: str) -> None:
        self._warn(f"Unable to access {key}, localStorage may be {state}")


class Storage:
    """Several stores as one, in order of priority. It never raises: a store that fails causes a warning and is
    skipped."""

    def __init__(self, stores: Sequence[Store], warn: Warn, healed: Healed | None = None) -> None:
        self.stores = tuple(stores)
        self._warn = warn
        self._healed = healed

    def get(self, key: str) -> Value:
        """Return the first value found, or None."""
        for store in self.stores:
            value = self._read(store, key)
            if value is not None:
                return value
        return None

    def get_id(self, key: str) -> Value:
        """Return the first id found, as text, or None."""
        return next((held for _, held in self._ids(key) if held is not None), None)

    def set(self, key: str, value: Value) -> None:
        """Set the value in every store; None removes the cookie."""
        for store in self.stores:
            try:
                store.set(key, value)
            except Exception as error:
                self._complain(store, "set", key, error)

    def set_id(self, key: str, value: Value) -> None:
        """Set an id in every store, so that the same text is read again; None removes the cookie."""
        for store in self.stores:
            try:
                store.set_id(key, value)
            except Exception as error:
                self._complain(store, "set", key, error)

    def clear(self, key: str) -> None:
        """Remove the key from every store."""
        for store in self.stores:
            try:
                store.remove(key)
            except Exception as error:
                self._complain(store, "remove", key, error)

    def get_and_sync(self, key: str) -> Value:
        """Return the first value found, after writing it to every store. Numbers become texts, as in analytics.js."""
        value = codec.number_to_text(self.get(key))
        self.set(key, value)
        return value

    def get_and_sync_id(self, key: str) -> Value:
        """Return the first id found, after writing it to every store.

        Source: the specification ("If a user returns to your site after the cookie expires, Analytics.js looks for an
        old ID in the user's localStorage, and if one is found, sets it as the user's ID again in a new cookie").
        """
        found = self._ids(key)
        value = next((held for _, held in found if held is not None), None)
        self._heal(key, value, found)
        return value

    def get_consistent_id(self, key: str) -> Value:
        """Do the same as `get_and_sync_id`, but prefer the cookie where stores differ, since sub-domains share only
        cookies.

        Source: analytics-next ``UniversalStorage.getConsistent``. An empty text counts as missing.
        """
        found = self._ids(key)
        present = [(store, value) for store, value in found if value not in (None, "")]
        cookies = [value for store, value in present if store.kind is StoreKind.COOKIE]
        value = cookies[0] if cookies else (present[0][1] if present else None)
        self._heal(key, value, found)
        return value

    def _ids(self, key: str) -> list[tuple[Store, Value]]:
        found = [(store, self._read(store, key, store.get_id)) for store in self.stores]
        # No event with a longer id is taken: a store that has one has lost the id.
        return [(store, None if isinstance(held, str) and len(held) > MAX_ID_LENGTH else held) for store, held in found]

    def _heal(self, key: str, value: Value, found: Sequence[tuple[Store, Value]]) -> None:
        """Write an id to every store, and report the stores that had lost it."""
        self.set_id(key, value)
        if self._healed is None or value in (None, ""):
            return
        for store, held in found:
            if store.kind is not StoreKind.MEMORY and held != value and store.holds(key, value):
                self._healed(key, store.kind, Loss.GONE if held in (None, "") else Loss.OTHER, value)

    def _read(self, store: Store, key: str, read: Callable[[str], Value] | None = None) -> Value:
        try:
            return (read or store.get)(key)
        except Exception as error:
            self._complain(store, "get", key, error)
            return None

    def _complain(self, store: Store, action: str, key: str, error: Exception) -> None:
        self._warn(f'{type(store).__name__}: Can\'t {action} key "{key}" | Err: {error}')


@dataclass(slots=True)
class StorageFactory:
    """Creates the storages of one page, by the load options.

    Attributes:
        cookie_jar: the page's cookies.
        local_storage: the page's localStorage.
        cookie: attributes of the cookies.
        persist: False keeps everything in memory (``disableClientPersistence``).
        kinds: the order of the stores.
        warn: called with a line for the console.
        healed: called after a store was healed.
        changed: called after a call has changed who the visitor is, when the stores are written.
        strays: what is known of stray cookies.
    """

    cookie_jar: CookieJar
    local_storage: KeyValueArea
    warn: Warn
    cookie: CookieOptions = field(default_factory=CookieOptions)
    persist: bool = True
    kinds: tuple[StoreKind, ...] = DEFAULT_STORES
    healed: Healed | None = None
    changed: Callable[[], None] = lambda: None
    strays: Strays = field(default_factory=Strays)

    def make(self, *, only: Callable[[StoreKind], bool] = lambda kind: True) -> Storage:
        """Return a storage with the stores for which `only` is true."""
        if not self.persist:
            return Storage([MemoryStore()], self.warn)
        return Storage([self._store(kind) for kind in self.kinds if only(kind)], self.warn, self.healed)

    def _store(self, kind: StoreKind) -> Store:
        match kind:
            case StoreKind.COOKIE:
                return CookieStore(self.cookie_jar, self.cookie, self.strays)
            case StoreKind.LOCAL:
                return LocalStore(self.local_storage, self.warn)
            case StoreKind.MEMORY:
                return MemoryStore()
        raise StorageError(f"unknown store kind {kind!r}: use localStorage, cookie or memory")


def parse_kinds(storage: object) -> tuple[StoreKind, ...]:
    """Read the ``storage`` load option, ``{"stores": [...]}``; anything else means the default order.

    A store that is named twice counts once, since reading an id takes time for each store.
    """
    stores = storage.get("stores") if isinstance(storage, dict) else None
    known = {kind.value for kind in StoreKind}
    if isinstance(stores, list) and all(isinstance(name, str) and name in known for name in stores):
        return tuple(StoreKind(name) for name in dict.fromkeys(stores))
    return DEFAULT_STORES
