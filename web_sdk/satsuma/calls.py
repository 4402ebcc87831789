"""The six calls that become events, with keyword arguments, as Python likes them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

from .arguments import Callback
from .events import Moment
from .plugins import Context

Dispatch = Awaitable[Context]
"""What a call returns. It may be awaited, to know what became of the event, or left alone."""


class Calls(ABC):
    """Two doors lead to the same rooms: the methods here are for Python; `call` takes the argument forms of
    analytics.js, as a page's JavaScript (or its stub, before Python was up) gives them.

    Each method takes ``options`` for this event only (``integrations``, ``context``, ``timestamp``, ``anonymousId`` …)
    and a ``callback``, called with the `Context` once the event has been handed over.
    """

    @abstractmethod
    def call(self, name: str, args: Sequence[Any], moment: Moment | None = None) -> Dispatch:
        """Make the call `name` with analytics.js's argument forms."""

    def track(
        self,
        event: str,
        properties: Mapping[str, Any] | None = None,
        *,
        options: Mapping[str, Any] | None = None,
        callback: Callback | None = None,
    ) -> Dispatch:
        """Record what a visitor did.

        Raises:
            ArgumentError: `event` is empty or not text.
        """
        return self.call("track", [event, dict(properties or {}), dict(options or {}), callback])

    def identify(
        self,
        user_id: str | int | None = None,
        traits: Mapping[str, Any] | None = None,
        *,
        options: Mapping[str, Any] | None = None,
        callback: Callback | None = None,
    ) -> Dispatch:
        """Say who the visitor is, or what is known of them: ids and traits are kept and sent.

        Without `user_id` the traits belong to the current user, or to the anonymousId where there is none.
        """
        return self.call("identify", [user_id, dict(traits or {}), dict(options or {}), callback])

    def page(
        self,
        category: str | None = None,
        name: str | None = None,
        properties: Mapping[str, Any] | None = None,
        *,
        options: Mapping[str, Any] | None = None,
        callback: Callback | None = None,
    ) -> Dispatch:
        """Record that a page was seen. A lone text is the name."""
        return self.call("page", [category, name, dict(properties or {}), dict(options or {}), callback])

    def screen(
        self,
        category: str | None = None,
        name: str | None = None,
        properties: Mapping[str, Any] | None = None,
        *,
        options: Mapping[str, Any] | None = None,
        callback: Callback | None = None,
    ) -> Dispatch:
        """Record that a screen of an app was seen."""
        return self.call("screen", [category, name, dict(properties or {}), dict(options or {}), callback])

    def group(
        self,
        group_id: str | int | None = None,
        traits: Mapping[str, Any] | None = None,
        *,
        options: Mapping[str, Any] | None = None,
        callback: Callback | None = None,
    ) -> Dispatch:
        """Say which group the visitor belongs to. (The group itself is at `current_group`.)"""
        return self.call("group", [group_id, dict(traits or {}), dict(options or {}), callback])

    def alias(
        self,
        user_id: str,
        previous_id: str | None = None,
        *,
        options: Mapping[str, Any] | None = None,
        callback: Callback | None = None,
    ) -> Dispatch:
        """Say that two ids are one person. `previous_id` defaults to the current userId or anonymousId."""
        return self.call("alias", [user_id, previous_id, dict(options or {}), callback])
