"""What events tell of what was got over: cookies and localStorage that were healed, and trouble on the way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from fakes import DAY, FakePlatform
from satsuma.analytics import Analytics
from satsuma.options import Endpoint, LoadOptions
from satsuma.platforms.server.beacon_replay import Departure, replay
from satsuma.storage import StoreKind

ANONYMOUS, USER = "ajs_anonymous_id", "ajs_user_id"


def visit(platform: FakePlatform, *deeds: Callable[[Analytics], Any], **options: Any) -> list[Any]:
    """Play one page; return what its posts tell in ``context.satsuma``, None for those that tell nothing."""
    before = len(platform.sent)

    async def play() -> None:
        analytics = Analytics(platform, Endpoint("key", "https://x.test/v1"), LoadOptions.from_mapping(options))
        for deed in deeds:
            deed(analytics)

    asyncio.run(play())
    return [json.loads(request.body)["context"].get("satsuma") for request, _, _ in platform.sent[before:]]


def sign_up(analytics: Analytics) -> None:
    analytics.identify("97980cfea0067", {"plan": "premium"})
    analytics.track("Signed Up")


def look(analytics: Analytics) -> None:
    analytics.page()


def expire(platform: FakePlatform) -> None:
    platform.time += 366 * DAY


def clear_items(platform: FakePlatform) -> None:
    platform.local_storage.items.clear()


def corrupt_cookie(platform: FakePlatform) -> None:
    platform.cookie_jar.cookies[ANONYMOUS] = ("%FF", platform.time * 2)


def change_cookies(platform: FakePlatform) -> None:
    for key in (ANONYMOUS, USER):
        platform.cookie_jar.cookies[key] = ("somebody-else", platform.time * 2)


@pytest.mark.parametrize(
    ("mishap", "healed"),
    [
        (expire, [f"{USER}:cookie:gone", f"{ANONYMOUS}:cookie:gone"]),
        (clear_items, [f"{USER}:localStorage:gone", f"{ANONYMOUS}:localStorage:gone"]),
        (corrupt_cookie, [f"{ANONYMOUS}:cookie:gone"]),
        # Of a userId localStorage is believed, of an anonymousId the cookie, as analytics.js does.
        (change_cookies, [f"{USER}:cookie:other", f"{ANONYMOUS}:localStorage:other"]),
    ],
)
def test_the_next_event_and_only_that_tells_what_was_healed(
    platform: FakePlatform, mishap: Callable[[FakePlatform], None], healed: list[str]
) -> None:
    assert visit(platform, sign_up) == [None, None]
    mishap(platform)
    assert visit(platform, look, look) == [{"healed": healed}, None]
    assert visit(platform, look) == [None]


def test_what_was_healed_while_nobody_made_an_event_is_told_by_the_first(platform: FakePlatform) -> None:
    visit(platform, sign_up)
    expire(platform)
    assert visit(platform, lambda analytics: analytics.user().id()) == []
    platform.cookie_jar.cookies.clear()
    [told, _] = visit(platform, lambda analytics: analytics.user().id(), look, look)
    assert told["healed"] == [f"{USER}:cookie:gone", f"{ANONYMOUS}:cookie:gone"]


def test_both_cleared_is_a_new_visitor_and_nothing_was_healed(platform: FakePlatform) -> None:
    visit(platform, sign_up)
    clear_items(platform)
    platform.cookie_jar.cookies.clear()
    assert visit(platform, look) == [None]


def test_a_browser_that_keeps_no_cookie_or_no_item_heals_nothing(platform: FakePlatform) -> None:
    platform.cookie_jar.write = lambda *_, **__: None  # type: ignore[method-assign]
    assert visit(platform, sign_up) == [None, None]
    assert visit(platform, look) == [None]
    without = FakePlatform()
    without.local_storage.broken = True
    assert visit(without, sign_up) == [None, None]
    assert visit(without, look) == [None]


def test_another_user_and_a_reset_are_no_loss(platform: FakePlatform) -> None:
    assert (
        visit(platform, sign_up, lambda analytics: analytics.identify("u2"), lambda analytics: analytics.reset(), look)
        == [None] * 4
    )


@pytest.mark.parametrize("id", ["12345678901234567890", "true", "null", '{"a":1}', "1.0", " x ", "käse"])
def test_ids_that_look_like_something_else_are_no_loss(platform: FakePlatform, id: str) -> None:
    assert visit(platform, lambda analytics: analytics.identify(id), look) == [None, None]
    assert visit(platform, look) == [None]


def test_what_a_server_hands_to_the_page_is_no_loss_of_local_storage(platform: FakePlatform) -> None:
    for name, value in {USER: "u2", ANONYMOUS: "a2", "satsuma_handover": '["a2","u2",null]'}.items():
        platform.cookie_jar.cookies[name] = (value, platform.time * 2)
    assert visit(platform, look) == [None]
    assert json.loads(platform.local_storage.items[USER]) == "u2"


def test_a_page_s_own_remarks_stay(platform: FakePlatform) -> None:
    visit(platform, sign_up)
    expire(platform)
    [told] = visit(
        platform, lambda analytics: analytics.call("track", ["E", {}, {"context": {"satsuma": {"build": 7}}}])
    )
    assert told["build"] == 7 and len(told["healed"]) == 2


def test_a_page_that_has_left_already_tells_of_cookies_alone() -> None:
    storage = {USER: '"u1"', ANONYMOUS: '"a1"'}
    page = asyncio.run(replay(Departure("key", [["track", "E"]], storage=storage)))
    assert json.loads(page.bodies[0])["context"]["satsuma"]["healed"] == [
        f"{USER}:{StoreKind.COOKIE}:gone",
        f"{ANONYMOUS}:{StoreKind.COOKIE}:gone",
    ]
    page = asyncio.run(replay(Departure("key", [["track", "E"]], cookies=f"{ANONYMOUS}=a1")))
    assert "satsuma" not in json.loads(page.bodies[0])["context"]


def answer(platform: FakePlatform, status: int | None, since: int = 0) -> None:
    """Have what was sent answered late."""
    for _, answered, failed in platform.sent[since:]:
        answered(status, None) if status else failed()


def test_trouble_on_the_way_is_told_by_events_made_after_it_and_a_retry_stays_as_it_was(platform: FakePlatform) -> None:
    platform.status = None

    def mend(_: Analytics) -> None:
        answer(platform, 503)
        platform.status = 200
        platform.time += 10_000

    def pump(analytics: Analytics) -> None:
        analytics.sender.pump()

    told = visit(platform, look, look, mend, pump, look, look)
    assert told == [None, None, None, {"delivery": {"failed": 1}}, None]
    first, again = platform.sent[0][0].body, platform.sent[1][0].body
    assert json.loads(first)["messageId"] == json.loads(again)["messageId"]


def test_what_was_dropped_is_told_with_the_reason(platform: FakePlatform) -> None:
    platform.status = 400
    assert visit(platform, look, look, look) == [
        None,
        {"delivery": {"dropped": {"refused 400": 1}}},
        {"delivery": {"dropped": {"refused 400": 1}}},
    ]


def test_what_the_visitor_did_not_allow_is_told_by_nobody(platform: FakePlatform) -> None:
    platform.status = None
    platform.sent.clear()

    def grant(analytics: Analytics) -> None:
        analytics.withdraw_consent()
        platform.status = 200
        analytics.grant_consent()

    assert [one for one in visit(platform, look, look, grant, look) if one] == []


@pytest.mark.parametrize(("pause", "told"), [(5_000, None), (120_000, {"delivery": {"late": 2}})])
def test_events_of_an_earlier_page_that_waited_long_are_counted(
    platform: FakePlatform, pause: float, told: object
) -> None:
    platform.status = None
    platform.beacons_work = False
    visit(platform, look, look, lambda analytics: analytics.leave())
    platform.time += pause
    platform.status = 200
    assert visit(platform, look) == [None, None, told]
