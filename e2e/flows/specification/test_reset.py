"""Reset, and who logs out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flows.shopper import Shopper
from pytest_satsuma import ExpectEvent, Visitor

Expect = Callable[..., None]
IDS = {"ajs_user_id", "ajs_anonymous_id", "ajs_group_id"}
TRAITS = {"ajs_user_traits", "ajs_group_properties"}
RULE = "reset removes userId and anonymousId, and the next visit has a new anonymousId"


def kept(visitor: Visitor) -> set[str]:
    """Return the keys under which localStorage has something: an id that was asked for and is not there is null."""
    return {key for key, text in visitor.storage.all().items() if text != "null"}


@pytest.mark.specification(RULE)
def test_reset_removes_everything_and_the_next_visit_is_somebody_new(
    visitor: Visitor, expect_new_visitor: Expect, expect_event: ExpectEvent
) -> None:
    visitor.visit("/")
    visitor.evaluate("""async () => {
        await analytics.identify("u1", {plan: "pips"});
        await analytics.group("g1", {employees: 3});
    }""")
    before = visitor.identity
    assert before.group_id == "g1"
    visitor.evaluate("() => { analytics.reset(); }")
    # Where Python is not in the page, the page is told a moment later what to remove.
    visitor.until(lambda: visitor.cookies.all().keys().isdisjoint(IDS), "the ids to leave the cookies")
    visitor.until(lambda: kept(visitor).isdisjoint(IDS | TRAITS), "all of it to leave localStorage")
    visitor.visit("/products/yuzu")
    expect_new_visitor(before, visitor)
    expect_event("Product Viewed", user_id=None, anonymous_id=visitor.identity.anonymous_id)
    assert not visitor.identity.traits
    assert visitor.identity.group_id is None


@pytest.mark.specification(RULE, "any call sets an anonymousId first where there is none")
def test_a_call_after_reset_is_of_somebody_new_in_the_same_session(visitor: Visitor, expect_event: ExpectEvent) -> None:
    visitor.visit("/")
    visitor.evaluate("() => analytics.identify('u1', {plan: 'pips'}).then(() => null)")
    before = visitor.identity
    visitor.evaluate("() => { analytics.reset(); return analytics.track('After').then(() => null); }")
    after = expect_event("After", user_id=None)
    assert after["anonymousId"] not in (None, before.anonymous_id)
    assert visitor.identity.cookie_anonymous_id == after["anonymousId"]
    visitor.visit("/products/yuzu")
    expect_event("Product Viewed", user_id=None, anonymous_id=after["anonymousId"])
    visitor.evaluate("() => analytics.identify({newsletter: true}).then(() => null)")
    assert visitor.identity.traits == {"newsletter": True}, "nothing of the one before is among the traits"


@pytest.mark.specification(RULE, "logging in is an identify")
def test_who_logs_out_is_reset_and_who_logs_in_is_known_again(
    shopper: Shopper, visitor: Visitor, expect_event: ExpectEvent, expect_new_visitor: Expect, expect_identified: Expect
) -> None:
    user_id = shopper.register()
    before = visitor.identity
    shopper.logout()
    expect_event("Signed Out")
    visitor.visit("/products/yuzu")
    expect_new_visitor(before, visitor)
    between = expect_event("Product Viewed", user_id=None)
    assert shopper.login() == user_id
    expect_identified(visitor, user_id, traits={"email": "peter@example.com"})
    expect_event("Signed In", user_id=user_id, anonymous_id=between["anonymousId"])
    expect_event(type="identify", user_id=user_id, traits={"name": "Peter Gibbons"}, count=2)
