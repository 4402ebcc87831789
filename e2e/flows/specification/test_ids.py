"""Ids that are given, overwritten, passed from server to browser, and linked."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from flows.shopper import Shopper
from pytest_satsuma import ExpectEvent, Visitor
from satsuma_server.testing import Collector

Expect = Callable[..., None]


@pytest.mark.specification(
    "an identify with another userId overwrites the one before",
    "what was sent under an old userId keeps it",
)
def test_logging_in_as_another_user_mixes_nothing(
    shopper: Shopper, visitor: Visitor, new_device: Callable[[], Visitor], expect_event: ExpectEvent
) -> None:
    milton = Shopper(new_device()).register("Milton Waddams", "milton@example.com")
    peter = shopper.register()
    signed_up = expect_event("Signed Up", user_id=peter)
    visitor.evaluate("() => analytics.identify({favourite: 'yuzu'}).then(() => null)")
    before = visitor.identity
    assert shopper.login("milton@example.com") == milton != peter

    signed_in = expect_event("Signed In", user_id=milton)
    assert signed_in["anonymousId"] != before.anonymous_id, "the old anonymousId belongs to somebody else"
    assert visitor.identity.traits == {"name": "Milton Waddams", "email": "milton@example.com", "plan": "pips"}
    assert visitor.identity.cookie_user_id == visitor.identity.storage_user_id == milton
    assert expect_event("Signed Up", user_id=peter) == signed_up


@pytest.mark.specification("a userId is whatever static text the site's own database has")
def test_a_user_id_is_kept_as_it_is(visitor: Visitor, expect_event: ExpectEvent) -> None:
    visitor.visit("/")
    for user_id in ("507f191e810c19729de860ea", "0071", "žluťásek; 🍊=1 %20"):
        visitor.evaluate("(id) => analytics.identify(id).then(() => null)", user_id)
        expect_event(type="identify", user_id=user_id)
        visitor.storage.clear()
        visitor.visit("/products/yuzu")
        expect_event("Product Viewed", user_id=user_id)
        assert visitor.identity.cookie_user_id == visitor.identity.storage_user_id == user_id


@pytest.mark.specification(
    "an explicit anonymousId given too late makes two of one visitor, and overwrites the first",
    "an anonymousId that a server made and passed on overwrites the visitor's own",
)
def test_an_anonymous_id_from_a_server_overwrites_the_visitors_own(
    visitor: Visitor, expect_event: ExpectEvent, collector: Collector
) -> None:
    visitor.visit("/")
    own = expect_event(type="page")["anonymousId"]
    visitor.evaluate("() => { analytics.setAnonymousId('server-made-1'); }")
    identity = visitor.identity
    assert identity.cookie_anonymous_id == identity.storage_anonymous_id == "server-made-1"
    visitor.visit("/products/yuzu")
    expect_event("Product Viewed", anonymous_id="server-made-1")
    visitor.evaluate("() => analytics.track('Given', {}, {anonymousId: 'server-made-2'}).then(() => null)")
    expect_event("Given", anonymous_id="server-made-2")
    assert visitor.identity.anonymous_id == "server-made-2", "an id given with a call is the visitor's from then on"
    assert {event["anonymousId"] for event in collector.events()} == {own, "server-made-1", "server-made-2"}


@pytest.mark.specification("any call sets an anonymousId first where there is none")
def test_an_explicit_anonymous_id_given_in_time_is_the_only_one(
    visitor: Visitor, expect_event: ExpectEvent, collector: Collector
) -> None:
    visitor.page.add_init_script("""
        addEventListener("readystatechange", () => analytics.setAnonymousId("from-a-session"),
            {once: true, capture: true});""")
    visitor.visit("/products/yuzu")
    expect_event("Product Viewed", anonymous_id="from-a-session")
    expect_event(type="page", anonymous_id="from-a-session")
    assert {event["anonymousId"] for event in collector.events()} == {"from-a-session"}
    assert visitor.identity.cookie_anonymous_id == "from-a-session"


@pytest.mark.specification("an anonymousId that a server made and passed on overwrites the visitor's own")
def test_an_anonymous_id_in_a_servers_cookie_overwrites_the_one_in_local_storage(
    visitor: Visitor, expect_event: ExpectEvent
) -> None:
    visitor.visit("/")
    visitor.cookies.tamper("ajs_anonymous_id", "from-the-server")
    visitor.visit("/products/yuzu")
    expect_event("Product Viewed", anonymous_id="from-the-server")
    assert visitor.identity.storage_anonymous_id == "from-the-server"


@pytest.mark.specification(
    "the page can read its anonymousId and pass it to a server",
    "an identify from a server is kept beside the browser's, under the same ids",
    "a userId that a server passed to the page joins the existing anonymousId in cookie and localStorage",
)
def test_server_and_browser_tell_of_the_same_person(
    visitor: Visitor, expect_event: ExpectEvent, expect_identified: Expect, collector: Collector
) -> None:
    visitor.visit("/")
    anonymous_id = visitor.evaluate("() => analytics.user().anonymousId()")
    told = {"userId": "server-user", "anonymousId": anonymous_id, "traits": {"salary": 1}, "writeKey": "demo"}
    assert httpx.post(f"{collector.url}/v1/identify", json=told, trust_env=False).status_code == 200
    expect_event(type="identify", user_id="server-user", anonymous_id=anonymous_id, traits={"salary": 1})
    assert visitor.identity.user_id is None, "the browser doesn't hear of it"

    visitor.evaluate("() => analytics.identify('server-user').then(() => null)")
    expect_identified(visitor, "server-user")
    identity = visitor.identity
    assert identity.cookie_user_id == identity.storage_user_id == "server-user"
    assert identity.cookie_anonymous_id == identity.storage_anonymous_id == anonymous_id
    visitor.visit("/products/yuzu")
    expect_event("Product Viewed", user_id="server-user", anonymous_id=anonymous_id)


@pytest.mark.specification(
    "an alias links the browser's anonymous visitor to a userId that a server gave",
    "an alias made before the identify arrives before it",
)
def test_an_alias_before_the_identify_links_the_anonymous_visitor(
    visitor: Visitor, expect_order: Callable[..., list[dict[str, object]]]
) -> None:
    visitor.visit("/")
    anonymous_id = visitor.identity.anonymous_id
    visitor.evaluate("""async () => {
        await analytics.alias("u1");
        await analytics.identify("u1", {plan: "pips"});
        await analytics.track("Linked");
    }""")
    _, alias, identify, linked = expect_order("page", "alias", "identify", "Linked")
    assert (alias["userId"], alias["previousId"]) == ("u1", anonymous_id)
    assert identify["anonymousId"] == linked["anonymousId"] == anonymous_id
    assert visitor.identity.user_id == "u1"
