"""A page whose loader never comes, since an ad blocker stops it: its calls arrive, and cost the page little."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flows.reference_library import PAGE, stock_site
from playwright.sync_api import Route
from pytest_satsuma import Visitor
from satsuma_server import snippet
from satsuma_server.testing import Collector, serving

SPY = """
    window.written = [];
    const set = Storage.prototype.setItem;
    Storage.prototype.setItem = function (key, text) {
        if (key.startsWith("satsuma_early:")) written.push(text.length);
        return set.call(this, key, text);
    };
"""

NO_LOADER = """
    const append = Node.prototype.appendChild;
    Node.prototype.appendChild = function (node) {
        return String(node.src).includes("analytics.min.js") ? node : append.call(this, node);
    };
"""
"""The loader neither comes nor fails."""


@pytest.fixture
def site(collector: Collector) -> Iterator[str]:
    """A page with nothing but the snippet."""
    with serving(stock_site(PAGE.format(title="Blocked", snippet=snippet("blocked", collector.url), body=""))) as url:
        yield url


@pytest.fixture
def warnings(visitor: Visitor) -> Iterator[list[str]]:
    """What the page's console has been told by Satsuma, where the loader is blocked from the first visit on."""
    told: list[str] = []
    visitor.page.on("console", lambda message: told.append(message.text) if "[satsuma]" in message.text else None)
    visitor.page.add_init_script(SPY)
    visitor.page.route("**/analytics.min.js", lambda route: route.abort())
    with visitor.page.expect_event("requestfailed"):
        visitor.page.goto(visitor.base_url)
    yield told
    visitor.errors.clear()  # The browser itself tells of the script that did not load.


def kept(visitor: Visitor) -> str:
    text: str = visitor.evaluate(
        "() => Object.entries(localStorage).find(([name]) => name.startsWith('satsuma_early:'))[1]"
    )
    return text


def test_many_calls_are_written_a_few_times_and_all_arrive(
    visitor: Visitor, collector: Collector, warnings: list[str]
) -> None:
    written = visitor.evaluate("""() => {
        written.length = 0;
        analytics.identify("u1");
        for (let n = 0; n < 450; n++) analytics.track(`E${n}`);
        return written;
    }""")
    assert len(written) < 60, "where each call wrote them all, it would be 451"
    events = collector.wait_for(lambda events: len(events) >= 452, seconds=60)
    tracked = [event for event in events if event["type"] == "track"]
    assert {event["event"] for event in tracked} == {f"E{n}" for n in range(450)}
    assert {event["userId"] for event in tracked} == {"u1"}
    assert len({event["anonymousId"] for event in events}) == 1
    assert len([text for text in warnings if "could not be loaded" in text]) == 1


def test_the_last_call_of_many_is_kept_while_the_loader_is_on_its_way(visitor: Visitor) -> None:
    visitor.page.add_init_script(NO_LOADER)
    visitor.page.goto(visitor.base_url)
    visitor.evaluate("() => { for (let n = 0; n < 99; n++) analytics.track(`E${n}`); }")
    visitor.until(lambda: "E98" in kept(visitor), "the call to be kept")


def test_what_a_page_holds_is_bounded_and_who_the_visitor_is_has_its_place(
    visitor: Visitor, collector: Collector, warnings: list[str]
) -> None:
    size = visitor.evaluate("""() => {
        // All beacons are refused, as where another library has filled the browser's room for them.
        navigator.sendBeacon = () => false;
        analytics.identify("u1");
        for (let n = 0; n < 80; n++) analytics.track(`E${n}`, {text: "x".repeat(40_000)});
        analytics.group("g1");
        return analytics.length;
    }""")
    assert 40 < size < 60, "two million characters"
    visitor.until(lambda: '"g1"' in kept(visitor), "the journal to be written")
    journal = kept(visitor)
    assert len(journal) < 510_000
    assert '"u1"' in journal
    assert len([text for text in warnings if "dropped" in text]) == 1


LARGE = """() => {
    const large = [
        {text: "x".repeat(1_000_000)},
        {bytes: new Uint8Array(1_000_000)},
        {map: new Map([[1, "x".repeat(1_000_000)]])},
        {many: Array.from({length: 30_000}, (_, n) => ({n}))},
        {deep: {deeper: {text: "x".repeat(70_000)}}, small: 1},
    ];
    window.held = large.map((one) => new WeakRef(one));
    large.forEach((one, n) => n % 2 ? analytics.identify(`u${n}`, one, () => {}) : analytics.track(`E${n}`, one));
}"""


def test_what_is_more_than_an_event_can_hold_is_not_kept_alive(visitor: Visitor, warnings: list[str]) -> None:
    visitor.evaluate(LARGE)
    engine = visitor.context.new_cdp_session(visitor.page)

    def collected() -> bool:
        engine.send("HeapProfiler.collectGarbage")
        return visitor.page.evaluate("() => held.every((one) => !one.deref())")

    # A page that is still at work may hold an object through one collection.
    visitor.until(collected, "all to be let go")
    assert len([text for text in warnings if "too much for an event" in text]) == 4


def test_what_the_page_does_to_its_own_objects_later_is_no_event_s(visitor: Visitor, collector: Collector) -> None:
    """Python makes the event of the call as it was, as the collector would of a page that is left."""
    held: list[Route] = []
    visitor.page.route("**/analytics.min.js", lambda route: held.append(route))
    visitor.page.goto(visitor.base_url, wait_until="commit")
    visitor.evaluate("""() => {
        const order = {total: 1, items: [{n: 1}]};
        analytics.track("Ordered", order);
        order.total = order.items[0].n = 2;
    }""")
    visitor.until(lambda: bool(held), "the loader to be asked for")
    held[0].continue_()
    visitor.page.wait_for_function("analytics.initialized === true")
    visitor.evaluate("() => analytics.flush()")
    ordered = [event for event in collector.events() if event["type"] == "track"]
    assert [event["properties"] for event in ordered] == [{"total": 1, "items": [{"n": 1}]}]
