"""The keyword arguments that every call of an app has, beside its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from .event_text import Time, object_of, time_text


class About(TypedDict, total=False):
    """The keyword arguments of every call.

    - ``context``, ``integrations``: as in Segment's libraries.
    - ``timestamp``: a datetime (local time, unless it has a zone), an ISO 8601 text, or a number of seconds or
      milliseconds since 1970; now by default.
    - ``message_id``: an id for a call that may be made twice. The collector keeps its event once.
    """

    context: Mapping[str, Any] | None
    timestamp: Time | None
    integrations: Mapping[str, Any] | None
    message_id: str | None


def call_options(about: Mapping[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
    """Return a call's keyword arguments as options of analytics.js.

    Args:
        about: see `About`.
        context: what the event's context has, where the call doesn't say otherwise.

    Raises:
        EventError: the timestamp is no time, or context or integrations are not mappings.
    """
    options: dict[str, Any] = {"context": {**context, **object_of(about.get("context"), "context")}}
    if about.get("timestamp") is not None:
        options["timestamp"] = time_text(about["timestamp"])
    if about.get("message_id"):
        options["messageId"] = str(about["message_id"])
    options["integrations"] = object_of(about.get("integrations"), "integrations")
    return options
