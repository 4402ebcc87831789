"""Middleware and plugins: who sees an event, who may change it, and who may stop it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from fakes import FakePlatform
from satsuma.analytics import Analytics
from satsuma.options import Endpoint
from satsuma.plugins import Cancelled, Context, PluginKind


class Recorder:
    """A plugin that notes the events it sees."""

    def __init__(self, kind: PluginKind, name: str = "recorder", work: Callable[[Context], Any] | None = None) -> None:
        self.kind = kind
        self.name = name
        self.seen: list[str] = []
        self._work = work

    async def track(self, context: Context) -> Context:
        if self._work is not None:
            result = self._work(context)
            if asyncio.iscoroutine(result):
                await result
        self.seen.append(context.event["event"])
        return context


def play(platform: FakePlatform, story: Callable[[Analytics], Any]) -> None:
    async def run() -> None:
        await story(Analytics(platform, Endpoint("demo", "https://c.test/v1")))

    asyncio.run(run())


def test_a_slow_destination_keeps_nothing_from_the_collector(platform: FakePlatform) -> None:
    async def story(analytics: Analytics) -> None:
        forever = asyncio.Event()
        await analytics.register(Recorder(PluginKind.DESTINATION, work=lambda _: forever.wait()))
        call = asyncio.ensure_future(analytics.track("Sent"))
        assert len(platform.sent) == 1
        forever.set()
        await call

    play(platform, story)


def test_a_callback_waits_no_longer_than_the_timeout(platform: FakePlatform) -> None:
    platform.status = None  # The collector never answers.

    async def story(analytics: Analytics) -> None:
        called = asyncio.Event()
        analytics.timeout = 1
        call = asyncio.ensure_future(analytics.track("Slow", callback=lambda _: called.set()))
        async with asyncio.timeout(60):
            await called.wait()
        assert not call.done()
        call.cancel()

    play(platform, story)


def test_a_callback_is_called_at_its_time_though_the_event_has_its_answer(platform: FakePlatform) -> None:
    async def story(analytics: Analytics) -> None:
        analytics.timeout = 50
        loop = asyncio.get_running_loop()
        began, called = loop.time(), []
        context = await analytics.track("Quick", callback=lambda context: called.append((loop.time(), context)))
        assert context.delivered
        [(at, told)] = called
        assert told is context
        assert at - began >= 0.049

    play(platform, story)


def test_destination_middleware_changes_what_one_destination_gets_and_nothing_else(platform: FakePlatform) -> None:
    async def story(analytics: Analytics) -> None:
        one, other = (Recorder(PluginKind.DESTINATION, name) for name in ("One", "Other"))
        await analytics.register(one, other)
        analytics.add_destination_middleware("one", lambda event: {**event, "event": event["event"].upper()})
        analytics.add_destination_middleware("*", lambda event: None if event["event"] == "Secret" else event)
        await analytics.track("Open")
        await analytics.track("Secret")
        assert (one.seen, other.seen) == (["OPEN", "SECRET"], ["Open"])
        assert '"event":"Secret"' in platform.sent[-1][0].body

    play(platform, story)


def test_source_middleware_sees_every_event_and_may_stop_it(platform: FakePlatform) -> None:
    async def story(analytics: Analytics) -> None:
        async def middleware(event: dict[str, Any]) -> dict[str, Any] | None:
            return None if event.get("event") == "Secret" else {**event, "context": {**event["context"], "mine": 1}}

        await analytics.add_source_middleware(middleware)
        assert (await analytics.track("Secret")).cancelled
        assert (await analytics.track("Open")).event["context"]["mine"] == 1
        assert len(platform.sent) == 1

    play(platform, story)


def test_a_before_plugin_that_breaks_stops_the_event_and_says_so(platform: FakePlatform) -> None:
    def broken(context: Context) -> None:
        raise ValueError("broken")

    def stopped(context: Context) -> None:
        raise Cancelled("not this one")

    async def story(analytics: Analytics) -> None:
        analytics.pipeline.most_attempts = 1
        await analytics.register(Recorder(PluginKind.ENRICHMENT, "enriches", broken))
        assert (await analytics.track("Passes")).delivered
        await analytics.register(Recorder(PluginKind.BEFORE, "checks", broken))
        assert (await analytics.track("Held back")).cancelled == "broken"
        await analytics.deregister("checks")
        await analytics.register(Recorder(PluginKind.BEFORE, "stops", stopped))
        assert (await analytics.track("Stopped")).cancelled == "not this one"
        # Who stops an event on purpose has said so already.
        assert [line.split("'")[1] for line in platform.warnings] == ["enriches", "checks"]

    play(platform, story)


def test_a_before_plugin_that_fails_once_loses_no_event(platform: FakePlatform) -> None:
    pauses: list[float] = []
    tries: list[int] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    def fails(context: Context) -> None:
        tries.append(context.attempts)
        if context.attempts < 3:
            raise Cancelled("later", retry=True) if context.attempts == 1 else ValueError("broken")

    async def story(analytics: Analytics) -> None:
        analytics.pipeline.pause = pause
        await analytics.register(Recorder(PluginKind.BEFORE, "fails", fails))
        assert (await analytics.track("On")).delivered
        assert tries == [1, 2, 3]
        assert pauses[1] > pauses[0] >= 1.0

    play(platform, story)
    assert len(platform.sent) == 1


def test_an_event_is_tried_ten_times_and_then_told_as_failed(platform: FakePlatform) -> None:
    tries: list[int] = []
    told: list[str] = []

    async def pause(seconds: float) -> None:
        pass

    def fails(context: Context) -> None:
        tries.append(context.attempts)
        raise ValueError("broken")

    async def story(analytics: Analytics) -> None:
        analytics.pipeline.pause = pause
        for name in ("delivery_retry", "delivery_failure", "flush"):
            analytics.pipeline.events.on(name, lambda *_, name=name: told.append(name))
        await analytics.register(Recorder(PluginKind.BEFORE, "fails", fails))
        context = await analytics.track("Off")
        assert context.cancelled == "broken"
        assert context.failure is not None

    play(platform, story)
    assert tries == list(range(1, 11))
    assert (told.count("delivery_retry"), told.count("delivery_failure"), told.count("flush")) == (9, 10, 1)
    assert not platform.sent


def test_an_event_that_waits_for_another_attempt_is_not_sent_after_a_no(platform: FakePlatform) -> None:
    waits, goes_on = asyncio.Event(), asyncio.Event()
    reached: list[str] = []

    async def pause(seconds: float) -> None:
        waits.set()
        await goes_on.wait()

    def fails_once(context: Context) -> None:
        if context.attempts == 1:
            raise ValueError("broken")

    async def story(analytics: Analytics) -> None:
        analytics.pipeline.pause = pause
        await analytics.register(
            Recorder(PluginKind.BEFORE, "fails", fails_once),
            Recorder(PluginKind.DESTINATION, "gets", lambda context: reached.append(context.event["event"])),
        )
        call = asyncio.ensure_future(analytics.track("Off"))
        await waits.wait()
        analytics.withdraw_consent()
        goes_on.set()
        assert (await call).cancelled

    play(platform, story)
    assert not platform.sent
    assert not reached


def test_nobody_waits_for_a_destination_to_load(platform: FakePlatform) -> None:
    class Endless(Recorder):
        async def load(self, _: Analytics) -> None:
            await asyncio.Event().wait()

    async def story(analytics: Analytics) -> None:
        async with asyncio.timeout(5):
            await analytics.register(Endless(PluginKind.DESTINATION, "Endless"))
            await analytics.track("On")

    play(platform, story)
    assert len(platform.sent) == 1


def test_events_tell_which_plugins_did_not_load(platform: FakePlatform) -> None:
    class Failing(Recorder):
        async def load(self, _: Analytics) -> None:
            raise RuntimeError("no network")

    async def story(analytics: Analytics) -> None:
        await analytics.register(Failing(PluginKind.DESTINATION, "Failing"))
        await analytics.track("On")
        assert '"failedInitializations":["Failing"]' in platform.sent[0][0].body

    play(platform, story)


@pytest.mark.parametrize(
    ("integrations", "reached"),
    [({}, True), ({"All": False}, False), ({"All": False, "Mine": True}, True), ({"Mine": False}, False)],
)
def test_integrations_choose_destinations(platform: FakePlatform, integrations: dict[str, bool], reached: bool) -> None:
    async def story(analytics: Analytics) -> None:
        mine = Recorder(PluginKind.DESTINATION, "Mine")
        await analytics.register(mine)
        await analytics.track("On", options={"integrations": integrations})
        assert bool(mine.seen) is reached
        assert len(platform.sent) == 1

    play(platform, story)
