"""The six calls that become events, as Python methods with keyword arguments."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

from .arguments import Callback
from .events import Moment
from .plugins import Context

Dispatch = Awaitable[Context]
"""What a call returns. Awaiting it gives the event's `Context`, and is optional."""


class Calls(ABC):
    """The calls in two forms: the methods here are for Python, and `call` takes analytics.js's forms of arguments.

    The latter come from a page's JavaScript, or from its stub before Python was up.

    Each method takes ``options`` for this event only (``integrations``, ``context``, ``timestamp``, ``anonymousId`` …)
    and a ``callback``, which is called with the `Context` once the event was passed to the destinations.
    """

    @abstractmethod
    def call(self, name: str, args: Sequence[Any], moment: Moment | None = None) -> Dispatch:
        """Make the call `name`, with arguments in any form of analytics.js."""

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
            ArgumentError: `event` is empty or not a text.
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
        """Set who the visitor is, or what is known of them. Ids and traits are kept and sent.

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
        """Record that a page was seen. A single text is the name."""
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
        """Set the group that the visitor belongs to. (`current_group` returns the group.)"""
        return self.call("group", [group_id, dict(traits or {}), dict(options or {}), callback])

    def alias(
        self,
        user_id: str,
        previous_id: str | None = None,
        *,
        options: Mapping[str, Any] | None = None,
        callback: Callback | None = None,
    ) -> Dispatch:
        """Declare that two ids are one person. `previous_id` defaults to the current userId or anonymousId."""
        return self.call("alias", [user_id, previous_id, dict(options or {}), callback])
