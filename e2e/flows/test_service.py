"""Pages whose Python lives in the site's service worker: it outlives each of them, and they meet there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flows.reference_library import PAGE
from pytest_satsuma import Visitor
from satsuma_server import snippet
from satsuma_server.testing import Collector, serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

Stored = Callable[..., dict[str, Any]]

LINE = 'importScripts("{collector}/analytics.js/v1/service/service.js");'
FETCHED = "() => performance.getEntriesByType('resource').filter((one) => one.name.endsWith('python.wasm')).length"
TRACKED = "(name) => analytics.track(name).then(() => null)"


@pytest.fixture
def line() -> str:
    """What the site's service worker imports."""
    return LINE


@pytest.fixture
def site(collector: Collector, line: str) -> Iterator[str]:
    """A site of another origin than the collector's, with a service worker of one line."""
    written = snippet("service", collector.url, options={"python": "service"})
    html = PAGE.format(title="Service", snippet=written, body="")

    async def page(request: Request) -> Response:
        return HTMLResponse(html)

    async def service(request: Request) -> Response:
        return Response(line.format(collector=collector.url), media_type="text/javascript")

    routes = [Route("/satsuma-service.js", service), Route("/{path:path}", page)]
    with serving(Starlette(routes=routes)) as url:
        yield url


def ids(events: list[dict[str, Any]]) -> set[str]:
    """Return the anonymousIds of events."""
    return {event["anonymousId"] for event in events}


def test_the_second_page_finds_python_alive(visitor: Visitor, stored: Stored, warnings: list[str]) -> None:
    visitor.visit("/")
    first = stored("page")
    loaded = visitor.evaluate("() => performance.getEntriesByType('resource').map((one) => one.name.split('/').pop())")
    assert not {"python.js", "python.wasm", "memory.bin"} & set(loaded)
    assert visitor.identity.cookie_anonymous_id == visitor.identity.storage_anonymous_id == first["anonymousId"]
    visitor.evaluate("() => analytics.identify('u1', {plan: 'pips'}).then(() => null)")
    assert visitor.identity.cookie_user_id == "u1"
    visitor.visit("/second")
    visitor.evaluate(TRACKED, "Second")
    assert stored("track", "Second")["userId"] == "u1"
    (worker,) = visitor.context.service_workers
    assert worker.evaluate(FETCHED) == 1
    assert warnings == []


def test_who_logs_out_is_somebody_new_on_the_next_page(visitor: Visitor, stored: Stored) -> None:
    visitor.visit("/")
    first = stored("page")["anonymousId"]
    visitor.page.evaluate("() => { analytics.identify('u1'); analytics.reset(); location.href = '/next'; }")
    visitor.page.wait_for_url("**/next")
    visitor.wait_for_boot()
    visitor.evaluate(TRACKED, "Next")
    after = stored("track", "Next")
    assert stored("identify")["anonymousId"] == first
    assert after["userId"] is None
    assert after["anonymousId"] != first
    assert visitor.identity.cookie_anonymous_id == after["anonymousId"]


def test_two_tabs_at_once_are_one_new_visitor(visitor: Visitor, collector: Collector) -> None:
    visitor.page.goto(f"{visitor.base_url}/")
    other = visitor.new_tab()
    other.page.goto(f"{visitor.base_url}/other")
    for tab in (visitor, other):
        tab.page.evaluate("() => { for (let n = 0; n < 10; n++) analytics.track('Counted', {n}); }")
    events = collector.wait_for(lambda events: len(events) >= 22)
    assert len(events) == 22
    assert ids(events) == {visitor.identity.cookie_anonymous_id}


def test_a_page_that_is_left_at_once_loses_no_call(visitor: Visitor, stored: Stored, collector: Collector) -> None:
    visitor.visit("/")
    visitor.page.evaluate("() => { analytics.track('Last Words'); location.href = 'about:blank'; }")
    assert stored("track", "Last Words")["anonymousId"] == stored("page")["anonymousId"]


def test_a_service_worker_that_is_killed_loses_nothing(
    visitor: Visitor, collector: Collector, stored: Stored, warnings: list[str]
) -> None:
    visitor.visit("/")
    stored("page")
    session = visitor.context.new_cdp_session(visitor.page)
    session.send("ServiceWorker.enable")
    visitor.page.evaluate("() => { analytics.identify('u1'); for (let n = 0; n < 5; n++) analytics.track('Counted'); }")
    session.send("ServiceWorker.stopAllWorkers")
    visitor.page.evaluate("() => void analytics.track('After')")
    events = collector.wait_for(lambda events: len(events) >= 8)
    names = [event.get("event") or event["type"] for event in events]
    assert sorted(names) == sorted(["page", "identify", *["Counted"] * 5, "After"])
    assert len(ids(events)) == 1
    assert stored("track", "After")["userId"] == "u1"
    assert warnings == []


@pytest.mark.parametrize("line", ["self.other = true;"])
def test_where_there_is_no_such_service_worker_python_runs_in_the_page(
    visitor: Visitor, stored: Stored, warnings: list[str]
) -> None:
    visitor.page.add_init_script("delete Navigator.prototype.serviceWorker")
    visitor.visit("/")
    stored("page")
    assert len(warnings) == 1
    assert "can't run in a service worker here" in warnings[0]
