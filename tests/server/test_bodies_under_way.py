"""Bodies on their way to the worker are bounded, each and together."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest
from satsuma_server.errors import BusyError, TooLargeError
from satsuma_server.projections.bodies import BodiesUnderWay
from starlette.requests import Request


def request_of(*pieces: bytes) -> Request:
    waiting = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]

    async def receive() -> dict[str, object]:
        return waiting.pop(0) if waiting else {"type": "http.request", "body": b"", "more_body": False}

    return Request({"type": "http", "method": "POST", "headers": []}, receive)  # type: ignore[arg-type]


def test_what_is_over_makes_room_again() -> None:
    async def run() -> None:
        bodies = BodiesUnderWay(100)
        async with AsyncExitStack() as stack:
            assert await stack.enter_async_context(bodies.read(request_of(b"a" * 60), 80)) == b"a" * 60
            with pytest.raises(BusyError):
                await stack.enter_async_context(bodies.read(request_of(b"b" * 30, b"b" * 30), 80))
            assert bodies.held == 60
            with pytest.raises(TooLargeError):
                await stack.enter_async_context(bodies.read(request_of(b"c" * 30, b"c" * 60), 80))
            assert bodies.held == 60
        assert bodies.held == 0
        async with bodies.read(request_of(b"d" * 80), 80) as body:
            assert len(body) == 80

    asyncio.run(run())
