"""Segment's and RudderStack's archives, and our own exports: they hold the tracking API's events as they are."""

from __future__ import annotations

from typing import Any

STAMPS = ("seq", "receivedAt", "sentAt", "writeKey", "request_ip", "rudderId", "projectId", "version")
"""What a collector adds, and ours adds anew."""


def from_segment(row: dict[str, Any]) -> dict[str, Any]:
    """Return the event without what the collector that took it has added."""
    return {name: value for name, value in row.items() if name not in STAMPS}
