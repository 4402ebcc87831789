"""The life of an identity, as the specification tells it, in a real browser, to the rows of a real collector."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from pytest_satsuma import Visitor
from satsuma_server.testing import Collector
from shopper import Shopper

Event = dict[str, Any]
Stored = Callable[..., Event]

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
ISO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
MESSAGE_ID = re.compile(r"ajs-[0-9a-f]{32}")
TIMES = ("originalTimestamp", "receivedAt", "sentAt", "timestamp")


def check_envelope(event: Event, visitor: Visitor) -> None:
    """Check what every payload of the specification has."""
    assert MESSAGE_ID.fullmatch(event["messageId"])
    assert UUID.fullmatch(event["anonymousId"])
    assert all(ISO_TIME.fullmatch(event[name]) for name in TIMES)
    assert event["originalTimestamp"] <= event["sentAt"]
    assert event["timestamp"] <= event["receivedAt"]
    assert event["integrations"] == {}
    context = event["context"]
    assert context["ip"] == "127.0.0.1"
    assert context["library"] == {"name": "analytics.js", "version": "satsuma-0.1.0"}
    assert context["locale"] == visitor.evaluate("() => navigator.language")
    assert context["userAgent"] == visitor.evaluate("() => navigator.userAgent")
    assert set(context["page"]) == {"path", "referrer", "search", "title", "url"}


def test_first_visit_makes_an_anonymous_id_and_a_page_event(visitor: Visitor, stored: Stored, site: str) -> None:
    """«The Segment SDK generates and sets anonymousId.»"""
    visitor.visit("/")
    page = stored("page")
    check_envelope(page, visitor)
    assert page["userId"] is None
    expected = {
        "path": "/",
        "referrer": "",
        "search": "",
        "title": "Satsuma Grove: citrus, one segment at a time",
        "url": f"{site}/",
    }
    assert page["context"]["page"] == expected
    assert page["properties"] == expected

    anonymous_id = page["anonymousId"]
    assert visitor.cookies.read() == f"ajs_anonymous_id={anonymous_id}"
    assert visitor.storage.all() == {"ajs_anonymous_id": json.dumps(anonymous_id), "ajs_user_id": "null"}


def test_the_cookie_lives_one_year_on_the_whole_site(visitor: Visitor) -> None:
    """«The Segment ID cookie is set with a one year expiration.»"""
    visitor.visit("/products/yuzu")
    cookie = visitor.cookies.all()["ajs_anonymous_id"]
    assert cookie.expires_in_days is not None
    assert 364.9 < cookie.expires_in_days <= 365
    assert (cookie.path, cookie.same_site, cookie.secure) == ("/", "Lax", False)


def test_soft_registration_sends_traits_and_no_user_id(shopper: Shopper, visitor: Visitor, stored: Stored) -> None:
    """«You'll notice the Identify call contains no userId.»"""
    visitor.visit("/")
    first_page = stored("page")
    shopper.subscribe("Joe", "Visitor", "jvisitor@thissite.com")
    identify = stored("identify")
    check_envelope(identify, visitor)
    traits = {"firstName": "Joe", "lastName": "Visitor", "email": "jvisitor@thissite.com"}
    assert identify["traits"] == traits
    assert identify["userId"] is None
    assert identify["anonymousId"] == first_page["anonymousId"]
    assert identify["context"]["page"]["title"] == "Harvest letters · Satsuma Grove"
    assert visitor.identity.traits == traits
    assert visitor.identity.user_id is None
    assert "ajs_user_id" not in visitor.cookies.read()
    assert stored("track", "Newsletter Subscribed")["userId"] is None


def test_full_registration_carries_both_ids_ever_after(
    shopper: Shopper, visitor: Visitor, stored: Stored, collector: Collector
) -> None:
    """«The payload now has both a userId and an anonymousId attributed to the user.»"""
    shopper.subscribe("Joe", "Visitor", "jvisitor@thissite.com")
    anonymous_id = stored("identify")["anonymousId"]
    user_id = shopper.register("Peter Gibbons", "peter@example.com")

    signed_up = stored("track", "Signed Up")
    identify = stored("identify", count=2)
    check_envelope(identify, visitor)
    check_envelope(signed_up, visitor)
    assert (identify["userId"], identify["anonymousId"]) == (user_id, anonymous_id)
    assert identify["traits"] == {
        "firstName": "Joe",
        "lastName": "Visitor",
        "email": "peter@example.com",
        "name": "Peter Gibbons",
        "plan": "pips",
    }
    assert (signed_up["userId"], signed_up["anonymousId"]) == (user_id, anonymous_id)
    assert signed_up["properties"] == {"plan": "pips"}
    assert identify["seq"] < signed_up["seq"], "identify comes first, then what caused it"

    assert f"ajs_user_id={user_id}" in visitor.cookies.read()
    assert visitor.identity.storage_user_id == user_id
    visitor.visit("/products/pomelo")
    viewed = stored("track", "Product Viewed")
    assert (viewed["userId"], viewed["anonymousId"]) == (user_id, anonymous_id)
    assert {event["anonymousId"] for event in collector.events()} == {anonymous_id}


def test_a_reload_keeps_the_visitor(visitor: Visitor, stored: Stored) -> None:
    """«That anonymousId … will stick with that user.»"""
    visitor.visit("/")
    before = visitor.identity
    visitor.page.reload()
    visitor.wait_for_boot()
    assert visitor.identity == before
    assert stored("page", count=2)["anonymousId"] == before.anonymous_id


def test_an_expired_cookie_is_restored_from_local_storage(shopper: Shopper, visitor: Visitor, stored: Stored) -> None:
    """«If a user returns to your site after the cookie expires, Analytics.js looks for an old ID in localStorage.»"""
    user_id = shopper.register("Peter Gibbons", "peter@example.com")
    before = visitor.identity
    stored("track", "Signed Up")
    visitor.cookies.expire()
    assert "ajs_" not in visitor.cookies.read()

    visitor.visit("/products/yuzu")
    assert visitor.identity == before
    assert f"ajs_user_id={user_id}" in visitor.cookies.read()
    restored = visitor.cookies.all()["ajs_user_id"].expires_in_days
    assert restored is not None
    assert restored > 364.9
    viewed = stored("track", "Product Viewed")
    assert (viewed["userId"], viewed["anonymousId"]) == (user_id, before.anonymous_id)


def test_cleared_local_storage_is_restored_from_the_cookie(visitor: Visitor) -> None:
    visitor.visit("/")
    before = visitor.identity.anonymous_id
    visitor.storage.clear()
    visitor.visit("/")
    assert visitor.identity.storage_anonymous_id == before


def test_clearing_both_gives_a_completely_new_visitor(shopper: Shopper, visitor: Visitor, stored: Stored) -> None:
    """«If the user clears their cookies and localStorage, all of the IDs are removed.»"""
    shopper.register("Peter Gibbons", "peter@example.com")
    stored("track", "Signed Up")
    before = visitor.identity
    visitor.storage.clear()
    visitor.cookies.clear()

    visitor.visit("/products/yuzu")
    viewed = stored("track", "Product Viewed")
    assert viewed["userId"] is None
    assert viewed["anonymousId"] != before.anonymous_id
    assert visitor.identity.user_id is None
    assert visitor.identity.traits is None


def test_logging_out_resets_and_the_next_call_has_a_new_anonymous_id(
    shopper: Shopper, visitor: Visitor, stored: Stored
) -> None:
    """«If you call reset …, it removes both their userId and anonymousId.»"""
    user_id = shopper.register("Peter Gibbons", "peter@example.com")
    before = visitor.identity
    shopper.logout()
    signed_out = stored("track", "Signed Out")
    assert signed_out["userId"] == user_id
    visitor.until(lambda: "ajs_" not in visitor.cookies.read(), "reset to remove the cookies")
    assert "ajs_user_traits" not in visitor.storage.all()

    visitor.visit("/products/yuzu")
    viewed = stored("track", "Product Viewed")
    assert viewed["userId"] is None
    assert viewed["anonymousId"] not in (None, before.anonymous_id)


def test_logging_in_as_another_user_mixes_nothing(
    shopper: Shopper, visitor: Visitor, new_device: Callable[[], Visitor], stored: Stored
) -> None:
    """«If you call identify with a userId that is different …, this can overwrite the existing one.»"""
    elsewhere = Shopper(new_device())
    other_id = elsewhere.register("Milton Waddams", "milton@example.com")

    peter_id = shopper.register("Peter Gibbons", "peter@example.com")
    before = visitor.identity
    now_id = shopper.login("milton@example.com")
    assert now_id == other_id != peter_id

    signed_in = stored("track", "Signed In")
    assert signed_in["userId"] == other_id
    assert signed_in["anonymousId"] != before.anonymous_id, "the old anonymousId belongs to somebody else"
    assert visitor.identity.traits == {"name": "Milton Waddams", "email": "milton@example.com", "plan": "pips"}
    assert visitor.identity.cookie_user_id == other_id


def test_two_devices_of_one_user_keep_their_own_anonymous_ids(
    shopper: Shopper, new_device: Callable[[], Visitor], visitor: Visitor, stored: Stored
) -> None:
    """«In this case, both sessions on the web and mobile app receive the user's userId.»"""
    user_id = shopper.register("Peter Gibbons", "peter@example.com")
    phone = Shopper(new_device())
    assert phone.login("peter@example.com") == user_id
    signed_up, signed_in = stored("track", "Signed Up"), stored("track", "Signed In")
    assert signed_up["userId"] == signed_in["userId"] == user_id
    assert signed_up["anonymousId"] != signed_in["anonymousId"]
