"""PostHog's exports of events: rows with ``uuid``, ``event``, ``distinct_id``, ``properties`` and ``timestamp``.

Source: https://posthog.com/docs/data/events and https://posthog.com/docs/api/capture (read in November 2026). Names
with ``$`` are PostHog's own. A browser's ``distinct_id`` is its device's id until somebody is identified, and theirs
after.
"""

from __future__ import annotations

import json
from typing import Any

from satsuma.errors import EventError

PAGE = {"$current_url": "url", "$pathname": "path", "$referrer": "referrer", "title": "title"}
"""Properties that are the page's, by their names there and in ``context.page``."""

IGNORED = frozenset(("$feature_flag_called", "$pageleave", "$web_vitals", "$autocapture", "$rageclick", "$exception"))
"""Rows that PostHog writes by itself, which are no call of the site's."""


def from_posthog(row: dict[str, Any]) -> dict[str, Any] | None:
    """Return the event of one row, or None for what PostHog has recorded by itself.

    Raises:
        EventError: the row has no event, or its properties can't be read.
    """
    name, properties = row.get("event"), _properties(row.get("properties"))
    if not isinstance(name, str) or not name:
        raise EventError(".event", "is missing: this is no row of PostHog's events")
    if name in IGNORED:
        return None
    event = {
        "messageId": row.get("uuid") or row.get("id"),
        "timestamp": row.get("timestamp"),
        **_ids(row.get("distinct_id"), properties),
        "context": _context(row, properties),
    }
    own = {key: value for key, value in properties.items() if not key.startswith("$")}
    return event | _call(name, own, properties)


def _call(name: str, own: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    """Return the type of call, and what is its own."""
    if name == "$pageview":
        return {"type": "page", "properties": own | _page(properties)}
    if name == "$screen":
        return {"type": "screen", "name": properties.get("$screen_name"), "properties": own}
    if name in ("$identify", "$set"):
        return {"type": "identify", "traits": _traits(properties)}
    if name == "$create_alias":
        return {"type": "alias", "previousId": properties.get("alias")}
    if name == "$groupidentify":
        return {"type": "group", "groupId": properties.get("$group_key"), "traits": properties.get("$group_set") or {}}
    return {"type": "track", "event": name, "properties": own}


def _ids(distinct_id: Any, properties: dict[str, Any]) -> dict[str, Any]:
    device, user = properties.get("$device_id"), properties.get("$user_id")
    anonymous = properties.get("$anon_distinct_id") or device
    if not user and distinct_id != anonymous and properties.get("$is_identified") is not False:
        # Servers send the user's id alone.
        user = distinct_id
    return {"anonymousId": anonymous or (None if user else distinct_id), "userId": user}


def _traits(properties: dict[str, Any]) -> dict[str, Any]:
    once, always = properties.get("$set_once"), properties.get("$set")
    return {**(once if isinstance(once, dict) else {}), **(always if isinstance(always, dict) else {})}


def _page(properties: dict[str, Any]) -> dict[str, Any]:
    return {name: properties[key] for key, name in PAGE.items() if properties.get(key)}


def _context(row: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    found = {
        "page": _page(properties),
        "ip": row.get("ip") or properties.get("$ip"),
        "userAgent": properties.get("$raw_user_agent"),
        "library": {"name": properties.get("$lib"), "version": properties.get("$lib_version")},
    }
    return {name: value for name, value in found.items() if value}


def _properties(given: Any) -> dict[str, Any]:
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            raise EventError(".properties", "is no JSON") from None
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise EventError(".properties", "is not an object")
    return given
