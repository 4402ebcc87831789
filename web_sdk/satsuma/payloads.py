"""Builds the bodies of requests from the JSON texts of events. A text is created once, so that every try sends the
same."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from .send_queue import QueuedEvent


def single_body(parcel: QueuedEvent, stamp: Mapping[str, str]) -> str:
    """Return the body of a request for one event."""
    return _joined(parcel.text, json.dumps(stamp, separators=(",", ":")))


def batch_body(parcels: Iterable[QueuedEvent], stamp: Mapping[str, str]) -> str:
    """Return the body of a request for several events."""
    batch = ",".join(parcel.text for parcel in parcels)
    return _joined(f'{{"batch":[{batch}]}}', json.dumps(stamp, separators=(",", ":")))


def _joined(left: str, right: str) -> str:
    """Join two JSON objects, which must have different keys and may not be empty."""
    return f"{left[:-1]},{right[1:]}"
