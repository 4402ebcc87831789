"""A copy of what a call was given, which later changes by the app don't reach, taken at little cost."""

from __future__ import annotations

import marshal
from typing import Any

from satsuma.json_values import PlainCopy, is_bounded
from satsuma.omissions import Omissions
from satsuma.platforms.cpython.event_text import nearest_value

Snapshot = bytes


def take(value: Any, omissions: Omissions) -> Snapshot:
    """Return the snapshot of a value. What JSON lacks becomes what comes nearest, as in `event_text.to_text`.

    Args:
        omissions: hears of what is left out, because it can't be read or is too much for an event.
    """
    # marshal is the fastest copy that Python has: three times faster than JSON. It never leaves this process.
    return marshal.dumps(value if is_bounded(value) else PlainCopy(omissions, nearest_value).of(value))


def read(snapshot: Snapshot) -> Any:
    """Return the value of a snapshot."""
    return marshal.loads(snapshot)  # noqa: S302 - `take` has made it in this process
