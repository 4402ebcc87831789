"""Two sub-domains share a visitor: logout and login on one hold on the other, and expired cookies come back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from flows.reference_library import PAGE, stock_site
from pytest_satsuma import Visitor
from satsuma_server import snippet
from satsuma_server.testing import Collector, serving

NO_LOADER = """
    const append = Node.prototype.appendChild;
    Node.prototype.appendChild = function (node) {
        const loader = String(node.src).includes("analytics.min.js");
        return loader && location.hash === "#early" ? node : append.call(this, node);
    };
"""
TRACK = "name => analytics.track(name).then(({event}) => [event.userId ?? null, event.anonymousId])"
LOG_IN = "id => analytics.identify(id, {of: id}).then(() => null)"

Who = tuple[str | None, str]


@pytest.fixture
def site(collector: Collector, page_or_worker: dict[str, Any]) -> Iterator[str]:
    written = snippet("demo", collector.url, options=page_or_worker)
    with serving(stock_site(PAGE.format(title="Sub-domain", snippet=written, body=""))) as url:
        yield url


@pytest.fixture
def on(visitor: Visitor) -> Callable[[str], Callable[..., Any]]:
    """A function that opens a page of ``www`` or ``app``, and returns what runs a script there."""
    port = urlsplit(visitor.base_url).port

    def open_page(name: str, path: str = "/") -> Callable[..., Any]:
        visitor.visit(f"http://{name}.shop.test:{port}{path}")
        return visitor.evaluate

    return open_page


def who(run: Callable[..., Any], name: str = "Looked") -> Who:
    user_id, anonymous_id = run(TRACK, name)
    return user_id, anonymous_id


def log_out(visitor: Visitor) -> None:
    visitor.evaluate("() => { analytics.reset(); }")
    visitor.until(lambda: visitor.identity.cookie_user_id is None, "a worker to have done it")


@pytest.mark.parametrize(("one", "other"), [("www", "app"), ("app", "www")])
def test_logout_and_login_hold_on_both(
    on: Callable[..., Callable[..., Any]], visitor: Visitor, collector: Collector, one: str, other: str
) -> None:
    on(one)(LOG_IN, "ann")
    ann = who(on(other))
    assert ann[0] == "ann"

    on(one)
    log_out(visitor)
    stranger = who(on(other), "Bought")
    assert stranger[0] is None
    assert stranger[1] != ann[1]
    assert who(on(one)) == stranger

    on(one)(LOG_IN, "bob")
    bob = who(on(other), "Bought")
    assert bob == ("bob", stranger[1])
    assert "ann" not in str(visitor.storage.all()), "nor does bob take over her traits"

    # Only the cookies are gone: localStorage of either has them again.
    for name in (other, one):
        visitor.context.clear_cookies()
        assert who(on(name)) == bob

    run = on(other)
    run(LOG_IN, "ann")
    again = who(run)
    assert who(on(one)) == again
    events = collector.wait_for(lambda events: any(event["userId"] == "ann" for event in events[-1:]))
    bought = [event["userId"] for event in events if event.get("event") == "Bought"]
    assert bought == [None, "bob"]


def test_open_pages_hear_of_it(
    on: Callable[..., Callable[..., Any]], visitor: Visitor, second_tab: Callable[[], Visitor]
) -> None:
    here = on("www")
    here(LOG_IN, "ann")
    there = second_tab()
    there.visit(visitor.page.url.replace("www", "app"))
    assert who(there.evaluate)[0] == "ann"
    log_out(visitor)
    stranger = who(there.evaluate)
    assert stranger[0] is None
    there.evaluate(LOG_IN, "bob")
    assert who(here) == ("bob", stranger[1])


def test_a_page_that_is_left_at_once_knows_of_the_logout(
    on: Callable[..., Callable[..., Any]], visitor: Visitor, collector: Collector
) -> None:
    on("www")(LOG_IN, "ann")
    ann = who(on("app"))
    on("www")
    log_out(visitor)
    before = len(collector.events())
    visitor.page.add_init_script(NO_LOADER)
    visitor.page.goto(visitor.page.url.replace("www", "app") + "#early")
    visitor.page.goto("about:blank")
    [event] = collector.wait_for(lambda events: len(events) > before)[before:]
    assert (event["type"], event["userId"]) == ("page", None)
    assert event["anonymousId"] != ann[1]
    assert who(on("app")) == (None, event["anonymousId"])
