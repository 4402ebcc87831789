"""A page whose Python runs in a worker: the same cookies, the same events, and nothing on the page's own thread."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flows.reference_library import PAGE, stock_site
from playwright.sync_api import Route
from pytest_satsuma import Visitor
from satsuma_server import snippet
from satsuma_server.testing import Collector, serving

Stored = Callable[..., dict[str, Any]]

REFRESHED = "document.cookie = 'satsuma_refreshed=1; path=/; max-age=86400';"
"""As a server does that renews the visitor's cookies."""

PLUGINS = """async () => {
    class Euros {
        name = "Euros"; type = "before";
        load(context, analytics) { this.mine = analytics === window.analytics; }
        track(context) { context.updateEvent("properties.currency", this.mine ? "EUR" : "?"); return context; }
    }
    const gate = { name: "Gate", type: "before", track(context) {
        if (context.event.properties.test) context.cancel({reason: "only a test", retry: false});
        return context;
    } };
    await analytics.register(new Euros(), gate);
    await analytics.addSourceMiddleware(({payload, next}) => {
        payload.obj.properties.seen = payload.type();
        next(payload);
    });
    const told = [];
    analytics.on("track", (name, properties) => told.push([name, properties.test === undefined]));
    const test = await analytics.track("Ordered", {test: true});
    const hear = (context) => told.push(context.event.properties.currency);
    const ordered = await analytics.track("Ordered", {total: 5}, {}, hear);
    return [String(test.cancelled), ordered.delivered, ordered.event.properties, told];
}"""


BUSY = """
    // A busy page hears what its worker posts a while later.
    const { set } = Object.getOwnPropertyDescriptor(Worker.prototype, "onmessage");
    Object.defineProperty(Worker.prototype, "onmessage", {
        set(hear) { set.call(this, (message) => setTimeout(() => hear(message), 300)); },
    });
"""

HEADERS = "() => { window.asked = (window.asked || 0) + 1; if (asked === 2) throw 1; return {'X-Own': 'n' + asked}; }"
STRATEGY = {"Segment.io": {"deliveryStrategy": {"config": {"headers": HEADERS}}}}


@pytest.fixture
def options() -> dict[str, Any]:
    """Load options beside `worker`."""
    return {}


@pytest.fixture
def site(collector: Collector, options: dict[str, Any]) -> Iterator[str]:
    """A page of another origin than the collector's."""
    written = snippet("worker", collector.url, options={"worker": True, **options}, hints=True)
    written = written.replace(f'"{HEADERS}"', HEADERS)
    html = PAGE.format(title="Worker", snippet=written, body='<a id="on" href="/?on">on</a>')
    with serving(stock_site(html)) as url:
        yield url


def test_python_is_in_the_worker_and_identity_in_the_page(
    visitor: Visitor, stored: Stored, collector: Collector, warnings: list[str]
) -> None:
    visitor.visit("/")
    first = stored("page")
    assert len(visitor.page.workers) == 1
    loaded = visitor.evaluate("() => performance.getEntriesByType('resource').map((one) => one.name.split('/').pop())")
    assert not {"python.js", "python.wasm", "memory.bin"} & set(loaded)
    identity = visitor.identity
    assert identity.cookie_anonymous_id == identity.storage_anonymous_id == first["anonymousId"]
    assert visitor.evaluate("() => analytics.user().anonymousId()") == first["anonymousId"]

    visitor.evaluate("() => analytics.identify('u1', {plan: 'pips'}).then(() => null)")
    assert stored("identify")["traits"] == {"plan": "pips"}
    assert visitor.identity.cookie_user_id == "u1"
    assert visitor.evaluate("() => [analytics.user().id(), analytics.user().traits()]") == ["u1", {"plan": "pips"}]

    visitor.evaluate("() => analytics.reset()")
    visitor.until(lambda: "ajs_" not in visitor.cookies.read(), "the cookies to be gone")
    visitor.evaluate("() => analytics.track('Later').then(() => null)")
    later = stored("track", "Later")
    assert later["userId"] is None
    assert later["anonymousId"] != first["anonymousId"]
    assert warnings == []


def test_no_event_leaves_before_the_page_has_kept_who_it_is_of(visitor: Visitor, stored: Stored) -> None:
    kept: list[dict[str, str]] = []

    def look(route: Route) -> None:
        kept.append(visitor.evaluate("() => ({...localStorage, cookie: document.cookie})"))
        route.continue_()

    visitor.page.add_init_script(BUSY)
    visitor.page.context.route(re.compile("/v1/[a-z]$"), look)
    calls = ("analytics.initialized", "analytics.identify('u1')", "(analytics.reset(), analytics.track('Later'))")
    visitor.visit("/")
    for number, call in enumerate(calls, 1):
        visitor.evaluate(f"() => void {call}")
        visitor.until(lambda number=number: len(kept) == number, "the event to leave")
    first = stored("page")["anonymousId"]
    later = stored("track", "Later")["anonymousId"]
    assert [json.loads(one["ajs_anonymous_id"]) for one in kept] == [first, first, later]
    assert f"ajs_anonymous_id={first}" in kept[0]["cookie"]
    assert json.loads(kept[1]["ajs_user_id"]) == "u1"
    assert json.loads(kept[2]["ajs_user_id"]) is None


def test_the_page_keeps_the_module_which_the_next_worker_need_not_compile_then(
    visitor: Visitor, stored: Stored
) -> None:
    visitor.visit("/")
    stored("page")
    session = visitor.page.context.new_cdp_session(visitor.page)
    kind = session.send("Runtime.evaluate", {"expression": "WebAssembly.Module.prototype"})["result"]["objectId"]
    kept = session.send("Runtime.queryObjects", {"prototypeObjectId": kind})["objects"]["objectId"]
    told = session.send("Runtime.getProperties", {"objectId": kept, "ownProperties": True})["result"]
    assert next(one["value"]["value"] for one in told if one["name"] == "length") == 1


def test_what_is_asked_at_once_is_what_python_makes(visitor: Visitor, stored: Stored) -> None:
    visitor.visit("/")
    answered = visitor.evaluate("""async () => {
        const before = analytics.user().anonymousId();
        analytics.identify("u1", {plan: "pips"});
        const known = [analytics.user().id(), analytics.user().traits()];
        analytics.reset();
        const after = analytics.user().anonymousId();
        await analytics.track("After");
        return [before, known, after, analytics.user().anonymousId()];
    }""")
    before, known, after, at_last = answered
    assert known == ["u1", {"plan": "pips"}]
    assert before != after == at_last == stored("track", "After")["anonymousId"]
    assert stored("identify")["anonymousId"] == before


def test_many_calls_in_one_breath_are_of_one_visitor_and_in_order(visitor: Visitor, collector: Collector) -> None:
    visitor.page.goto(visitor.base_url)
    visitor.evaluate("() => { for (let n = 0; n < 40; n++) analytics.track('Counted', {n}); }")
    events = collector.wait_for(lambda events: len(events) == 41)
    assert len({event["anonymousId"] for event in events}) == 1
    assert [event["properties"]["n"] for event in events if event["type"] == "track"] == list(range(40))


def test_plugins_middleware_and_listeners_of_the_page_do_their_work(visitor: Visitor, stored: Stored) -> None:
    visitor.visit("/")
    cancelled, delivered, properties, told = visitor.evaluate(PLUGINS)
    assert cancelled == "only a test"
    assert delivered is True
    assert properties == {"total": 5, "currency": "EUR", "seen": "track"}
    assert stored("track", "Ordered")["properties"] == properties
    assert "EUR" in told
    assert [entry for entry in told if entry != "EUR"] == [["Ordered", False], ["Ordered", True]]
    visitor.errors.clear()


@pytest.mark.parametrize("options", [{"integrations": STRATEGY}])
def test_the_pages_function_for_headers_is_asked_before_each_request(
    visitor: Visitor, stored: Stored, warnings: list[str]
) -> None:
    sent: list[str | None] = []

    def look(route: Route) -> None:
        if route.request.method == "POST":
            sent.append(route.request.headers.get("x-own"))
        route.continue_()

    visitor.page.context.route(re.compile("/v1/[a-z]$"), look)
    visitor.visit("/")
    for number in (1, 2):
        visitor.evaluate(f"() => analytics.track('Ordered', {{number: {number}}}).then(() => null)")
    stored("track")
    assert sent == ["n1", None, "n3"], "the second time the page's function throws"
    assert len(warnings) == 1
    assert "function for headers" in warnings[0]


def test_a_cookie_that_is_gone_comes_back_from_local_storage(visitor: Visitor, stored: Stored) -> None:
    visitor.visit("/")
    first = stored("page")["anonymousId"]
    visitor.cookies.clear()
    visitor.evaluate("() => analytics.track('Still Me').then(() => null)")
    assert stored("track", "Still Me")["anonymousId"] == first
    assert visitor.identity.cookie_anonymous_id == first


def test_a_page_that_is_left_at_once_loses_no_call(visitor: Visitor, stored: Stored) -> None:
    visitor.visit("/")
    visitor.page.evaluate("() => { analytics.track('Last Words'); location.href = 'about:blank'; }")
    assert stored("track", "Last Words")["anonymousId"] == stored("page")["anonymousId"]


def test_who_logs_out_and_goes_on_at_once_is_somebody_new(visitor: Visitor, stored: Stored) -> None:
    visitor.visit("/")
    first = stored("page")["anonymousId"]
    visitor.page.evaluate("() => { analytics.identify('u1'); analytics.reset(); location.href = '/?next'; }")
    visitor.page.wait_for_url("**/?next")
    visitor.page.wait_for_function("() => analytics.initialized")
    assert stored("identify")["anonymousId"] == first
    visitor.evaluate("() => analytics.track('Next').then(() => null)")
    after = stored("track", "Next")
    assert after["userId"] is None
    assert after["anonymousId"] != first


def test_a_no_is_heard_though_the_page_is_left_at_once(visitor: Visitor, stored: Stored) -> None:
    visitor.visit("/")
    stored("page")
    visitor.page.evaluate(f"() => {{ {REFRESHED} analytics.consent(false); location.href = 'about:blank'; }}")
    visitor.page.wait_for_url("about:blank")
    assert visitor.context.cookies() == []


def test_a_call_settles_though_the_worker_is_gone_and_the_next_page_makes_it(visitor: Visitor, stored: Stored) -> None:
    visitor.page.add_init_script("""
        const own = setTimeout;
        window.setTimeout = (work, wait, ...more) => own(work, wait === 15000 ? 1 : wait, ...more);
    """)
    visitor.visit("/")
    stored("page")
    visitor.page.workers[0].evaluate("() => self.close()")
    assert visitor.evaluate("() => analytics.track('Unheard').then(() => 'settled')") == "settled"
    visitor.visit("/")
    stored("track", "Unheard")


def test_a_link_waits_for_its_event(visitor: Visitor, stored: Stored) -> None:
    visitor.visit("/")
    visitor.evaluate("() => analytics.trackLink(document.querySelector('#on'), 'Went On', {to: 'on'}).then(() => null)")
    visitor.page.click("#on")
    visitor.page.wait_for_url("**/?on")
    assert stored("track", "Went On")["properties"] == {"to": "on"}


@pytest.mark.parametrize("options", [{"consent": "required"}])
def test_nothing_is_kept_before_the_yes(visitor: Visitor, collector: Collector, stored: Stored) -> None:
    visitor.visit("/")
    visitor.evaluate("() => void analytics.track('Asked')")
    assert (visitor.cookies.read(), visitor.storage.all()) == ("", {})
    visitor.evaluate("() => analytics.consent(true)")
    assert stored("track", "Asked")["anonymousId"] == stored("page")["anonymousId"]
    assert collector.events()[0]["type"] == "page"


def test_where_no_worker_may_be_python_runs_in_the_page(visitor: Visitor, stored: Stored, warnings: list[str]) -> None:
    visitor.page.add_init_script("delete window.Worker")
    visitor.visit("/")
    stored("page")
    assert len(warnings) == 1
    assert "can't run in a worker" in warnings[0]
    assert visitor.page.workers == []
