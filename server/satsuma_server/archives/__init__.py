"""Events as other products' archives and exports have them, turned into events of the tracking API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from .posthog import from_posthog
from .segment import from_segment
from .snowplow import from_snowplow

Event = dict[str, Any]


class Archive(StrEnum):
    """Whose archive a file is."""

    SEGMENT = "segment"
    RUDDERSTACK = "rudderstack"
    POSTHOG = "posthog"
    SNOWPLOW = "snowplow"


READERS: Mapping[Archive, Callable[[Event], Event | None]] = {
    Archive.SEGMENT: from_segment,
    Archive.RUDDERSTACK: from_segment,
    Archive.POSTHOG: from_posthog,
    Archive.SNOWPLOW: from_snowplow,
}
"""What makes an event of a row, or None of a row that is no call of a site's. Raises `EventError` where it can't."""

__all__ = ["READERS", "Archive", "Event"]
