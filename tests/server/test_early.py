"""``POST /v1/early``: what the stub's beacon brings, and the cookies that the answer sets."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from satsuma_server.testing import Collector

BODY: dict[str, Any] = {
    "writeKey": "demo",
    "sentAt": "2020-04-23T22:38:50.000Z",
    "calls": [["page", {"__t": "bpc", "p": "/", "id": "ajs-1", "at": 1587681528550}], ["identify", "u1", {"a": 1}]],
}


def post(client: httpx.Client, origin: str | None = None, **more: Any) -> httpx.Response:
    headers = {"origin": origin} if origin else {}
    return client.post(
        "/v1/early", content=json.dumps({**BODY, **more}), headers={"content-type": "text/plain", **headers}
    )


def test_the_calls_are_stored_once_however_often_they_come(collector: Collector, client: httpx.Client) -> None:
    known = {"storage": {"ajs_anonymous_id": '"a1"'}}
    calls = {"calls": BODY["calls"][:1]}
    for _ in range(2):
        assert post(client, **known, **calls).json() == {"success": True}
    [event] = collector.events()
    assert (event["messageId"], event["anonymousId"], event["userId"]) == ("ajs-1", "a1", None)
    assert event["originalTimestamp"] == "2020-04-23T22:38:48.550Z"
    assert event["context"]["library"] == {"name": "analytics.js", "version": "satsuma-early"}


def test_the_answer_sets_the_visitors_cookies_within_the_site(collector: Collector, client: httpx.Client) -> None:
    client.headers["host"] = "collect.shop.test"
    answer = post(client, "https://www.shop.test", domain="shop.test", options={"cookie": {"secure": True}})
    anonymous_id = collector.events()[0]["anonymousId"]
    assert sorted(answer.headers.get_list("set-cookie")) == [
        f"ajs_anonymous_id={anonymous_id}; Max-Age=31536000; Path=/; Domain=shop.test; SameSite=Lax; Secure",
        "ajs_user_id=u1; Max-Age=31536000; Path=/; Domain=shop.test; SameSite=Lax; Secure",
    ]


@pytest.mark.parametrize(
    ("origin", "domain"),
    [
        ("https://evil.test", "shop.test"),
        ("https://evilshop.test", "shop.test"),
        ("https://www.other.test", "other.test"),
        ("https://www.shop.test", "test"),
        ("https://www.shop.test", "shop.test; x=y"),
        ("https://www.shop.test", ""),
        (None, "shop.test"),
    ],
)
def test_no_other_site_may_set_cookies_here(client: httpx.Client, origin: str | None, domain: str) -> None:
    client.headers["host"] = "collect.shop.test"
    assert "set-cookie" not in post(client, origin, domain=domain).headers


@pytest.mark.parametrize(
    "more",
    [
        {"calls": 7},
        {"options": {"user": "x"}},
        {"storage": {"ajs_user_id": 7}},
    ],
)
def test_nonsense_is_refused_and_breaks_nothing(
    collector: Collector, client: httpx.Client, more: dict[str, Any]
) -> None:
    assert post(client, "https://shop.test", **more).status_code == 400
    assert client.get("/v1/health").status_code == 200


def test_a_setting_for_batches_that_makes_no_sense_costs_no_event(collector: Collector, client: httpx.Client) -> None:
    strategy = {"strategy": "batching", "config": {"size": "x"}}
    answer = post(client, "https://shop.test", options={"integrations": {"Segment.io": {"deliveryStrategy": strategy}}})
    assert answer.status_code == 200
    assert collector.events()


def test_a_cookie_cannot_be_made_to_carry_more(client: httpx.Client) -> None:
    client.headers["host"] = "collect.shop.test"
    options = {"cookie": {"path": "/; Domain=test", "sameSite": "Lax; HttpOnly"}}
    answer = post(client, "https://www.shop.test", domain="shop.test", options=options)
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers


def test_without_calls_there_is_nothing_to_say(collector: Collector, client: httpx.Client) -> None:
    assert post(client, calls=[["ready"]]).status_code == 204
    assert collector.events() == []
