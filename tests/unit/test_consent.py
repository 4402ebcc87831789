"""Nothing is kept or sent before the visitor has consented, and nothing stays once they have withdrawn."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fakes import FakePlatform
from satsuma.analytics import Analytics
from satsuma.consent import MOST_HELD
from satsuma.options import Endpoint, LoadOptions


def play(platform: FakePlatform, story: Callable[[Analytics], Awaitable[None]], **options: Any) -> None:
    async def run() -> None:
        await story(Analytics(platform, Endpoint("demo", "https://c.test/v1"), LoadOptions.from_mapping(options)))

    asyncio.run(run())


def sent(platform: FakePlatform) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request, _, _ in platform.sent]


def untouched(platform: FakePlatform) -> bool:
    return not (platform.cookie_jar.written or platform.local_storage.items or platform.sent)


def test_calls_wait_for_the_visitors_yes_and_keep_their_order_and_times(platform: FakePlatform) -> None:
    async def story(analytics: Analytics) -> None:
        page = asyncio.ensure_future(analytics.page())
        analytics.identify("u1", {"plan": "pips"})
        anonymous_id = analytics.user().anonymous_id()
        await asyncio.sleep(0)
        assert untouched(platform)
        platform.time += 5000
        analytics.grant_consent()
        analytics.track("Agreed")
        assert (await page).delivered
        first, identify, agreed = sent(platform)
        assert [event["type"] for event in (first, identify, agreed)] == ["page", "identify", "track"]
        assert first["timestamp"] < agreed["timestamp"] == first["sentAt"]
        assert {event["anonymousId"] for event in (first, identify, agreed)} == {anonymous_id}
        assert platform.cookie_jar.cookies["ajs_user_id"][0] == "u1"

    play(platform, story, consent="required")


def test_whoever_was_known_before_is_known_again_after_the_yes(platform: FakePlatform) -> None:
    platform.local_storage.items |= {"ajs_anonymous_id": '"back"', "ajs_user_id": '"u7"'}

    async def story(analytics: Analytics) -> None:
        assert analytics.user().id() is None
        analytics.user().anonymous_id()
        analytics.grant_consent()
        assert (analytics.user().id(), analytics.user().anonymous_id()) == ("u7", "back")

    play(platform, story, consent="required")


def test_withdrawal_clears_what_was_kept_and_stops_what_comes(platform: FakePlatform) -> None:
    platform.status = None

    async def story(analytics: Analytics) -> None:
        analytics.identify("u1", {"plan": "pips"})
        waiting = asyncio.ensure_future(analytics.track("Waits"))
        analytics.sender.online(False)
        late = asyncio.ensure_future(analytics.track("Too late"))
        await asyncio.sleep(0)
        before = len(platform.sent)
        analytics.withdraw_consent()
        assert platform.cookie_jar.read() == ""
        assert platform.local_storage.items == {}
        assert (await late).delivered is False
        assert (await analytics.track("Never")).cancelled
        assert len(platform.sent) == before
        waiting.cancel()

    play(platform, story)


@pytest.mark.parametrize("handed", [False, True], ids=["under way", "handed to the browser"])
def test_what_has_no_answer_is_not_sent_again_after_a_withdrawal(platform: FakePlatform, handed: bool) -> None:
    platform.status = None

    async def story(analytics: Analytics) -> None:
        waiting = asyncio.ensure_future(analytics.track("Under way"))
        await asyncio.sleep(0)
        if handed:
            analytics.leave()
        analytics.withdraw_consent()
        _, _, failed = platform.sent[0]
        failed()
        platform.time += 3_600_000
        analytics.come_back()
        assert len(platform.sent) == 1
        assert (await waiting).delivered in (False, None)
        assert not platform.waiting

    play(platform, story)


@pytest.mark.parametrize(
    ("option", "signal"),
    [("respectGlobalPrivacyControl", "globalPrivacyControl"), ("respectDoNotTrack", "doNotTrack")],
)
def test_the_browsers_no_counts_where_the_site_says_so(platform: FakePlatform, option: str, signal: str) -> None:
    platform.refuses_tracking = frozenset({signal})

    async def refused(analytics: Analytics) -> None:
        assert (await analytics.track("Never")).cancelled
        assert untouched(platform)
        analytics.grant_consent()
        assert (await analytics.track("Asked for it")).delivered

    async def passed(analytics: Analytics) -> None:
        assert (await analytics.track("Sent")).delivered

    play(platform, refused, **{option: True})
    play(platform, passed)


def test_what_waits_for_an_answer_is_bounded(platform: FakePlatform) -> None:
    async def story(analytics: Analytics) -> None:
        calls = [asyncio.ensure_future(analytics.track(f"E{n}")) for n in range(MOST_HELD + 2)]
        await asyncio.sleep(0)
        analytics.grant_consent()
        done = await asyncio.gather(*calls)
        assert [context.cancelled is None for context in done] == [False, False, *[True] * MOST_HELD]

    play(platform, story, consent="required")
    assert len(platform.warnings) == 1
