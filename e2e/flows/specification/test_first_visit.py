"""The first visit: an anonymousId, and the page call that tells of it."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from pytest_satsuma import ExpectEvent, Visitor
from satsuma_server.testing import Collector

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
ISO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
TIMES = ("originalTimestamp", "receivedAt", "sentAt", "timestamp")


def check_envelope(event: dict[str, Any], visitor: Visitor) -> None:
    """Check what every payload of the specification has."""
    assert event["messageId"].startswith("ajs-")
    assert UUID.fullmatch(event["anonymousId"])
    assert all(ISO_TIME.fullmatch(event[name]) for name in TIMES)
    assert event["originalTimestamp"] <= event["sentAt"]
    assert event["timestamp"] <= event["receivedAt"]
    assert event["integrations"] == {}
    context = event["context"]
    assert context["ip"] == "127.0.0.1"
    assert context["library"]["name"] == "analytics.js"
    assert context["locale"] == visitor.evaluate("() => navigator.language")
    assert context["userAgent"] == visitor.evaluate("() => navigator.userAgent")
    assert set(context["page"]) == {"path", "referrer", "search", "title", "url"}


@pytest.mark.specification(
    "loading the first page sends a page call with an anonymousId and without a userId",
    "a page event has the fields of the specification's payload",
    "the first visit makes a UUID the anonymousId",
    "the anonymousId is in the cookie and in localStorage",
    "every call has a messageId and four timestamps",
)
def test_the_first_page_makes_an_anonymous_visitor_and_tells_of_them(
    visitor: Visitor, expect_event: ExpectEvent, site: str
) -> None:
    visitor.visit("/?from=ad")
    page = expect_event(type="page", user_id=None)
    check_envelope(page, visitor)
    title = visitor.evaluate("() => document.title")
    told = {"path": "/", "referrer": "", "search": "?from=ad", "title": title, "url": f"{site}/?from=ad"}
    assert page["context"]["page"] == page["properties"] == told
    identity = visitor.identity
    assert identity.cookie_anonymous_id == identity.storage_anonymous_id == page["anonymousId"]
    assert (identity.user_id, identity.traits) == (None, None)


@pytest.mark.specification(
    "the id's cookie lives one year",
)
def test_the_cookies_live_one_year_on_the_whole_site(visitor: Visitor, satsuma_engine: str) -> None:
    visitor.visit("/products/yuzu")
    visitor.evaluate("() => analytics.identify('u1').then(() => null)")
    for name in ("ajs_anonymous_id", "ajs_user_id"):
        cookie = visitor.cookies.all()[name]
        assert cookie.expires_in_days is not None
        assert 364.9 < cookie.expires_in_days <= 365
        assert (cookie.path, cookie.same_site, cookie.secure) == ("/", "Lax", False)
    if satsuma_engine != "chromium":
        return
    # Playwright calls a cookie that says nothing of SameSite Lax too; the browser's own words tell them apart.
    told = visitor.context.new_cdp_session(visitor.page).send("Network.getCookies")["cookies"]
    assert {one["name"]: one.get("sameSite") for one in told if one["name"].startswith("ajs_")} == {
        "ajs_anonymous_id": "Lax",
        "ajs_user_id": "Lax",
    }


@pytest.mark.specification(
    "each page and track call has the anonymousId and tells its context",
    "the anonymousId links what a visitor does on different pages and days",
)
def test_one_anonymous_id_goes_along_from_page_to_page(
    visitor: Visitor, expect_event: ExpectEvent, collector: Collector
) -> None:
    visitor.visit("/")
    visitor.visit("/products/pomelo")
    viewed = expect_event("Product Viewed", anonymous_id=visitor.identity.anonymous_id, user_id=None)
    assert viewed["context"]["page"]["path"] == "/products/pomelo"
    expect_event(type="page", count=2)
    assert {event["anonymousId"] for event in collector.events()} == {viewed["anonymousId"]}


@pytest.mark.specification(
    "asking for the anonymousId before there is one makes it",
    "any call sets an anonymousId first where there is none",
    "the page can read its anonymousId and pass it to a server",
)
def test_who_asks_for_an_anonymous_id_is_never_told_that_there_is_none(
    visitor: Visitor, expect_event: ExpectEvent
) -> None:
    visitor.visit("/")
    visitor.evaluate("() => { analytics.reset(); }")
    assert visitor.identity.anonymous_id is None
    asked = visitor.evaluate("() => analytics.user().anonymousId()")
    assert UUID.fullmatch(asked)
    assert visitor.identity.cookie_anonymous_id == visitor.identity.storage_anonymous_id == asked
    visitor.evaluate("() => { analytics.reset(); return analytics.track('After').then(() => null); }")
    made = visitor.identity.anonymous_id
    assert made not in (None, asked)
    expect_event("After", anonymous_id=made)


@pytest.mark.specification(
    "a server that gives no anonymousId of its own has nobody's event",
    "an identify without a userId needs an anonymousId",
)
def test_the_collector_takes_no_event_of_nobody(collector: Collector, expect_event: ExpectEvent) -> None:
    with httpx.Client(base_url=collector.url, trust_env=False) as client:
        body = {"traits": {"email": "joe@example.com"}, "writeKey": "demo"}
        refused = client.post("/v1/identify", json=body)
        assert refused.status_code == 400
        assert "anonymousId" in refused.json()["error"]["message"]
        assert client.post("/v1/identify", json={**body, "anonymousId": "session-7"}).status_code == 200
    expect_event(type="identify", anonymous_id="session-7", user_id=None)
