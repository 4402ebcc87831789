"""What requests carry: JSON put together of events' texts that were made once, so that every try sends the same."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from .send_queue import Event, QueuedEvent


def well_formed_json(event: Event) -> str:
    """Return an event's JSON text, which UTF-8 can carry."""
    text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        # A lone surrogate has no UTF-8; JSON.stringify escapes it, and so do we.
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
    """Return one JSON object of two that share no key and aren't empty."""
    return f"{left[:-1]},{right[1:]}"
