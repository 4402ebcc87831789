"""The option ``early`` where Python does not run in the page: in a worker of it, or in the site's service worker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from flows.faults import Faults
from flows.reference_library import PAGE
from flows.without_loader import names
from pytest_satsuma import Visitor
from satsuma_server import snippet
from satsuma_server.testing import Collector, serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

CALLS = """
    window.told = [];
    analytics.on("track", (name, properties) => told.push(["listener", name, properties.n]));
    analytics.identify("ann", {plan: "pips"});
    analytics.reset();
    analytics.identify("bob");
    analytics.track("Seen", {n: 1}, {}, ({event}) => told.push(["callback", event.event, event.userId]));
"""
TOLD = [["callback", "Seen", "bob"], ["listener", "Later", None], ["listener", "Seen", 1]]
LATER = "() => analytics.track('Later').then(() => null)"


@pytest.fixture(params=[{"worker": True}, {"python": "service"}], ids=["worker", "service worker"])
def options(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The load options."""
    return {"early": True, **request.param}


@pytest.fixture
def site(watched: Collector, faults: Faults, options: dict[str, Any]) -> Iterator[str]:
    """A site with a service worker, whose pages make calls at once."""
    # The first of all bodies waits for the process that makes its calls.
    httpx.post(f"{watched.url}/v1/early", content='{"calls": [], "writeKey": "early"}', timeout=60, trust_env=False)
    faults.posted.clear()
    html = PAGE.format(title="Early", snippet=f"{snippet('early', watched.url, options=options)}\n{CALLS}", body="")

    async def page(request: Request) -> Response:
        return HTMLResponse(html)

    async def service(request: Request) -> Response:
        line = f'importScripts("{watched.url}/analytics.js/v1/service/service.js");'
        return Response(line, media_type="text/javascript")

    with serving(Starlette(routes=[Route("/satsuma-service.js", service), Route("/{path:path}", page)])) as url:
        yield url


@pytest.mark.parametrize("fate", ["answered", "answer lost", "refused"])
def test_each_call_is_made_once_and_in_order(visitor: Visitor, watched: Collector, faults: Faults, fate: str) -> None:
    if fate != "answered":
        faults.answer_next(503, lost=fate == "answer lost")
    visitor.visit("/")
    visitor.evaluate(LATER)
    assert names(watched, 5) == ["page", "identify", "identify", "Seen", "Later"]
    events = watched.events()
    assert [event["userId"] for event in events] == [None, "ann", "bob", "bob", "bob"]
    page, ann, bob, seen, later = (event["anonymousId"] for event in events)
    assert page == ann != bob == seen == later
    assert (visitor.identity.cookie_user_id, visitor.identity.cookie_anonymous_id) == ("bob", bob)
    assert visitor.evaluate("() => [analytics.user().id(), analytics.user().anonymousId()]") == ["bob", bob]
    visitor.until(lambda: sorted(visitor.evaluate("() => told")) == TOLD, "listener and callback to be told")
    assert faults.posted[0].path == "/v1/early"
    assert bool(visitor.page.workers or visitor.context.service_workers), "Python is not in the page"
    visitor.errors.clear()  # Of an answer that fails the browser itself tells.
