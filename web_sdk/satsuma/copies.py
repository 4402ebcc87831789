"""What one kind of store alone holds of the visitor, whatever the other stores say."""

from __future__ import annotations

from typing import NamedTuple

from .identity import ANONYMOUS_ID_KEY, IdentityKeys
from .storage import CookieStore, Storage


class Ids(NamedTuple):
    """Who a copy takes the visitor for; None for what it doesn't know."""

    anonymous_id: str | None
    user_id: str | None
    group_id: str | None

    def agree(self, other: Ids) -> bool:
        """Tell whether all that is known here is known there."""
        return all(one in (None, another) for one, another in zip(self, other, strict=True))

    def same_visitor(self, other: Ids) -> bool:
        """Tell whether what is known beside these ids (traits) is known of the visitor with the `other` ids too."""
        if self.user_id is not None:
            return self.user_id == other.user_id
        return self.anonymous_id in (None, other.anonymous_id)


class Copy:
    """The cookies alone, or localStorage alone."""

    def __init__(self, storage: Storage, user: IdentityKeys, group: IdentityKeys) -> None:
        self.storage = storage
        self.user = user
        self.group = group

    def ids(self) -> Ids:
        """Return the ids that are kept here."""
        keys = (ANONYMOUS_ID_KEY, self.user.id, self.group.id)
        return Ids(*(self.storage.get_id(key) or None for key in keys))

    def forget(self, keys: IdentityKeys) -> None:
        """Remove an id and its traits."""
        self.storage.clear(keys.id)
        self.storage.clear(keys.traits)

    def drop_strays(self, *, below: bool) -> None:
        """Remove cookies that have the names of ours from other domains and paths; arguments as `CookieJar`."""
        for store in self.storage.stores:
            if isinstance(store, CookieStore):
                for key in (ANONYMOUS_ID_KEY, self.user.id, self.group.id):
                    store.drop_strays(key, below=below)

    def follow(self, ids: Ids) -> bool:
        """Put `ids` in the place of others, and remove traits of somebody else; tell whether anything was to be done.

        What isn't kept here at all stays away: whoever reads the ids next heals it, and tells so.
        """
        here = self.ids()
        pairs = zip((ANONYMOUS_ID_KEY, self.user.id, self.group.id), here, ids, strict=True)
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
