"""The copy of the visitor's ids in a single kind of store, regardless of the other stores."""

from __future__ import annotations

from typing import NamedTuple

from .identity import ANONYMOUS_ID_KEY, IdentityKeys
from .storage import CookieStore, Storage


class Ids(NamedTuple):
    """The ids in one copy; None for those that it doesn't have."""

    anonymous_id: str | None
    user_id: str | None
    group_id: str | None

    def agree(self, other: Ids) -> bool:
        """Tell whether all ids that this copy has are the same in the other."""
        return all(one in (None, another) for one, another in zip(self, other, strict=True))

    def same_visitor(self, other: Ids) -> bool:
        """Tell whether the traits of these ids are also those of the visitor with the `other` ids."""
        if self.user_id is not None:
            return self.user_id == other.user_id
        return self.anonymous_id in (None, other.anonymous_id)


class Copy:
    """The copy in cookies, or the copy in localStorage."""

    def __init__(self, storage: Storage, user: IdentityKeys, group: IdentityKeys) -> None:
        self.storage = storage
        self.user = user
        self.group = group
        self._keys = (ANONYMOUS_ID_KEY, user.id, group.id)

    def ids(self) -> Ids:
        """Return the ids in this copy."""
        return Ids(*(self.storage.get_id(key) or None for key in self._keys))

    def forget(self, keys: IdentityKeys) -> None:
        """Remove an id and its traits."""
        self.storage.clear(keys.id)
        self.storage.clear(keys.traits)

    def drop_strays(self, *, below: bool) -> None:
        """Remove cookies with our names from other domains and paths; arguments as in `CookieJar`."""
        for store in self.storage.stores:
            if isinstance(store, CookieStore):
                for key in self._keys:
                    store.drop_strays(key, below=below)

    def follow(self, ids: Ids) -> bool:
        """Replace ids that differ from `ids`, and remove traits of another visitor; tell whether anything changed.

        Ids that are missing here stay missing: the next read of the ids heals and reports them.
        """
        here = self.ids()
        pairs = zip(self._keys, here, ids, strict=True)
        outdated = [(key, given) for key, had, given in pairs if had not in (None, given)]
        for key, given in outdated:
            if given is None:
                self.storage.clear(key)
            else:
                self.storage.set_id(key, given)
        same = here.same_visitor(ids)
        if not same:
            self.storage.clear(self.user.traits)
        if here.group_id != ids.group_id or (here.group_id is None and not same):
            self.storage.clear(self.group.traits)
        return bool(outdated) or not same
