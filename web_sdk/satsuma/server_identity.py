"""The cookie by which a server tells the page that it has changed the visitor's identity.

A server can set cookies but not localStorage, whose ids take precedence in a page, as in analytics.js. So a server that
identifies a visitor, or logs one out, sets a cookie that names the ids at that time. As long as it agrees with the
other cookies, these are right, and what localStorage has of another user is removed. After the page itself has changed
an id, they disagree, and the cookie has no effect any more.
"""

from __future__ import annotations

from .copies import Copy
from .identity import ANONYMOUS_ID_KEY, IdentityKeys
from .storage import StorageFactory, StoreKind

HANDOVER_KEY = "satsuma_handover"
"""Name of the cookie. Its value is a list of anonymousId, userId and groupId, null for none, and `OFFERED` if it
applies."""

OFFERED = "offered"
"""Means that a server without any id created the anonymousId. If localStorage still has one, that is the right one."""


class ServerIdentity:
    """Writes the cookie on a server, and reads it in a page."""

    def __init__(self, stores: StorageFactory, user: IdentityKeys, group: IdentityKeys) -> None:
        self._cookies = Copy(stores.make(only=lambda kind: kind is StoreKind.COOKIE), user, group)
        self._local = Copy(stores.make(only=lambda kind: kind is StoreKind.LOCAL), user, group)
        self._followed: object = None

    def declare(self, *, offered: bool = False) -> None:
        """On a server, declare that the cookies are right as they are now.

        Args:
            offered: whether the anonymousId was created because the request had none.
        """
        self._cookies.storage.set(HANDOVER_KEY, [*self._cookies.ids(), *([OFFERED] if offered else ())])

    def follow(self) -> bool | None:
        """In a page, apply what a server declared; tell whether the page has to read its stores again.

        Returns:
            None where no server has declared anything that this page doesn't know.
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
        # A server may know less than the page about the same visitor.
        other_user = other or (user_id is not None and own.user_id not in (None, user_id))
        other_group = other or (group_id is not None and own.group_id not in (None, group_id))
        if other_user:
            self._local.storage.set_id(ANONYMOUS_ID_KEY, anonymous_id)
            self._local.forget(self._local.user)
        if other_group:
            self._local.forget(self._local.group)
        return other_user or other_group  # The copies in memory have to go, too.

    def said(self) -> list[str]:
        """Return the ids that a server has declared last."""
        said = self._cookies.storage.get(HANDOVER_KEY)
        return [one for one in said[:3] if isinstance(one, str)] if isinstance(said, list) else []

    def gave(self, value: object) -> bool:
        """Tell whether a server has declared this id."""
        return isinstance(self._followed, list) and value in self._followed

    def forget(self) -> None:
        """Remove the cookie."""
        if self._cookies.storage.get(HANDOVER_KEY) is not None:
            self._cookies.storage.clear(HANDOVER_KEY)
