"""Large requests: one at a time, senders in turn, within a bound of bytes, and beside them small ones as ever."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from satsuma_server.errors import BusyError
from satsuma_server.ingest import endpoint
from satsuma_server.ingest.turns import LARGE_BATCH, Turns
from satsuma_server.testing import Collector


@pytest.mark.asyncio
async def test_senders_take_turns() -> None:
    turns, order, first_may_end = Turns(1_000), list[str](), threading.Event()

    def named(name: str) -> Callable[[], None]:
        return lambda: order.append(name)

    first = asyncio.create_task(turns.work("hostile", 1, first_may_end.wait))
    await asyncio.sleep(0)
    others = [asyncio.create_task(turns.work("hostile", 1, named(f"hostile {n}"))) for n in range(5)]
    others.append(asyncio.create_task(turns.work("shop", 1, named("shop"))))
    await asyncio.sleep(0)
    first_may_end.set()
    await asyncio.gather(first, *others)
    assert order.index("shop") <= 1
    assert [one for one in order if one != "shop"] == [f"hostile {n}" for n in range(5)]


@pytest.mark.asyncio
async def test_one_job_runs_at_a_time() -> None:
    turns, running, most = Turns(1_000), 0, 0

    def work() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        threading.Event().wait(0.001)
        running -= 1

    await asyncio.gather(*(turns.work(str(sender), 1, work) for sender in range(20)))
    assert most == 1


@pytest.mark.asyncio
async def test_waiting_requests_are_bounded_by_bytes() -> None:
    turns, may_end = Turns(100), threading.Event()
    first = asyncio.create_task(turns.work("a", 60, may_end.wait))
    await asyncio.sleep(0)
    with pytest.raises(BusyError):
        await turns.work("b", 60, print)
    may_end.set()
    await first
    assert await turns.work("b", 60, lambda: "done") == "done"


@pytest.mark.asyncio
async def test_what_fails_ends_the_turn() -> None:
    turns = Turns(100)

    def fail() -> None:
        raise ValueError

    with pytest.raises(ValueError):
        await turns.work("a", 100, fail)
    assert await turns.work("a", 100, lambda: "done") == "done"


def test_a_small_request_is_answered_while_a_large_one_is_worked_on(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    sort, begun, may_end = endpoint._sort, threading.Event(), threading.Event()

    def slow_sort(decoded: endpoint.Decoded, *rest: object) -> object:
        if len(decoded.events) > LARGE_BATCH:
            begun.set()
            may_end.wait(30)
        return sort(decoded, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(endpoint, "_sort", slow_sort)
    event = {"type": "track", "event": "E", "userId": "u"}
    with httpx.Client(base_url=collector.url, trust_env=False, timeout=60) as client, ThreadPoolExecutor() as pool:
        large = pool.submit(client.post, "/v1/batch", json={"batch": [event] * (LARGE_BATCH + 1)})
        assert begun.wait(30)
        try:
            assert client.post("/v1/track", json={**event, "event": "Small"}).status_code == 200
            assert [one["event"] for one in collector.events()] == ["Small"]
        finally:
            may_end.set()
        assert large.result().json() == {"success": True}
    assert len(collector.events()) == LARGE_BATCH + 2
