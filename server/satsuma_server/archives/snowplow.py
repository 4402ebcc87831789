"""Snowplow's enriched events as JSON rows: those of its analytics SDKs, or of the table ``atomic.events``.

Source: https://docs.snowplow.io/docs/fundamentals/canonical-event (read in November 2026). ``domain_userid`` is the id
in a site's own cookie, ``network_userid`` the one in the collector's.
"""

from __future__ import annotations

from typing import Any

from satsuma.errors import EventError

TIMES = ("derived_tstamp", "dvce_created_tstamp", "collector_tstamp")
"""The best time first: the first one is the device's, put right by the collector's clock."""

STRUCTURED = {"se_category": "category", "se_label": "label", "se_property": "property", "se_value": "value"}
SELF_DESCRIBING = "unstruct_event_"
PINGS = frozenset(("page_ping",))
"""Rows that a tracker writes by itself while a page is open."""


def from_snowplow(row: dict[str, Any]) -> dict[str, Any] | None:
    """Return the event of one row, or None for a page ping.

    Raises:
        EventError: it is no row of Snowplow's.
    """
    kind = row.get("event") or row.get("event_name")
    if not isinstance(kind, str) or not row.get("event_id"):
        raise EventError(".event_id", "is missing: this is no enriched event of Snowplow's")
    if kind in PINGS:
        return None
    event = {
        "messageId": row["event_id"],
        "timestamp": _timestamp(row),
        "anonymousId": row.get("domain_userid") or row.get("network_userid"),
        "userId": row.get("user_id"),
        "context": _context(row),
    }
    return event | _call(kind, row)


def _call(kind: str, row: dict[str, Any]) -> dict[str, Any]:
    if kind == "page_view":
        return {"type": "page", "properties": _page(row)}
    if kind == "struct":
        properties = {name: row[key] for key, name in STRUCTURED.items() if row.get(key) is not None}
        return {"type": "track", "event": row.get("se_action"), "properties": properties}
    name = str(row.get("event_name") or kind)
    properties = _described(row)
    if name in ("screen_view", "mobile_screen_view"):
        return {"type": "screen", "name": properties.get("name"), "properties": properties}
    return {"type": "track", "event": name, "properties": properties}


def _described(row: dict[str, Any]) -> dict[str, Any]:
    """Return what a self-describing event says of itself."""
    for key, value in row.items():
        if key.startswith(SELF_DESCRIBING) and isinstance(value, dict):
            return value
    return {}


def _timestamp(row: dict[str, Any]) -> Any:
    given = next((row[name] for name in TIMES if row.get(name)), None)
    # Tables write "2026-01-31 09:30:00.000", without a zone, and mean UTC.
    return f"{given.replace(' ', 'T')}Z" if isinstance(given, str) and given[-1:].isdigit() else given


def _page(row: dict[str, Any]) -> dict[str, Any]:
    found = {"url": row.get("page_url"), "title": row.get("page_title"), "referrer": row.get("page_referrer")}
    found["path"] = row.get("page_urlpath")
    return {name: value for name, value in found.items() if value}


def _context(row: dict[str, Any]) -> dict[str, Any]:
    campaign = {name: row.get(f"mkt_{name}") for name in ("source", "medium", "campaign", "term", "content")}
    campaign["name"] = campaign.pop("campaign")
    found = {
        "page": _page(row),
        "ip": row.get("user_ipaddress"),
        "userAgent": row.get("useragent"),
        "locale": row.get("br_lang"),
        "timezone": row.get("os_timezone"),
        "campaign": {name: value for name, value in campaign.items() if value},
        "library": {"name": row.get("name_tracker"), "version": row.get("v_tracker")},
    }
    return {name: value for name, value in found.items() if value}
