"""What a page leaves behind is sent by the next one: once, whole, and never while its page is still there."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from fakes import FakePlatform
from satsuma.analytics import Analytics
from satsuma.options import Endpoint, LoadOptions
from satsuma.outbox import MOST_BYTES, ORPHANED, RENEWAL, Outbox


def page(platform: FakePlatform, **options: Any) -> Analytics:
    return Analytics(platform, Endpoint("demo", "https://c.test/v1"), LoadOptions.from_mapping(options))


def sent(platform: FakePlatform) -> list[str]:
    bodies = (json.loads(request.body) for request, _, _ in platform.sent)
    return [one["event"] for body in bodies for one in body.get("batch", [body])]


def entries(platform: FakePlatform) -> list[str]:
    return [key for key in platform.local_storage.items if key.startswith("satsuma_queue:")]


def test_what_an_earlier_page_of_analytics_js_has_left_is_sent_first(platform: FakePlatform) -> None:
    def item(name: str) -> dict[str, Any]:
        event = {"type": "track", "event": name, "anonymousId": "a", "messageId": name}
        return {"id": name, "event": event, "logs": [], "metrics": []}

    keys = {name: f"persisted-queue:v1:demo:{name}" for name in ("dest-Segment.io", "event-queue")}
    platform.local_storage.items |= {
        f"{keys['dest-Segment.io']}:items": json.dumps([item("A"), {"id": "nonsense"}, 7, item("B")]),
        f"{keys['dest-Segment.io']}:seen": '{"A":1}',
        f"{keys['event-queue']}:items": json.dumps([item("C")]),
        "persisted-queue:v1:other:dest-Segment.io:items": json.dumps([item("D")]),
    }

    async def story() -> None:
        analytics = page(platform)
        await analytics.track("E")
        assert sent(platform) == ["A", "B", "C", "E"]
        assert analytics.delivery.recovered == 3
        assert [key for key in platform.local_storage.items if "persisted" in key] == [
            "persisted-queue:v1:other:dest-Segment.io:items"
        ]

    asyncio.run(story())


def test_a_queue_of_analytics_js_that_cannot_be_read_is_passed_over(platform: FakePlatform) -> None:
    platform.local_storage.items["persisted-queue:v1:demo:dest-Segment.io:items"] = '{"broken'

    async def story() -> None:
        await page(platform).track("E")
        assert sent(platform) == ["E"]

    asyncio.run(story())


def test_an_event_is_kept_until_it_is_acknowledged(platform: FakePlatform) -> None:
    async def story() -> None:
        platform.status = None
        call = asyncio.ensure_future(page(platform).track("Once"))
        await asyncio.sleep(0)
        assert len(entries(platform)) == 1
        _, answered, _ = platform.sent[0]
        answered(200, None)
        assert (await call).delivered
        assert entries(platform) == []

    asyncio.run(story())


def test_the_next_page_sends_what_the_last_one_could_not(platform: FakePlatform) -> None:
    async def story() -> None:
        first = page(platform)
        first.sender.online(False)
        for name in ("A", "B"):
            asyncio.ensure_future(first.track(name))  # noqa: RUF006
        await asyncio.sleep(0)
        platform.beacons_work = False
        first.leave()
        second = page(platform)
        await second.track("C")
        assert sent(platform) == ["A", "B", "C"]
        assert entries(platform) == []
        assert second.delivery.recovered == 2

    asyncio.run(story())


def test_a_page_that_was_killed_is_heard_of_after_a_while(platform: FakePlatform) -> None:
    async def story() -> None:
        killed = page(platform)
        killed.sender.online(False)
        asyncio.ensure_future(killed.track("Lost?"))  # noqa: RUF006
        await asyncio.sleep(0)
        page(platform)
        assert sent(platform) == [], "its page may still be there"
        platform.time += ORPHANED
        page(platform)
        assert sent(platform) == ["Lost?"]

    asyncio.run(story())


def test_a_page_that_comes_back_leaves_alone_what_another_has_taken(platform: FakePlatform) -> None:
    async def story() -> None:
        first = page(platform)
        first.sender.online(False)
        call = asyncio.ensure_future(first.track("Handed on"))
        await asyncio.sleep(0)
        first.leave()
        await page(platform).flush()
        first.come_back()
        first.sender.online(True)
        assert (await call).delivered is None, "nobody has told this page"
        assert sent(platform) == ["Handed on"]

    asyncio.run(story())


def test_nothing_is_kept_where_the_page_forbids_it(platform: FakePlatform) -> None:
    async def story() -> None:
        quiet = page(platform, disableClientPersistence=True)
        quiet.sender.online(False)
        asyncio.ensure_future(quiet.track("Here only"))  # noqa: RUF006
        await asyncio.sleep(0)
        quiet.leave()
        assert platform.local_storage.items == {}
        assert len(platform.last) == 1

    asyncio.run(story())


@pytest.mark.parametrize("options", [{}, {"disableClientPersistence": True}], ids=["kept", "not kept"])
def test_a_beacon_acknowledges_nothing_and_is_sent_again_by_a_page_that_comes_back(
    platform: FakePlatform, options: dict[str, Any]
) -> None:
    async def story() -> None:
        hidden = page(platform, **options)
        hidden.sender.online(False)
        call = asyncio.ensure_future(hidden.track("Who knows?"))
        await asyncio.sleep(0)
        hidden.leave()
        assert (await call).delivered is None
        assert (hidden.delivery.handed, hidden.delivery.sent) == (1, 0)
        assert platform.waiting, "or the page would not hear that it is shown again"
        hidden.come_back()
        hidden.sender.online(True)
        assert sent(platform) == ["Who knows?"]
        assert (hidden.delivery.handed, hidden.delivery.sent) == (0, 1)
        assert not platform.waiting

    asyncio.run(story())


@pytest.mark.parametrize("options", [{}, {"disableClientPersistence": True}], ids=["kept", "not kept"])
def test_the_end_of_the_page_matters_while_an_event_has_no_answer(
    platform: FakePlatform, options: dict[str, Any]
) -> None:
    async def story() -> None:
        platform.status = None
        leaving = page(platform, **options)
        assert not platform.waiting
        call = asyncio.ensure_future(leaving.track("Twice, if need be"))
        await asyncio.sleep(0)
        assert platform.waiting
        leaving.leave()
        assert platform.waiting
        _, answered, _ = platform.sent[0]
        answered(200, None)
        assert (await call).delivered
        assert not platform.waiting

    asyncio.run(story())


def test_a_full_store_is_told_of_once_and_stops_nothing(platform: FakePlatform) -> None:
    async def story() -> None:
        platform.status = None
        platform.local_storage.broken = True
        started = page(platform)
        calls = [asyncio.ensure_future(started.track(name)) for name in ("A", "B")]
        for number in range(2):
            await asyncio.sleep(0)
            platform.sent[number][1](200, None)
        assert [context.delivered for context in await asyncio.gather(*calls)] == [True, True]
        assert sum("over the end of this page" in line for line in platform.warnings) == 1

    asyncio.run(story())


def test_an_entry_has_a_bound_and_nonsense_is_cleared_away(platform: FakePlatform) -> None:
    journal = Outbox(platform.local_storage, "demo", "p1", platform.warn)
    texts = [json.dumps({"n": number, "x": "y" * 50_000}) for number in range(12)]
    journal.write(texts, platform.now(), leaving=True)
    assert len(platform.local_storage.items["satsuma_queue:demo:p1"]) < MOST_BYTES + 100
    platform.local_storage.items["satsuma_queue:demo:p0"] = "{nonsense"
    found = Outbox(platform.local_storage, "demo", "p2", platform.warn).take_orphans(platform.now())
    assert [event["n"] for event in found] == list(range(2, 12))
    assert entries(platform) == []


def test_an_entry_is_not_written_again_only_to_be_shorter(platform: FakePlatform) -> None:
    journal = Outbox(platform.local_storage, "demo", "p1", platform.warn)
    journal.write(['{"a":1}', '{"b":2}'], 1000)
    before = platform.local_storage.items["satsuma_queue:demo:p1"]
    journal.write(['{"b":2}'], 1500)
    assert platform.local_storage.items["satsuma_queue:demo:p1"] == before
    journal.write(['{"b":2}'], 1000 + RENEWAL)
    assert '"a"' not in platform.local_storage.items["satsuma_queue:demo:p1"], "what is renewed tells the truth"
    journal.write(['{"b":2}', '{"c":3}'], 1001 + RENEWAL)
    assert '"c"' in platform.local_storage.items["satsuma_queue:demo:p1"]
    journal.write((), 1002 + RENEWAL)
    assert platform.local_storage.items == {}
