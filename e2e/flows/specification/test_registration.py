"""From anonymous to known: the newsletter, the sign-up, the profile."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flows.shopper import Shopper
from flows.specification.test_first_visit import check_envelope
from pytest_satsuma import ExpectEvent, Visitor
from satsuma_server.testing import Collector

JOE = {"firstName": "Joe", "lastName": "Visitor", "email": "jvisitor@thissite.com"}
EARLY = "calls made before it is up are played by their kind, so a track comes before the identify that it follows"


@pytest.mark.specification(
    "a newsletter sign-up is an identify",
    "an identify without a userId carries the traits under the anonymousId of cookie and localStorage",
    "identify keeps the traits in localStorage",
)
def test_soft_registration_sends_traits_and_no_user_id(
    shopper: Shopper, visitor: Visitor, expect_event: ExpectEvent
) -> None:
    visitor.visit("/")
    first_page = expect_event(type="page")
    shopper.subscribe(*JOE.values())
    identify = expect_event(type="identify", user_id=None, anonymous_id=first_page["anonymousId"])
    check_envelope(identify, visitor)
    assert identify["traits"] == JOE
    identity = visitor.identity
    assert identity.traits == JOE
    assert identity.cookie_anonymous_id == identity.storage_anonymous_id == identify["anonymousId"]
    assert identity.user_id is None
    expect_event("Newsletter Subscribed", user_id=None, anonymous_id=identify["anonymousId"])


@pytest.mark.specification(
    "making a user is an identify",
    "who registers is identified, and the anonymousId goes along with the new userId",
    "an identify with a userId carries both ids, and the new traits",
    "identify keeps the userId in the browser's cookie",
    "calls made by the welcome page arrive",
)
def test_full_registration_carries_both_ids(
    shopper: Shopper, visitor: Visitor, expect_event: ExpectEvent, expect_identified: Callable[..., None]
) -> None:
    shopper.subscribe(*JOE.values())
    anonymous_id = expect_event(type="identify")["anonymousId"]
    user_id = shopper.register()
    traits = {**JOE, "email": "peter@example.com", "name": "Peter Gibbons", "plan": "pips"}
    identify = expect_event(type="identify", user_id=user_id, anonymous_id=anonymous_id)
    check_envelope(identify, visitor)
    assert identify["traits"] == traits
    expect_event("Signed Up")
    expect_identified(visitor, user_id)
    identity = visitor.identity
    assert (identity.cookie_user_id, identity.storage_user_id) == (user_id, user_id)
    assert identity.anonymous_id == anonymous_id
    assert identity.traits == traits


@pytest.mark.specification(
    "on sign-up identify and track come in that order",
    "a track that tells the cause follows the identify",
    "the track after the identify carries both ids and its properties",
)
@pytest.mark.only_satsuma(EARLY)
def test_the_sign_up_is_an_identify_and_then_its_cause(
    shopper: Shopper, visitor: Visitor, expect_order: Callable[..., list[dict[str, object]]]
) -> None:
    user_id = shopper.register()
    _, identify, signed_up = expect_order("page", "identify", "Signed Up")
    assert identify["userId"] == signed_up["userId"] == user_id
    assert identify["anonymousId"] == signed_up["anonymousId"] == visitor.identity.anonymous_id
    assert signed_up["properties"] == {"plan": "pips"}


@pytest.mark.specification(
    "the userId goes with all later page and track calls",
    "after the identify every call carries both ids",
)
def test_every_later_call_carries_both_ids(visitor: Visitor, expect_event: ExpectEvent, collector: Collector) -> None:
    visitor.visit("/")
    first = expect_event(type="page", user_id=None)
    visitor.evaluate("() => analytics.identify('u1').then(() => null)")
    identify = expect_event(type="identify")
    visitor.visit("/products/pomelo")
    expect_event("Product Viewed")
    visitor.evaluate("""async () => {
        await analytics.page("Docs", "Peeling");
        await analytics.screen("Basket");
        await analytics.group("g1");
        await analytics.identify({age: 7});
    }""")
    expect_event(type="identify", traits={"age": 7})
    later = [event for event in collector.events() if event["seq"] >= identify["seq"]]
    assert {event["type"] for event in later} == {"identify", "page", "screen", "group", "track"}
    assert {(event["userId"], event["anonymousId"]) for event in later} == {("u1", first["anonymousId"])}


@pytest.mark.specification("after the identify every call carries both ids")
def test_who_is_identified_in_one_tab_is_known_in_the_other(
    visitor: Visitor, second_tab: Callable[[], Visitor], expect_event: ExpectEvent
) -> None:
    visitor.visit("/")
    other = second_tab()
    other.visit("/")
    assert other.identity == visitor.identity
    visitor.evaluate("() => analytics.identify('u1', {plan: 'pips'}).then(() => null)")
    other.evaluate("() => analytics.track('Elsewhere').then(() => null)")
    expect_event("Elsewhere", user_id="u1", anonymous_id=visitor.identity.anonymous_id)


@pytest.mark.specification(
    "a changed profile is an identify",
    "an e-mail address is a trait, and an id stays when it changes",
    "what was sent under an old userId keeps it",
)
def test_a_new_e_mail_address_is_a_new_trait_of_the_same_user(
    shopper: Shopper, visitor: Visitor, expect_event: ExpectEvent
) -> None:
    user_id = shopper.register()
    before = expect_event("Signed Up")
    shopper.change(email="gibbons@example.com")
    changed = expect_event(type="identify", user_id=user_id, traits={"email": "gibbons@example.com"})
    assert changed["anonymousId"] == before["anonymousId"]
    assert visitor.identity.user_id == user_id
    assert (visitor.identity.traits or {})["email"] == "gibbons@example.com"


@pytest.mark.specification(
    "a page that redirects right after the sign-up calls loses none of them",
)
@pytest.mark.only_satsuma("a call made right before a redirect may be lost")
def test_a_redirect_right_after_the_sign_up_loses_nothing(
    visitor: Visitor, expect_order: Callable[..., list[dict[str, object]]]
) -> None:
    visitor.visit("/register")
    with visitor.page.expect_navigation():
        visitor.page.evaluate("""() => {
            analytics.identify("u1", {plan: "pips"});
            analytics.track("Signed Up", {plan: "pips"});
            location.href = "/products/yuzu";
        }""")
    _, identify, signed_up, viewed = expect_order("page", "identify", "Signed Up", "Product Viewed")
    assert {event["userId"] for event in (identify, signed_up, viewed)} == {"u1"}
    assert len({event["anonymousId"] for event in (identify, signed_up, viewed)}) == 1
