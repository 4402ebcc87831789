"""A request that comes as the writer's connection ends is told to come again, and waits for no answer."""

from __future__ import annotations

import pytest
from satsuma_server.acceptors.link import _Line
from satsuma_server.acceptors.messages import OfAddress
from satsuma_server.errors import UnavailableError
from satsuma_server.http.metrics import Metrics


@pytest.mark.asyncio
async def test_what_is_asked_of_a_lost_connection_fails_at_once() -> None:
    line = _Line(Metrics())
    line.connection_lost(None)
    with pytest.raises(UnavailableError):
        await line.ask(lambda number: OfAddress(number, "203.0.113.7"), 0)
