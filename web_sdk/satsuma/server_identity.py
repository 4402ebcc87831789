"""What a server has changed of the visitor's identity, so that the page follows.

A server sets cookies but can't reach localStorage, whose ids come first in a page, as in analytics.js. So a server that
identifies a visitor, or logs one out, leaves a cookie that names the ids as they then were. As long as it agrees with
the other cookies they speak the truth, and what localStorage has of somebody else is removed. Once the page itself
has changed an id the two disagree, and the cookie means nothing any more.
"""

from __future__ import annotations

from .identity import ANONYMOUS_ID_KEY, IdentityKeys
from .storage import Storage, StorageFactory, StoreKind

HANDOVER_KEY = "satsuma_handover"
"""Name of the cookie: a list of anonymousId, userId and groupId, null for none; and of `OFFERED`, where it applies."""

OFFERED = "offered"
"""The anonymousId was made by a server that saw nobody: one that localStorage still has is the better one."""


class ServerIdentity:
    """The cookie, from both ends."""

    def __init__(self, stores: StorageFactory, user: IdentityKeys, group: IdentityKeys) -> None:
        self._cookies = stores.make(only=lambda kind: kind is StoreKind.COOKIE)
        self._local = stores.make(only=lambda kind: kind is StoreKind.LOCAL)
        self._user = user
        self._group = group
        self._followed: object = None

    def declare(self, *, offered: bool = False) -> None:
        """Say, on a server, that the cookies are right as they are now.

        Args:
            offered: the anonymousId was only made for want of one.
        """
        self._cookies.set(HANDOVER_KEY, [*self._ids(self._cookies), *([OFFERED] if offered else ())])

    def follow(self) -> bool:
        """Do, in a page, as the server said; tell whether the page now has to look at its stores anew."""
        said = self._cookies.get(HANDOVER_KEY)
        if said in (None, self._followed) or not isinstance(said, list) or said[:3] != self._ids(self._cookies):
            return False
        self._followed = said
        anonymous_id, user_id, group_id, *offered = said
        own_id, own_user, own_group = self._ids(self._local)
        if offered and (own_id is None or user_id is None or own_user in (None, user_id)):
            if own_id is not None:
                self._cookies.set_id(ANONYMOUS_ID_KEY, own_id)
            self.forget()
            return False
        other = anonymous_id is not None and own_id != anonymous_id
        # Of the very same visitor a server may not know all that the page does.
        other_user = other or (user_id is not None and own_user not in (None, user_id))
        other_group = other or (group_id is not None and own_group not in (None, group_id))
        if other_user:
            self._local.set(ANONYMOUS_ID_KEY, anonymous_id)
            self._clear(self._user)
        if other_group:
            self._clear(self._group)
        return other_user or other_group  # In memory, too.

    def gave(self, value: object) -> bool:
        """Tell whether an id is one that a server has handed to this page."""
        return isinstance(self._followed, list) and value in self._followed

    def forget(self) -> None:
        """Remove the cookie."""
        if self._cookies.get(HANDOVER_KEY) is not None:
            self._cookies.clear(HANDOVER_KEY)

    def _clear(self, keys: IdentityKeys) -> None:
        self._local.clear(keys.id)
        self._local.clear(keys.traits)

    def _ids(self, storage: Storage) -> list[str | None]:
        keys = (ANONYMOUS_ID_KEY, self._user.id, self._group.id)
        return [storage.get_id(key) or None for key in keys]
