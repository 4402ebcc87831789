"""Who awaits a call never waits for the collector for ever; who awaits `flush` waits for all to be acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from fakes import FakePlatform
from satsuma.analytics import Analytics
from satsuma.completion import PATIENCE
from satsuma.options import Endpoint, LoadOptions

BATCHING = {"Segment.io": {"deliveryStrategy": {"strategy": "batching"}}}


def page(platform: FakePlatform, **options: Any) -> Analytics:
    return Analytics(platform, Endpoint("demo", "https://c.test/v1"), LoadOptions.from_mapping(options))


def soon(awaited: Any) -> Any:
    return asyncio.wait_for(awaited, timeout=60)


WAYS: dict[str, tuple[int | None, dict[str, Any], Callable[[Analytics], None]]] = {
    "the collector fails": (503, {}, lambda analytics: None),
    "the network is gone": (200, {}, lambda analytics: analytics.sender.online(False)),
    "events wait for company": (200, {"integrations": BATCHING}, lambda analytics: None),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_call_settles_and_its_event_is_kept(platform: FakePlatform, way: str) -> None:
    status, options, begin = WAYS[way]

    async def story() -> None:
        platform.status = status
        analytics = page(platform, **options)
        begin(analytics)
        first, second = [await soon(analytics.track(name)) for name in ("A", "B")]
        assert (first.delivered, second.delivered, analytics.delivery.queued) == (None, None, 2)
        flushed = asyncio.ensure_future(analytics.flush())
        platform.status = 200
        analytics.sender.online(True)
        platform.time += 60_000
        analytics.sender.pump()
        assert (await soon(flushed)).sent == 2
        assert (first.delivered, second.delivered) == (True, True)

    asyncio.run(story())


def test_flush_waits_for_events_that_the_browser_was_only_handed(platform: FakePlatform) -> None:
    async def story() -> None:
        analytics = page(platform)
        analytics.sender.online(False)
        await soon(analytics.track("A"))
        analytics.leave()
        assert analytics.delivery.handed == 1
        flushed = asyncio.ensure_future(analytics.flush())
        await asyncio.sleep(0)
        assert not flushed.done()
        analytics.sender.online(True)
        analytics.come_back()
        assert (await soon(flushed)).sent == 1

    asyncio.run(story())


def test_flush_ends_in_a_page_that_goes_on_although_it_was_left(
    platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    timers: list[Callable[[], None]] = []
    monkeypatch.setattr(platform, "call_later", lambda milliseconds, callback: timers.append(callback) or list)

    async def story() -> None:
        analytics = page(platform)
        analytics.sender.online(False)
        for name in "ABC":
            await soon(analytics.track(name, {"text": "x" * 10_000}))
        analytics.leave()
        assert analytics.delivery.handed == 3
        analytics.sender.online(True)
        await soon(analytics.track("D"))
        flushed = asyncio.ensure_future(analytics.flush())
        await asyncio.sleep(0)
        assert not flushed.done()
        for fire in timers:
            fire()
        assert (await soon(flushed)).sent == 4

    asyncio.run(story())


def test_a_call_settles_as_its_page_is_left(platform: FakePlatform) -> None:
    async def story() -> None:
        platform.status = None
        analytics = page(platform)
        calls = [asyncio.ensure_future(analytics.track(name)) for name in ("A", "B")]
        await asyncio.sleep(0)
        assert not any(call.done() for call in calls)
        analytics.leave()
        await soon(asyncio.gather(*calls))

    asyncio.run(story())


def test_a_call_settles_where_the_collector_says_nothing_at_all(
    platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    timers: list[tuple[float, Callable[[], None]]] = []

    def call_later(milliseconds: float, callback: Callable[[], None]) -> Callable[[], None]:
        timers.append((platform.time + milliseconds, callback))
        return lambda: None

    async def story() -> None:
        platform.status = None
        monkeypatch.setattr(platform, "call_later", call_later)
        analytics = page(platform)
        call = asyncio.ensure_future(analytics.track("A"))
        await asyncio.sleep(0)
        platform.time += PATIENCE
        for at, callback in timers[:]:
            if at <= platform.time:
                callback()
        assert (await soon(call)).delivered is None
        assert analytics.delivery.inflight == 1

    asyncio.run(story())


def test_a_call_settles_though_the_visitor_has_not_been_asked(platform: FakePlatform) -> None:
    async def story() -> None:
        analytics = page(platform, consent="required")
        analytics.timeout = 1
        context = await soon(analytics.track("A"))
        assert (context.event["type"], context.delivered) == ("track", None)
        analytics.grant_consent()
        assert (await soon(analytics.flush())).sent == 1

    asyncio.run(story())


def test_what_a_no_takes_away_is_waited_for_no_longer(platform: FakePlatform) -> None:
    async def story() -> None:
        platform.status = 503
        analytics = page(platform)
        await soon(analytics.track("A"))
        flushed = asyncio.ensure_future(analytics.flush())
        await asyncio.sleep(0)
        analytics.withdraw_consent()
        assert (await soon(flushed)).dropped == {"consent withdrawn": 1}

    asyncio.run(story())
