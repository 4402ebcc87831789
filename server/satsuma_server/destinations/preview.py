"""Makes the requests that would go to a destination for an event, without sending them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from satsuma_server.forwarding import Destination, Forwarding
from satsuma_server.log import Stored

from . import Fate, Message, Outcome
from .functions import load_function
from .kinds import make_client
from .lane import Lane, Patience
from .preparation import AllNew, prepare


@dataclass(frozen=True, slots=True)
class Preview:
    """What would go.

    Attributes:
        why_not: why nothing would; None where something does.
    """

    requests: list[str] = field(default_factory=list)
    why_not: str | None = None


async def preview(settings: Destination, source: str, event: dict[str, Any]) -> Preview:
    """Return the requests for an event that came with a write key, for people, without secrets.

    Raises:
        SettingsError: the destination's settings are not valid, or a secret is missing.
    """
    client, _ = make_client(settings)
    try:
        rules = Forwarding(settings, load_function(settings.transform) if settings.transform else None)
        if (why_not := rules.why_not(source, event)) is not None:
            return Preview(why_not=why_not)
        event = {"messageId": "test", **event}
        prepared = prepare([Stored(1, source, msgspec.json.encode(event))], rules, client, AllNew())
        if prepared.dead:
            return Preview(why_not=prepared.dead[0].outcome.reason)
        if not prepared.messages:
            return Preview(why_not="its transform, or the service, has no use for it")
        lane = Lane(prepared.messages, client.most_messages, client.most_bytes, Patience())
        return Preview([client.preview(batch) for batch in _batches(lane)])
    finally:
        await client.close()


def _batches(lane: Lane) -> list[list[Message]]:
    found = []
    while batch := lane.batch():
        found.append(batch)
        lane.settle(batch, Outcome(Fate.DELIVERED), 0.0, 0.0)
    return found
