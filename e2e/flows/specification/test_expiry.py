"""Cookies that expire, and stores that are cleared."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flows.shopper import Shopper
from pytest_satsuma import ExpectEvent, Visitor
from satsuma_server.testing import Collector

Expect = Callable[..., None]
YEAR = 366
KNOW = "() => analytics.identify('u1', {plan: 'pips'}).then(() => null)"


@pytest.mark.specification(
    "an expired cookie is set anew from the id that localStorage still has",
    "the anonymousId stays until it is cleared or reset",
)
def test_a_known_visitor_is_still_known_after_a_year(
    shopper: Shopper, visitor: Visitor, expect_event: ExpectEvent, expect_same_visitor: Expect
) -> None:
    user_id = shopper.register()
    expect_event("Signed Up")
    before = visitor.identity
    visitor.after(days=YEAR)
    assert visitor.cookies.all().keys().isdisjoint({"ajs_user_id", "ajs_anonymous_id"})
    assert visitor.identity.storage_user_id == user_id

    visitor.visit("/products/yuzu")
    expect_same_visitor(before, visitor)
    assert visitor.identity == before
    for name in ("ajs_user_id", "ajs_anonymous_id"):
        left = visitor.cookies.all()[name].expires_in_days
        assert left is not None and left > 364.9, f"{name} is a new cookie, with a year of its own"
    expect_event("Product Viewed", user_id=user_id, anonymous_id=before.anonymous_id)


@pytest.mark.specification("an expired cookie is set anew from the id that localStorage still has")
def test_a_single_cookie_that_expires_in_real_time_is_set_anew(visitor: Visitor) -> None:
    visitor.visit("/")
    visitor.evaluate(KNOW)
    before = visitor.identity
    for name in ("ajs_user_id", "ajs_anonymous_id"):
        visitor.cookies.expire(name)
        assert name not in visitor.cookies.read()
        visitor.visit("/")
        assert visitor.identity == before


@pytest.mark.specification("who clears cookies and localStorage has no ids left, and gets a completely new anonymousId")
def test_an_expired_cookie_with_nothing_in_local_storage_makes_a_new_visitor(
    visitor: Visitor, expect_new_visitor: Expect
) -> None:
    visitor.visit("/")
    visitor.evaluate(KNOW)
    before = visitor.identity
    visitor.cookies.expire()
    visitor.storage.clear()
    visitor.visit("/")
    expect_new_visitor(before, visitor)
    assert not visitor.identity.traits


@pytest.mark.specification("the anonymousId stays until it is cleared or reset")
def test_clearing_one_of_both_leaves_the_visitor_who_they_are(visitor: Visitor, expect_same_visitor: Expect) -> None:
    visitor.visit("/")
    visitor.evaluate(KNOW)
    before = visitor.identity
    for clear, traits in ((None, {"plan": "pips"}), (visitor.cookies, {"plan": "pips"}), (visitor.storage, {})):
        if clear is not None:
            clear.clear()
        visitor.visit("/")
        expect_same_visitor(before, visitor)
        now = visitor.identity
        assert (now.cookie_user_id, now.cookie_anonymous_id) == ("u1", before.anonymous_id), "the cookies are healed"
        assert (now.storage_user_id, now.storage_anonymous_id) == ("u1", before.anonymous_id), "so is localStorage"
        assert (now.traits or {}) == traits, "traits are in localStorage only"


@pytest.mark.specification(
    "who clears cookies and localStorage has no ids left, and gets a completely new anonymousId",
    "who cleared both in between signs up under a new anonymousId, without what went before",
)
def test_clearing_both_gives_a_completely_new_visitor(
    shopper: Shopper, visitor: Visitor, expect_event: ExpectEvent, expect_new_visitor: Expect, collector: Collector
) -> None:
    visitor.visit("/products/yuzu")
    viewed = expect_event("Product Viewed")
    before = visitor.identity
    visitor.storage.clear()
    visitor.cookies.clear()
    assert visitor.identity.is_empty

    visitor.visit("/")
    expect_new_visitor(before, visitor)
    user_id = shopper.register()
    signed_up = expect_event("Signed Up", user_id=user_id)
    assert signed_up["anonymousId"] != viewed["anonymousId"]
    earlier = [event for event in collector.events() if event["anonymousId"] == viewed["anonymousId"]]
    assert {event["userId"] for event in earlier} == {None}


@pytest.mark.specification(
    "days later, on the same device, who signs up is still the anonymousId of the first visit",
    "the anonymousId links what a visitor does on different pages and days",
)
def test_who_signs_up_two_days_later_is_who_they_were(
    shopper: Shopper, visitor: Visitor, expect_event: ExpectEvent, collector: Collector
) -> None:
    visitor.visit("/?utm_source=ad")
    first = expect_event(type="page")
    visitor.leave()
    visitor.after(days=2)
    user_id = shopper.register()
    expect_event("Signed Up", user_id=user_id, anonymous_id=first["anonymousId"])
    assert {event["anonymousId"] for event in collector.events()} == {first["anonymousId"]}


@pytest.mark.specification("the id's cookie lives one year", "the anonymousId stays until it is cleared or reset")
def test_who_comes_back_within_the_year_has_a_year_again(visitor: Visitor, expect_same_visitor: Expect) -> None:
    visitor.visit("/")
    before = visitor.identity
    visitor.after(days=200)
    visitor.visit("/")
    visitor.storage.clear()
    visitor.after(days=300)
    assert "ajs_anonymous_id" in visitor.cookies.all(), "it was renewed 300 days ago, and made 500 days ago"
    visitor.visit("/")
    expect_same_visitor(before, visitor)


@pytest.mark.specification("an expired cookie is set anew from the id that localStorage still has")
def test_where_cookies_are_blocked_local_storage_alone_knows_the_visitor(
    visitor: Visitor, expect_same_visitor: Expect
) -> None:
    visitor.visit("/")
    visitor.evaluate(KNOW)
    before = visitor.identity
    visitor.block_cookies()
    visitor.visit("/")
    expect_same_visitor(before, visitor)
    assert visitor.identity.cookie_anonymous_id is None
