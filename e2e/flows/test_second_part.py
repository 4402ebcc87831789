"""The interpreter's second part: there at the very call that needs it, and no event is lost where it can't be had."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flows.plugin_site import serving_plugins
from flows.reference_library import PAGE
from pytest_satsuma import Visitor
from satsuma_server import snippet
from satsuma_server.testing import Collector, serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

NEEDING = """
const { instantiate } = WebAssembly;
// Python calls JavaScript all the time. Where the page wants it to, such a call needs the second part first.
WebAssembly.instantiate = async (module, imports) => {
  let made;
  for (const name of ["JsProxy_GetAttr_js", "JsProxy_SetAttr_js", "JsvFunction_CallBound", "js2python_convert"]) {
    const one = imports.env[name];
    imports.env[name] = (...given) => {
      if (self.needed > 0 && --self.needed === 0) made.exports.parts.get(0)();
      return one(...given);
    };
  }
  return (made = await instantiate(module, imports));
};
"""
"""Has Python need its second part when it calls JavaScript for the ``needed``-th time."""

IN_WORKER = """
self.Worker = class extends Worker {
  constructor(url) {
    super(URL.createObjectURL(new Blob([`NEEDING
      self.addEventListener("message", (event) => {
        if (!event.data.needed) return;
        self.needed = event.data.needed;
        event.stopImmediatePropagation();
      });
      importScripts("${url}");`])));
    self.pythonWorker = this;
  }
};
""".replace("NEEDING", NEEDING)
"""The same in a page's worker, which is told by a message."""


@pytest.fixture
def site(collector: Collector) -> Iterator[str]:
    """A page that has no plugins, with Python in a worker where its address says so."""
    html = [
        PAGE.format(title="", body="", snippet=snippet("demo", collector.url, options={"worker": in_worker}))
        for in_worker in (False, True)
    ]

    async def answer(request: Request) -> HTMLResponse:
        return HTMLResponse(html["worker" in request.query_params])

    with serving(Starlette(routes=[Route("/{path:path}", answer)])) as url:
        yield url


def names(events: list[dict[str, Any]]) -> list[str]:
    return [event.get("event", event["type"]) for event in events]


def without_plugins(route: Any) -> None:
    """The loader, told that the page has no plugins in Python: so it doesn't load what they need."""
    answer = route.fetch()
    told, count = re.subn(r"\bwhole:\w+\(\)", "whole:!1", answer.text())
    assert count
    route.fulfill(response=answer, body=told)


def test_the_interpreters_second_part_is_there_at_the_very_call_that_needs_it(
    collector: Collector, visitor: Visitor
) -> None:
    """Plugins in Python need the compiler; here the loader has been told that there are none."""
    text = (
        "class Tidy:\n    name, kind = 'Tidy', 'before'\n    def track(self, context):\n"
        "        context.event['properties']['seen'] = 1\nplugins = [Tidy()]"
    )

    visitor.page.route("**/analytics.min.js", without_plugins)
    with serving_plugins(collector, "late", {"/late.py": text}) as url:
        with visitor.page.expect_console_message(lambda line: "second part is loaded" in line.text):
            visitor.page.goto(url)
        visitor.page.wait_for_function("() => analytics.initialized")
        seen = visitor.evaluate("() => analytics.track('Seen').then((context) => context.event.properties.seen)")
        assert seen == 1


def test_a_second_part_that_is_not_what_was_built_never_runs(collector: Collector, visitor: Visitor) -> None:
    def change(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.body() + b"\0\x02\x01x")

    visitor.page.route("**/python_rest.wasm", change)
    with serving_plugins(collector, "changed", {"/changed.py": "plugins = []"}) as url:
        with visitor.page.expect_console_message(lambda line: "memory image could not be restored" in line.text):
            visitor.page.goto(url)
        visitor.page.evaluate("() => { analytics.track('Still There'); }")
        collector.wait_for(lambda events: "Still There" in names(events), seconds=120)
    visitor.errors.clear()


def test_a_second_part_that_cannot_be_had_loses_no_event(collector: Collector, visitor: Visitor) -> None:
    """The next page sends what the one has kept whose interpreter ended so."""
    visitor.page.route("**/analytics.min.js", without_plugins)
    visitor.page.route("**/python_rest.wasm", lambda route: route.abort())
    with serving_plugins(collector, "cut-off", {"/cut-off.py": "plugins = []"}) as url:
        with visitor.page.expect_console_message(lambda line: "second part is loaded" in line.text):
            visitor.page.goto(url)
        visitor.page.evaluate("() => { analytics.track('Still There'); }")
        visitor.page.unroute_all()
        visitor.page.goto(url)
        events = collector.wait_for(lambda events: len(events) == 3)
        assert [event.get("event", event["type"]) for event in events] == ["page", "Still There", "page"]
        visitor.page.evaluate("() => null")  # Its console's lines have come then, too.
    visitor.errors.clear()


@pytest.mark.parametrize("fault", ["network", "changed", "missing"])
def test_no_event_is_lost_where_the_second_part_cannot_be_had_in_the_middle_of_a_call(
    collector: Collector, visitor: Visitor, fault: str
) -> None:
    """Python ends in the page; the collector makes the events of the call at hand, and of all that come after it."""

    def spoil(route: Any) -> None:
        match fault:
            case "network":
                route.abort()
            case "changed":
                route.fulfill(body=b"\0asm\1\0\0\0", content_type="application/wasm")
            case "missing":
                route.fulfill(status=404)

    visitor.page.add_init_script(NEEDING)
    visitor.page.route("**/python_rest.wasm", spoil)
    visitor.visit("/")
    visitor.evaluate("() => analytics.track('Before').then((context) => context.delivered)")
    with visitor.page.expect_console_message(lambda line: "calls go to the collector as they are" in line.text):
        visitor.page.evaluate("""() => {
            analytics.track('At Once');
            needed = 3;
            analytics.track('At Hand', {price: 3});
            analytics.identify('peter', {plan: 'free'});
            analytics.track('After');
        }""")
    events = collector.wait_for(lambda events: len(events) == 6)
    assert names(events) == ["page", "Before", "At Once", "At Hand", "identify", "After"]
    assert events[3]["properties"] == {"price": 3}
    assert events[5]["userId"] == "peter"
    assert len({event["anonymousId"] for event in events}) == 1
    visitor.page.evaluate("() => null")
    visitor.errors.clear()


def worker_needs(visitor: Visitor) -> None:
    visitor.page.add_init_script(IN_WORKER)
    visitor.visit("/?worker")
    visitor.evaluate("() => analytics.track('Before').then((context) => context.delivered)")
    visitor.page.evaluate("""() => {
        pythonWorker.postMessage({needed: 3});
        analytics.track('At Hand', {price: 3});
        analytics.identify('peter', {plan: 'free'});
        analytics.track('After');
    }""")


def test_a_worker_that_ends_for_want_of_the_second_part_is_followed_by_one_that_has_it(
    collector: Collector, visitor: Visitor
) -> None:
    visitor.page.route("**/python_rest.wasm", lambda route: route.abort(), times=1)
    worker_needs(visitor)
    # Playwright lets the page's requests go on only while it waits for the page.
    visitor.evaluate("() => analytics.track('Later').then((context) => context.delivered)")
    events = collector.wait_for(lambda events: len(events) == 6)
    assert names(events) == ["page", "Before", "At Hand", "identify", "After", "Later"]
    assert events[4]["userId"] == "peter"
    assert len({event["anonymousId"] for event in events}) == 1
    visitor.page.evaluate("() => null")
    visitor.errors.clear()


def test_calls_of_a_page_whose_worker_cannot_go_on_are_the_next_page_s(collector: Collector, visitor: Visitor) -> None:
    visitor.page.route("**/python_rest.wasm", lambda route: route.abort())
    with visitor.page.expect_console_message(lambda line: "Python is gone" in line.text):
        worker_needs(visitor)
    visitor.visit("/?worker")
    events = collector.wait_for(lambda events: len(events) == 6)
    assert names(events)[:5] == ["page", "Before", "At Hand", "identify", "After"]
    visitor.page.evaluate("() => null")
    visitor.errors.clear()
