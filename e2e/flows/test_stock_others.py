"""RudderStack's and Jitsu's own browser libraries, unchanged from npm, with nothing of theirs but our collector."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flows.reference_library import libraries
from pytest_satsuma import Visitor
from satsuma_server.testing import Collector, serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Lime Market</title>
<link rel="icon" href="data:,"><script type="module">{script}</script></html>"""

RUDDERSTACK = """
import {RudderAnalytics} from "/vendor/rudderstack.js";
window.library = new RudderAnalytics();
library.load("limes", "%(url)s", {configUrl: "%(url)s"});
library.page("Docs", "Home", {section: "peel"});
library.identify("u1", {plan: "lime"});
library.track("Order Completed", {total: 12.5});
library.group("g1", {employees: 4});
library.alias("u2", "u1");
"""

JITSU = """
import {jitsuAnalytics} from "/vendor/jitsu.js";
window.library = jitsuAnalytics({host: "%(url)s", writeKey: "limes:public-part"});
await library.page("Home", {section: "peel"});
await library.identify("u1", {plan: "lime"});
await library.track("Order Completed", {total: 12.5});
await library.group("g1", {employees: 4});
"""

FILES = {
    "rudderstack": "@rudderstack/analytics-js/dist/npm/modern/bundled/esm/index.mjs",
    "jitsu": "@jitsu/js/dist/jitsu.es.js",
}


@pytest.fixture(params=[RUDDERSTACK, JITSU], ids=["rudderstack", "jitsu"])
def site(collector: Collector, request: pytest.FixtureRequest) -> Iterator[str]:
    """A page of another origin than the collector's, with one of the libraries."""
    script = request.param

    async def library(asked: Request) -> Response:
        return FileResponse(libraries() / FILES[asked.path_params["name"]], media_type="text/javascript")

    async def page(asked: Request) -> Response:
        return HTMLResponse(PAGE.format(script=script % {"url": collector.url}))

    with serving(Starlette(routes=[Route("/vendor/{name}.js", library), Route("/", page)])) as url:
        yield url


def test_every_call_of_an_unchanged_library_is_stored(visitor: Visitor, collector: Collector) -> None:
    visitor.visit("/")
    wanted = {"page", "identify", "track", "group"}
    events = collector.wait_for(lambda events: {event["type"] for event in events} >= wanted)
    by_type: dict[str, Any] = {event["type"]: event for event in events}
    assert {event["writeKey"] for event in events} == {"limes"}
    assert (by_type["identify"]["userId"], by_type["identify"]["traits"]["plan"]) == ("u1", "lime")
    assert (by_type["track"]["event"], by_type["track"]["properties"]["total"]) == ("Order Completed", 12.5)
    assert by_type["group"]["groupId"] == "g1"
    assert len({event["anonymousId"] for event in events}) == 1
    assert len({event["messageId"] for event in events}) == len(events)
