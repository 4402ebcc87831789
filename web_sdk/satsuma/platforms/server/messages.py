"""A call's keyword arguments become an event."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from satsuma import __version__
from satsuma.clock import iso_time
from satsuma.platforms.cpython.event_text import Time, object_of, time_text
from satsuma.platforms.cpython.ids import Id, id_of, new_id
from satsuma.send_queue import Event

LIBRARY = {"name": "satsuma-python", "version": __version__}


def make_event(
    kind: str,
    fields: Mapping[str, Any],
    *,
    user_id: Id | None = None,
    anonymous_id: Id | None = None,
    context: Mapping[str, Any] | None = None,
    timestamp: Time | None = None,
    integrations: Mapping[str, Any] | None = None,
    message_id: str | None = None,
) -> Event:
    """Return an event in the tracking API's names.

    Args:
        kind: one of `satsuma.validation.EVENT_TYPES`.
        fields: the event's own; those that are None are left out.
        user_id, anonymous_id: who did it. Where neither is given the event gets an anonymousId of its own.
        timestamp: when, where it isn't now.
        message_id: for a call that may be made twice; the collector keeps it once.

    Raises:
        EventError: a value can't be used.
    """
    user, anonymous = id_of(user_id), id_of(anonymous_id)
    return {
        "timestamp": iso_time(time.time() * 1000) if timestamp is None else time_text(timestamp),
        "type": kind,
        **{name: value for name, value in fields.items() if value is not None},
        "context": {"library": LIBRARY, **object_of(context, "context")},
        "integrations": object_of(integrations, "integrations"),
        "messageId": str(message_id) if message_id else new_id(),
        "userId": user,
        "anonymousId": anonymous or (None if user else new_id()),
    }
