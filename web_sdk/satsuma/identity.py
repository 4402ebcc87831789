"""The identity state machine over a `Storage`, which decides who the visitor is.

Source: analytics-next ``core/user``; the rules are those of the specification. Ids are texts. `UNSET` distinguishes
reading from writing None, as JavaScript's ``undefined`` does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Final, Self

from .codec import number_to_text, to_json
from .errors import EventError
from .storage import DEFAULT_STORES, Storage, StorageFactory, StoreKind, parse_kinds
from .validation import MAX_ID_LENGTH

Traits = dict[str, Any]

MAX_TRAITS_BYTES = 28 * 1024
"""JSON of a visitor's traits: an event has 32 KB at most, and tells its context, too."""


class Unset(Enum):
    """The absence of an argument."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET

LEGACY_USER_KEY = "ajs_user"
LEGACY_SIO_KEY = "_sio"
ANONYMOUS_ID_KEY = "ajs_anonymous_id"


@dataclass(frozen=True, slots=True)
class IdentityKeys:
    """The keys under which one identity is kept in stores."""

    id: str
    traits: str


USER_KEYS = IdentityKeys(id="ajs_user_id", traits="ajs_user_traits")
GROUP_KEYS = IdentityKeys(id="ajs_group_id", traits="ajs_group_properties")


@dataclass(slots=True)
class IdentityOptions:
    """The ``user`` and ``group`` load options.

    Attributes:
        disable: keep nothing, and have neither id nor traits.
        persist: False keeps the identity in memory only; None follows the page's ``disableClientPersistence``.
        local_storage_fallback_disabled: whether localStorage is not used.
        kinds: the order of the stores.
    """

    keys: IdentityKeys
    disable: bool = False
    persist: bool | None = None
    local_storage_fallback_disabled: bool = False
    kinds: tuple[StoreKind, ...] = field(default=DEFAULT_STORES)

    @classmethod
    def from_options(
        cls, options: dict[str, Any] | None, keys: IdentityKeys, kinds: tuple[StoreKind, ...]
    ) -> IdentityOptions:
        """Read analytics.js's ``user`` or ``group`` load option."""
        given = options or {}
        cookie_key = (given.get("cookie") or {}).get("key")
        traits_key = (given.get("localStorage") or {}).get("key")
        return cls(
            keys=IdentityKeys(id=cookie_key or keys.id, traits=traits_key or keys.traits),
            disable=bool(given.get("disable")),
            persist=None if given.get("persist") is None else bool(given["persist"]),
            local_storage_fallback_disabled=bool(given.get("localStorageFallbackDisabled")),
            kinds=parse_kinds(given["storage"]) if given.get("storage") else kinds,
        )


def _check_length(value: object, field: str) -> None:
    if isinstance(value, str) and len(value) > MAX_ID_LENGTH:
        raise EventError(f".{field}", f"is longer than {MAX_ID_LENGTH} characters: nothing was changed")


def _size_of(value: Any) -> int:
    return len(to_json(value).encode())


def _smallest_first(traits: Traits) -> list[str]:
    return sorted(traits, key=lambda name: _size_of(traits[name]))


class Identity:
    """An id and its traits, kept in every store. `User` and `Group` are the two kinds."""

    field = "userId"
    """Name of the id in events."""

    def __init__(self, factory: StorageFactory, options: IdentityOptions, new_id: Callable[[], str]) -> None:
        """Continue with the identity in the stores.

        Args:
            factory: creates the storages.
            options: keys and stores.
            new_id: returns a new random UUID, which must be unique also among pages that boot from one memory image.
        """
        self.options = options
        self._factory = factory
        self._new_id = new_id
        self._ids = self._storage(lambda kind: True)
        self._traits = self._storage(lambda kind: kind is not StoreKind.COOKIE)

    def id(self, value: str | Unset | None = UNSET) -> str | None:
        """Return the id, or None. With an argument, set it first; None removes it."""
        if self.options.disable:
            return None
        _check_length(value, self.field)
        if value is not UNSET and self._set_id(value):
            self._changed()
        found: str | None = self._ids.get_and_sync_id(self.options.keys.id)
        return found or self._fallback_id()

    def traits(self, value: Traits | Unset | None = UNSET) -> Traits | None:
        """Return the traits. With an argument, replace them first; None removes all of them."""
        if self.options.disable:
            return None
        if value is not UNSET:
            self._traits.set(self.options.keys.traits, value or {})
        found = self._traits.get(self.options.keys.traits)
        return {} if found is None else found

    def identify(self, id: str | None = None, traits: Traits | None = None) -> None:
        """Set the id and add traits. Earlier traits are kept if the id is the same, and dropped if it is another
        one.

        Traits beyond `MAX_TRAITS_BYTES` are left out, with a warning: each later event of the visitor would be too
        large.

        Raises:
            EventError: the id is longer than any event may have. Nothing is changed then.
        """
        if self.options.disable:
            return
        _check_length(id, self.field)
        given = dict(traits or {})
        current = self.id()
        known = self.traits() if current is None or current == id else {}
        if id:
            self.id(id)
        self.traits(self._within_bounds(known if isinstance(known, dict) else {}, given))

    def _within_bounds(self, known: Traits, given: Traits) -> Traits:
        """Return known and given traits together, without the largest of what is too much; known ones are kept."""
        merged = {**known, **given}
        if _size_of(merged) <= MAX_TRAITS_BYTES:
            return merged
        merged, left_out = dict(known), []
        room = MAX_TRAITS_BYTES - _size_of(known)
        for name in reversed(_smallest_first(known)):
            if room < 0:
                room += _size_of({name: merged.pop(name)})
                left_out.append(name)
        for name in _smallest_first(given):
            size = _size_of({name: given[name]}) - (_size_of({name: merged[name]}) if name in merged else 0)
            if size > room:
                left_out.append(name)
            else:
                merged[name] = given[name]
                room -= size
        self._factory.warn(
            f"Traits are {MAX_TRAITS_BYTES} bytes at most: {', '.join(left_out[:5])[:200]} left out of {self.field}'s."
        )
        return merged

    def logout(self) -> None:
        """Forget the id and the traits."""
        self._forget()
        self._changed()

    def reset(self) -> None:
        """Forget the id and the traits, and remove their keys."""
        self._forget()
        self.clear()
        self._changed()

    def clear(self) -> None:
        """Remove the keys from every store."""
        self._ids.clear(self.options.keys.id)
        self._traits.clear(self.options.keys.traits)

    def load(self) -> Self:
        """Return a fresh identity over the same stores."""
        return type(self)(self._factory, self.options, self._new_id)

    def save(self) -> bool:
        """Return True: every setter has saved already (kept for analytics.js's callers)."""
        return True

    def adopt(self, earlier: Self) -> None:
        """Take over what `earlier`, which was in memory only before the visitor consented, has in addition to the
        stores."""
        known, came = self.id(), earlier.id()
        if came is not None and known is None:
            self.id(came)
        if came is None or known in (None, came):
            self.traits({**(self.traits() or {}), **(earlier.traits() or {})})

    def _forget(self) -> None:
        self._ids.set_id(self.options.keys.id, None)
        self.traits({})

    def _set_id(self, value: str | None) -> bool:
        """Set the id, or remove it by None; tell whether it has changed."""
        key = self.options.keys.id
        previous = self._ids.get_and_sync_id(key)
        self._ids.set_id(key, value)
        if value is not None and previous is not None and value != previous:
            self._replaced()
        return bool(value != previous)

    def _replaced(self) -> None:
        """Called after an id was replaced by another one."""

    def _changed(self) -> None:
        """Called after a call has changed whose identity this is."""
        if any(store.kind is not StoreKind.MEMORY for store in self._ids.stores):
            self._factory.changed()

    def _fallback_id(self) -> str | None:
        """Return an id that an older library has left, where the stores have none of ours."""
        return None

    def _storage(self, only: Callable[[StoreKind], bool]) -> Storage:
        options = self.options
        if options.disable:
            return Storage([], self._factory.warn)
        given = self._factory
        persist = given.persist if options.persist is None else options.persist
        factory = replace(given, persist=persist, kinds=options.kinds)
        no_local = options.local_storage_fallback_disabled
        return factory.make(only=lambda kind: only(kind) and not (no_local and kind is StoreKind.LOCAL))


class User(Identity):
    """The visitor, who has an anonymousId and, once identified, also a userId."""

    def __init__(self, factory: StorageFactory, options: IdentityOptions, new_id: Callable[[], str]) -> None:
        super().__init__(factory, options, new_id)
        self._legacy = self._storage(lambda kind: kind is StoreKind.COOKIE)
        self._adopt_legacy()

    def anonymous_id(self, value: str | Unset | None = UNSET) -> str | None:
        """Return the anonymousId, which is created when it is first read. With an argument, set it; None removes it.

        Source: the specification ("If you fetch the anonymousId … before one is set, Segment generates and sets an
        anonymousId rather than returning null").
        """
        if self.options.disable:
            return None
        _check_length(value, "anonymousId")
        if value is UNSET:
            found = self._ids.get_consistent_id(ANONYMOUS_ID_KEY)
            found = self._legacy_anonymous_id() if found is None else found
            if found:
                return str(found)
            return self._set_anonymous_id(self._new_id())
        previous = self.known_anonymous_id()
        kept = self._set_anonymous_id(value)
        if value != previous:
            self._changed()
        return kept

    def clear(self) -> None:
        """Remove the keys from every store.

        Source: the specification ("If you call reset during a user's browser session, it removes both their userId and
        anonymousId, which means the user generates a new anonymousId on the next visit").
        """
        super().clear()
        self._ids.clear(ANONYMOUS_ID_KEY)
        self._drop_legacy()

    def adopt(self, earlier: Self) -> None:
        anonymous_id = earlier.known_anonymous_id()
        if anonymous_id is not None and self.known_anonymous_id() is None:
            self._set_anonymous_id(anonymous_id)
        super().adopt(earlier)

    def known_anonymous_id(self) -> str | None:
        """Return the anonymousId, without creating one; None where there is none."""
        found: str | None = self._ids.get_consistent_id(ANONYMOUS_ID_KEY)
        return found

    def _set_anonymous_id(self, value: str | None) -> str | None:
        self._ids.set_id(ANONYMOUS_ID_KEY, value)
        return self.known_anonymous_id()

    def recall(self) -> None:
        """Read the visitor's identity, as each event does, without creating an id.

        A page calls this while it has time: code that runs for the first time is slow, and would delay the first call.
        """
        self.id()
        self.known_anonymous_id()

    def _forget(self) -> None:
        self._ids.set_id(ANONYMOUS_ID_KEY, None)
        super()._forget()

    def _replaced(self) -> None:
        # The anonymousId belonged to somebody else.
        self._ids.set_id(ANONYMOUS_ID_KEY, None)
        self._drop_legacy()

    def _drop_legacy(self) -> None:
        """Remove the cookies of older libraries, which would bring the visitor back."""
        for key in (LEGACY_USER_KEY, LEGACY_SIO_KEY):
            if self._legacy.get(key) is not None:
                self._legacy.clear(key)

    def _adopt_legacy(self) -> None:
        legacy = self._legacy.get(LEGACY_USER_KEY)
        if not isinstance(legacy, dict):
            return
        known = self._ids.get_id(self.options.keys.id)
        found = self._fallback_id()
        if found and known is None:
            self._set_id(found)
        # What was said since then, of this visitor or of another one, is newer.
        if legacy.get("traits") and known is None and not self.traits():
            self.traits(legacy["traits"])

    def _fallback_id(self) -> str | None:
        legacy = self._legacy.get(LEGACY_USER_KEY)
        return _usable_id(number_to_text(legacy.get("id") if isinstance(legacy, dict) else legacy))

    def _legacy_anonymous_id(self) -> str | None:
        legacy = self._legacy.get(LEGACY_SIO_KEY)
        return _usable_id(legacy.split("----")[0]) if isinstance(legacy, str) else None


def _usable_id(found: Any) -> str | None:
    """Return what an older library has left as an id; None where it is none, or longer than any event may have."""
    return found if isinstance(found, str) and 0 < len(found) <= MAX_ID_LENGTH else None


class Group(Identity):
    """The company or team that the visitor belongs to."""

    field = "groupId"

    def anonymous_id(self, value: str | Unset | None = UNSET) -> str | None:
        """Return None: a group has no anonymousId."""
        return None
