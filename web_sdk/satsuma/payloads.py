"""Builds the bodies of requests from the JSON texts of events. A text is created once, so that every try sends the
same."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from .send_queue import Event, QueuedEvent

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def well_formed_json(event: Event) -> str:
    """Return an event's JSON text, which can be encoded in UTF-8."""
    text = _encode(event)
    try:
        text.encode()
    except UnicodeEncodeError:
        # A lone surrogate can't be encoded in UTF-8, so it is escaped, as JSON.stringify does.
        return json.dumps(event, separators=(",", ":"))
    return text


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
