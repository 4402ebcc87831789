"""Calls of a visitor who has left become the events that their page would have made."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from satsuma.platforms.server.beacon_replay import DepartedPage, Departure, replay

NOTE = {
    "__t": "bpc",
    "p": "/p",
    "u": "https://shop.test/p?x=1#h",
    "s": "?x=1",
    "t": "T",
    "r": "",
    "at": 1_587_681_528_550,
}


def leave(*calls: list[Any], **more: Any) -> DepartedPage:
    return asyncio.run(replay(Departure("demo", calls, sent_at=1_587_681_530_000.0, **more)))


def events(page: DepartedPage) -> list[dict[str, Any]]:
    return [json.loads(body) for body in page.bodies]


def test_calls_keep_their_order_moment_and_message(tmp_path: object) -> None:
    page = leave(
        ["page", {**NOTE, "id": "ajs-1"}],
        ["identify", "u1", {"plan": "pips"}, {**NOTE, "id": "ajs-2"}],
        ["track", "T", NOTE],
    )
    first, identify, track = events(page)
    assert [one["messageId"] for one in (first, identify)] == ["ajs-1", "ajs-2"]
    assert (first["timestamp"], first["sentAt"]) == ("2020-04-23T22:38:48.550Z", "2020-04-23T22:38:50.000Z")
    assert first["context"]["page"]["url"] == "https://shop.test/p?x=1"
    assert [one["userId"] for one in (first, identify, track)] == [None, "u1", "u1"]
    assert len({one["anonymousId"] for one in (first, identify, track)}) == 1
    assert page.cookie_jar.changes["ajs_anonymous_id"].value == first["anonymousId"]
    assert page.cookie_jar.changes["ajs_user_id"].days == 365


def test_who_was_known_is_known() -> None:
    page = leave(["track", "T"], cookies="ajs_user_id=u7", storage={"ajs_anonymous_id": '"a7"'})
    assert [(one["userId"], one["anonymousId"]) for one in events(page)] == [("u7", "a7")]


@pytest.mark.parametrize(("number", "right"), [("7", "mine"), ("6", "theirs")])
def test_of_two_cookies_of_one_name_local_storage_knows_the_right_one(number: str, right: str) -> None:
    cookies = "satsuma_generation=7; ajs_anonymous_id=theirs; ajs_anonymous_id=mine; ajs_anonymous_id=theirs"
    storage = {"ajs_anonymous_id": '"mine"', "satsuma_generation": number}
    [event] = events(leave(["track", "Seen", NOTE], cookies=cookies, storage=storage))
    assert event["anonymousId"] == right


def test_an_anonymous_id_and_a_reset_are_minded_and_the_rest_passed_over() -> None:
    calls = [["track", "A"], ["ready", None], ["setAnonymousId", "mine"], ["reset"], ["track", "B"], [], [7], ["track"]]
    before, after = events(leave(*calls))
    assert before["anonymousId"] == "mine"
    assert after["anonymousId"] not in ("mine", None)


@pytest.mark.parametrize(
    ("calls", "count"),
    [([["track", "A"]], 0), ([["track", "A"], ["consent", True]], 1), ([["consent", False], ["page"]], 0)],
)
def test_nothing_is_made_without_the_visitors_consent(calls: list[list[Any]], count: int) -> None:
    page = leave(*calls, options={"consent": "required"})
    assert len(page.bodies) == count
    assert bool(page.cookie_jar.changes) is bool(count)
