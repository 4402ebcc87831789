"""What a server has changed of the visitor's identity, so that the page follows.

A server sets cookies but can't reach localStorage, whose ids come first in a page, as in analytics.js. So a server that
identifies a visitor, or logs one out, leaves a cookie that names the ids as they then were. As long as it agrees with
the other cookies they speak the truth, and what localStorage has of somebody else is removed. Once the page itself
has changed an id the two disagree, and the cookie means nothing any more.
"""

from __future__ import annotations

from .copies import Copy
from .identity import ANONYMOUS_ID_KEY, IdentityKeys
from .storage import StorageFactory, StoreKind

HANDOVER_KEY = "satsuma_handover"
"""Name of the cookie: a list of anonymousId, userId and groupId, null for none; and of `OFFERED`, where it applies."""

OFFERED = "offered"
"""The anonymousId was made by a server that saw nobody: one that localStorage still has is the better one."""


class ServerIdentity:
    """The cookie, from both ends."""

    def __init__(self, stores: StorageFactory, user: IdentityKeys, group: IdentityKeys) -> None:
        self._cookies = Copy(stores.make(only=lambda kind: kind is StoreKind.COOKIE), user, group)
        self._local = Copy(stores.make(only=lambda kind: kind is StoreKind.LOCAL), user, group)
        self._followed: object = None

    def declare(self, *, offered: bool = False) -> None:
        """Say, on a server, that the cookies are right as they are now.

        Args:
            offered: the anonymousId was only made for want of one.
        """
        self._cookies.storage.set(HANDOVER_KEY, [*self._cookies.ids(), *([OFFERED] if offered else ())])

    def follow(self) -> bool | None:
        """Do, in a page, as the server said; tell whether the page now has to look at its stores anew.

        Returns:
            None where a server has said nothing that this page doesn't know.
        """
        said = self._cookies.storage.get(HANDOVER_KEY)
        if said in (None, self._followed) or not isinstance(said, list) or said[:3] != list(self._cookies.ids()):
            return None
        self._followed = said
        anonymous_id, user_id, group_id, *offered = said
        own = self._local.ids()
        if offered and (own.anonymous_id is None or user_id is None or own.user_id in (None, user_id)):
            if own.anonymous_id is not None:
                self._cookies.storage.set_id(ANONYMOUS_ID_KEY, own.anonymous_id)
            self.forget()
            return False
        other = anonymous_id is not None and own.anonymous_id != anonymous_id
        # Of the very same visitor a server may not know all that the page does.
        other_user = other or (user_id is not None and own.user_id not in (None, user_id))
        other_group = other or (group_id is not None and own.group_id not in (None, group_id))
        if other_user:
            self._local.storage.set_id(ANONYMOUS_ID_KEY, anonymous_id)
            self._local.forget(self._local.user)
        if other_group:
            self._local.forget(self._local.group)
        return other_user or other_group  # In memory, too.

    def said(self) -> list[str]:
        """Return the ids that a server named last."""
        said = self._cookies.storage.get(HANDOVER_KEY)
        return [one for one in said[:3] if isinstance(one, str)] if isinstance(said, list) else []

    def gave(self, value: object) -> bool:
        """Tell whether an id is one that a server has handed to this page."""
        return isinstance(self._followed, list) and value in self._followed

    def forget(self) -> None:
        """Remove the cookie."""
        if self._cookies.storage.get(HANDOVER_KEY) is not None:
            self._cookies.storage.clear(HANDOVER_KEY)
