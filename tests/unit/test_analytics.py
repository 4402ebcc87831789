"""From call to event, on CPython: payloads field by field against the specification's examples."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from fakes import FakePlatform
from satsuma.analytics import Analytics
from satsuma.environment import campaign
from satsuma.errors import ArgumentError
from satsuma.events import Moment
from satsuma.options import Endpoint, LoadOptions
from satsuma.page import page_context
from satsuma.plugins import Cancelled, Context, PluginKind


def run(platform: FakePlatform, story: Callable[[Analytics], Any], **options: Any) -> list[dict[str, Any]]:
    """Play a story in a page and return the bodies that were posted."""

    async def play() -> None:
        analytics = Analytics(platform, Endpoint("demo", "https://c.test/v1"), LoadOptions.from_mapping(options))
        result = story(analytics)
        if isinstance(result, Coroutine):
            await result

    asyncio.run(play())
    return [json.loads(request.body) for request, _, _ in platform.sent]


def test_first_page_view_matches_the_specifications_payload(platform: FakePlatform) -> None:
    [event] = run(platform, lambda a: a.page())
    page = {"path": "/", "referrer": "", "search": "", "title": "Home Page", "url": "https://somesite.com/"}
    assert event == {
        "anonymousId": "00000000-0000-4000-8000-000000000003",
        "context": {
            "library": {"name": "analytics.js", "version": "satsuma-test"},
            "locale": "en-US",
            "timezone": "UTC",
            "page": page,
            "userAgent": "Mozilla/5.0",
        },
        "integrations": {},
        "messageId": "ajs-00000000000040008000000000000002",
        "timestamp": "2020-04-23T22:38:48.550Z",
        "sentAt": "2020-04-23T22:38:48.550Z",
        "properties": page,
        "type": "page",
        "userId": None,
        "writeKey": "demo",
    }


def test_soft_registration_carries_traits_and_no_user_id(platform: FakePlatform) -> None:
    [event] = run(platform, lambda a: a.identify(traits={"firstName": "Joe", "email": "jvisitor@thissite.com"}))
    assert event["traits"] == {"firstName": "Joe", "email": "jvisitor@thissite.com"}
    assert event["anonymousId"]
    assert event["userId"] is None


def test_full_registration_carries_both_ids_on_every_later_call(platform: FakePlatform) -> None:
    def story(analytics: Analytics) -> None:
        analytics.page()
        analytics.identify("97980cfea0067", {"name": "Peter Gibbons", "plan": "premium"})
        analytics.track("Signed Up", {"plan": "premium"})

    page, identify, track = run(platform, story)
    assert page["userId"] is None
    assert {event["userId"] for event in (identify, track)} == {"97980cfea0067"}
    assert {event["anonymousId"] for event in (page, identify, track)} == {page["anonymousId"]}
    assert (track["event"], track["properties"]) == ("Signed Up", {"plan": "premium"})


def test_a_call_made_before_boot_keeps_its_time_and_its_page(platform: FakePlatform) -> None:
    note = {"u": "https://somesite.com/old#top", "p": "/old", "s": "", "t": "Old", "r": ""}
    moment = Moment(at=1_500_000_000_000, page=page_context(note), message_id="ajs-early")
    [event] = run(platform, lambda a: a.call("track", ["Early"], moment))
    assert (event["timestamp"], event["messageId"]) == ("2017-07-14T02:40:00.000Z", "ajs-early")
    assert event["context"]["page"]["url"] == "https://somesite.com/old"


def test_options_go_to_context_or_to_the_top(platform: FakePlatform) -> None:
    options = {
        "ip": "0.0.0.0",
        "device.id": "d1",
        "timestamp": "2020-01-01T00:00:00.000Z",
        "integrations": {"X": False},
    }
    [event] = run(platform, lambda a: a.track("E", options=options), integrations={"Amplitude": {"sessionId": 1}})
    assert event["timestamp"] == "2020-01-01T00:00:00.000Z"
    assert (event["context"]["ip"], event["context"]["device"]) == ("0.0.0.0", {"id": "d1"})
    assert event["integrations"] == {"Amplitude": True, "X": False}


def test_alias_links_the_given_id_to_the_visitor(platform: FakePlatform) -> None:
    [event] = run(platform, lambda a: a.alias("new"))
    assert (event["userId"], event["previousId"]) == ("new", event["anonymousId"])


def test_a_call_without_a_name_raises_in_python(platform: FakePlatform) -> None:
    with pytest.raises(ArgumentError):
        run(platform, lambda a: a.track(""))


def test_plugins_may_change_or_stop_an_event(platform: FakePlatform) -> None:
    class Filter:
        name = "filter"
        kind = PluginKind.BEFORE

        def track(self, context: Context) -> Context:
            if context.event["event"] == "Secret":
                raise Cancelled("secret")
            context.event["properties"]["seen"] = True
            return context

    async def story(analytics: Analytics) -> None:
        await analytics.register(Filter())
        stopped = await analytics.track("Secret")
        passed = await analytics.track("Open")
        assert (stopped.cancelled, stopped.delivered) == ("secret", None)
        assert passed.delivered is True

    [event] = run(platform, story)
    assert event["properties"] == {"seen": True}


def test_nothing_is_sent_where_the_integration_is_turned_off(platform: FakePlatform) -> None:
    assert run(platform, lambda a: a.track("E"), integrations={"All": False}) == []
    assert run(platform, lambda a: a.track("E", options={"integrations": {"Segment.io": False}})) == []


def test_listeners_hear_calls_and_a_broken_one_harms_nobody(platform: FakePlatform) -> None:
    heard: list[Any] = []

    async def story(analytics: Analytics) -> None:
        analytics.on("track", lambda *_: 1 / 0)
        analytics.on("track", lambda *args: heard.append(args))
        await analytics.track("E", {"a": 1})

    run(platform, story)
    assert heard == [("E", {"a": 1}, None)]
    assert any("ZeroDivisionError" in line for line in platform.warnings)


def test_leaving_sends_what_could_not_be_sent(platform: FakePlatform) -> None:
    def story(analytics: Analytics) -> None:
        analytics.sender.online(False)
        analytics.track("E")
        analytics.leave()
        assert analytics.delivery.queued == 0

    run(platform, story)
    assert json.loads(platform.last[0].body)["batch"][0]["event"] == "E"


def test_campaign_reads_utm_parameters() -> None:
    assert campaign("?utm_source=news+letter&utm_campaign=spring&utm_term=%FF&x=1") == {
        "source": "news letter",
        "name": "spring",
        "term": "%FF",
    }


@pytest.mark.parametrize(
    ("canonical", "path", "url"),
    [
        (None, "/p", "https://somesite.com/p?q=1"),
        ("https://somesite.com/canon", "/canon", "https://somesite.com/canon?q=1"),
        ("https://somesite.com/canon?z=2", "/canon", "https://somesite.com/canon?z=2"),
        ("relative", "/relative", "relative?q=1"),
    ],
)
def test_the_canonical_link_names_the_page(canonical: str | None, path: str, url: str) -> None:
    page = page_context(
        {"c": canonical, "p": "/p", "u": "https://somesite.com/p?q=1#h", "s": "?q=1", "t": "T", "r": ""}
    )
    assert (page["path"], page["url"]) == (path, url)


@pytest.mark.parametrize("moment", [1_577_836_800, 1_577_836_800_000, 1_577_836_800.0, "2020-01-01T00:00:00.000Z"])
def test_a_call_tells_its_time_in_seconds_milliseconds_or_text(platform: FakePlatform, moment: object) -> None:
    [event] = run(platform, lambda a: a.track("E", options={"timestamp": moment}))
    assert event["timestamp"] == "2020-01-01T00:00:00.000Z"
    assert platform.warnings == []


@pytest.mark.parametrize("moment", [None, "yesterday", "", "2020-13-01", True, {}, [], 1e300, -1e18, "x" * 50_000])
def test_a_time_that_cannot_be_read_is_told_and_the_event_goes_with_the_calls_own(
    platform: FakePlatform, moment: object
) -> None:
    first, second = run(platform, lambda a: (a.track("Bad", options={"timestamp": moment}), a.track("Good"))[0])
    assert (first["event"], first["timestamp"], second["event"]) == ("Bad", "2020-04-23T22:38:48.550Z", "Good")
    [warning] = platform.warnings
    assert "timestamp" in warning
    assert len(warning) < 300
