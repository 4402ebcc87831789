"""Other people's own libraries, unchanged from npm, with nothing of theirs but our collector.

RudderStack's, Jitsu's and Customer.io's are for browsers, RudderStack's and June's for Node.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flows.compiler import bundled
from flows.reference_library import libraries
from pytest_satsuma import Visitor
from satsuma_server.testing import Collector, serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

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

CUSTOMER_IO = """
import {AnalyticsBrowser} from "/bundled/customerio.js";
window.library = AnalyticsBrowser.load({cdnURL: "%(url)s/customerio", writeKey: "limes"});
library.page("Docs", "Home", {section: "peel"});
library.identify("u1", {plan: "lime"});
library.track("Order Completed", {total: 12.5});
library.group("g1", {employees: 4});
"""

NODE_CLIENTS = Path(__file__).parents[1] / "libraries" / "other_node_clients.mjs"
LONG_AGO = "2020-01-02T03:04:05.678Z"

FILES = {
    "rudderstack": "@rudderstack/analytics-js/dist/npm/modern/bundled/esm/index.mjs",
    "jitsu": "@jitsu/js/dist/jitsu.es.js",
}


@pytest.fixture(scope="module")
def customer_io(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of Customer.io's library as a bundler, which it needs, writes it."""
    script = 'export {AnalyticsBrowser} from "@customerio/cdp-analytics-browser";'
    return bundled(tmp_path_factory.mktemp("bundled"), {"customerio.js": script})


@pytest.fixture(
    params=[
        pytest.param(RUDDERSTACK, id="rudderstack", marks=pytest.mark.library("@rudderstack/analytics-js")),
        pytest.param(JITSU, id="jitsu", marks=pytest.mark.library("@jitsu/js")),
        pytest.param(CUSTOMER_IO, id="customerio", marks=pytest.mark.library("@customerio/cdp-analytics-browser")),
    ]
)
def site(collector: Collector, request: pytest.FixtureRequest, customer_io: Path) -> Iterator[str]:
    """A page of another origin than the collector's, with one of the libraries."""
    script = request.param

    async def library(asked: Request) -> Response:
        return FileResponse(libraries() / FILES[asked.path_params["name"]], media_type="text/javascript")

    async def page(asked: Request) -> Response:
        return HTMLResponse(PAGE.format(script=script % {"url": collector.url}))

    vendor = [Route("/vendor/{name}.js", library), Mount("/bundled", StaticFiles(directory=customer_io))]
    with serving(Starlette(routes=[*vendor, Route("/", page)])) as url:
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


@pytest.mark.parametrize(
    "library",
    [
        pytest.param("rudderstack", marks=pytest.mark.library("@rudderstack/rudder-sdk-node")),
        pytest.param("june", marks=pytest.mark.library("@june-so/analytics-node")),
    ],
)
def test_every_call_of_an_unchanged_library_for_node_is_stored_with_its_time(
    collector: Collector, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    asked = {"library": library, "writeKey": "limes", "url": collector.url, "timestamp": LONG_AGO}
    command = [shutil.which("node") or "node", str(NODE_CLIENTS)]
    subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=True, timeout=60)
    events = collector.wait_for(lambda events: len(events) >= 4)
    by_type: dict[str, Any] = {event["type"]: event for event in events}
    assert sorted(by_type) == ["group", "identify", "page", "track"]
    assert {(event["writeKey"], event["userId"]) for event in events} == {("limes", "u1")}
    assert by_type["identify"]["traits"] == {"plan": "lime"}
    assert by_type["track"]["properties"] == {"total": 12.5}
    # When it happened is what was told, whatever else the library says of times; the others happened as they were made.
    assert by_type["track"]["originalTimestamp"] == LONG_AGO
    assert by_type["track"]["timestamp"][:10] == LONG_AGO[:10]
    assert by_type["page"]["timestamp"] > "2026"
    assert by_type["group"]["groupId"] == "g1"
