"""A second cookie of the same name, host-only or of a path, keeps nobody logged in and gives nobody another's id."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from flows.reference_library import PAGE, stock_site
from pytest_satsuma import Visitor
from satsuma_server import snippet
from satsuma_server.testing import Collector, serving

TRACK = "name => analytics.track(name).then(({event}) => [event.userId ?? null, event.anonymousId])"
LOG_IN = "id => analytics.identify(id).then(() => null)"
STRAYS = """([attributes, values]) => {
    const made = Object.entries(values).map(([name, value]) => `${name}=${value}; max-age=9000; ${attributes}`);
    for (const cookie of made) document.cookie = cookie;
}"""
NAMES = ("ajs_anonymous_id", "ajs_user_id")
PLACES = ("", "path=/account", "domain=www.shop.test")


@pytest.fixture
def site(collector: Collector, page_or_worker: dict[str, Any]) -> Iterator[str]:
    written = snippet("demo", collector.url, options=page_or_worker)
    with serving(stock_site(PAGE.format(title="Strays", snippet=written, body=""))) as url:
        yield url


@pytest.fixture
def to(visitor: Visitor) -> Callable[[str], Callable[..., Any]]:
    """A function that opens a path, and returns what runs a script there."""
    port = urlsplit(visitor.base_url).port

    def open_page(path: str = "/account/orders") -> Callable[..., Any]:
        visitor.visit(f"http://www.shop.test:{port}{path}")
        return visitor.evaluate

    return open_page


def who(run: Callable[..., Any]) -> tuple[str | None, str]:
    user_id, anonymous_id = run(TRACK, "Looked")
    return user_id, anonymous_id


def leave(run: Callable[..., Any], values: dict[str, str]) -> None:
    for place in PLACES:
        run(STRAYS, [place, values])


def cookies(visitor: Visitor) -> dict[str, list[str]]:
    found = visitor.context.cookies()
    return {name: [one["value"] for one in found if one["name"] == name] for name in NAMES}


def test_a_logout_holds_and_nobody_gets_anothers_anonymous_id(
    to: Callable[..., Callable[..., Any]], visitor: Visitor
) -> None:
    run = to()
    run(LOG_IN, "ann")
    ann = who(run)[1]
    leave(run, {"ajs_anonymous_id": ann, "ajs_user_id": "ann"})
    run("() => { analytics.reset(); }")
    user_id, anonymous_id = who(run)
    assert user_id is None
    assert anonymous_id != ann
    run(LOG_IN, "bob")
    assert who(run) == ("bob", anonymous_id)
    assert who(to()) == ("bob", anonymous_id)
    assert cookies(visitor) == {"ajs_anonymous_id": [anonymous_id], "ajs_user_id": ["bob"]}


def test_an_anonymous_id_that_is_set_counts_and_a_no_leaves_none(
    to: Callable[..., Callable[..., Any]], visitor: Visitor
) -> None:
    run = to()
    run(LOG_IN, "ann")
    leave(run, {"ajs_anonymous_id": "stray"})
    run("() => { analytics.setAnonymousId('mine'); }")
    assert who(run) == ("ann", "mine")
    assert who(to()) == ("ann", "mine")
    assert cookies(visitor)["ajs_anonymous_id"] == ["mine"]
    leave(run, {"ajs_anonymous_id": "stray", "ajs_user_id": "ann"})
    run("() => { analytics.consent(false); }")
    visitor.until(lambda: cookies(visitor) == {name: [] for name in NAMES}, "all cookies to be gone")


def test_what_an_older_cookie_says_is_not_believed_on_the_next_page(
    to: Callable[..., Callable[..., Any]], visitor: Visitor, collector: Collector
) -> None:
    # The browser shows those of a longer path first.
    run = to("/")
    run(STRAYS, ["path=/account", {"ajs_anonymous_id": "a-anns", "ajs_user_id": "ann"}])
    run(LOG_IN, "ann")
    run("() => { analytics.reset(); }")
    run(LOG_IN, "bob")
    bob = who(run)
    assert who(to()) == bob
    events = collector.wait_for(lambda events: len([event for event in events if event.get("event") == "Looked"]) == 2)
    assert {event["anonymousId"] for event in events[-2:]} == {bob[1]}
    assert cookies(visitor) == {"ajs_anonymous_id": [bob[1]], "ajs_user_id": ["bob"]}


def test_a_logout_on_another_sub_domain_holds_where_strays_are_left(
    to: Callable[..., Callable[..., Any]], visitor: Visitor
) -> None:
    run = to()
    run(LOG_IN, "ann")
    ann = who(run)[1]
    run(STRAYS, ["", {"ajs_anonymous_id": ann, "ajs_user_id": "ann"}])
    visitor.visit(visitor.page.url.replace("www", "app"))
    visitor.evaluate("() => { analytics.reset(); }")
    visitor.until(lambda: visitor.identity.cookie_user_id is None, "a worker to have done it")
    user_id, anonymous_id = who(to())
    assert user_id is None
    assert anonymous_id != ann
    assert cookies(visitor) == {"ajs_anonymous_id": [anonymous_id], "ajs_user_id": []}


@pytest.mark.parametrize("page_or_worker", [{}], ids=["page"], indirect=False)
def test_what_can_not_be_removed_is_told(
    to: Callable[..., Callable[..., Any]], visitor: Visitor, warnings: list[str], page_or_worker: dict[str, Any]
) -> None:
    # A script that sets it again and again can't be told from a cookie that can't be removed.
    visitor.page.add_init_script("""
        const {get, set} = Object.getOwnPropertyDescriptor(Document.prototype, "cookie");
        Object.defineProperty(document, "cookie", {configurable: true, get: () => get.call(document), set(text) {
            set.call(document, text);
            if (window.stubborn) set.call(document, "ajs_user_id=ann; max-age=9000");
        }});
    """)
    run = to()
    run(LOG_IN, "ann")
    run("() => { window.stubborn = true; document.cookie = 'other=1'; }")
    run("() => { analytics.reset(); }")
    told = run("() => analytics.track('Told').then(({event}) => event.context.satsuma.strays)")
    assert told == ["ajs_user_id:stays"]
    run("() => { analytics.reset(); }")
    run(TRACK, "Later")
    assert len([text for text in warnings if "another cookie ajs_user_id" in text]) == 1
    assert visitor.errors == []
