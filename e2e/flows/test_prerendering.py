"""A page that the browser prepares in advance (speculation rules): a visit once it is opened, and none before.

Chromium runs on its own here: under Playwright it prerenders no page.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from flows.reference_library import PAGE
from playwright.sync_api import BrowserType
from pytest_satsuma import launch_args
from satsuma_server import snippet
from satsuma_server.testing import Collector, serving
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

SECONDS = 60

FIRST = """<!doctype html><title>First</title><link rel="icon" href="data:,">
<script type="speculationrules">{"prerender": [{"urls": ["/next"], "eagerness": "immediate"}]}</script>
<script>fetch("/opening").then(() => { location.href = "/next"; });</script>"""

NEXT = """
    analytics.track("Early", {prerendering: document.prerendering, called: Date.now()});
    const FILES = ["memory.bin", "python.wasm", "settings"];
    const loaded = () => performance.getEntriesByType("resource").map((one) => one.name.split("/").pop());
    const tell = () => fetch("/prepared", {method: "POST", body: JSON.stringify({
        kept: [...Object.keys(localStorage), document.cookie], prerendering: document.prerendering})});
    // All is there that Python needs, and it has had the time to start.
    const asking = setInterval(() => {
        if (!FILES.every((name) => loaded().includes(name))) return;
        clearInterval(asking);
        setTimeout(tell, 1000);
    }, 50);
"""


@dataclass
class Prerendering:
    """A page that links to another one, which the browser prepares.

    Attributes:
        options: load options of the page that is prepared.
        told: what that page had kept before it was opened.
        opened: the moment at which it was, as a Unix timestamp.
    """

    options: dict[str, Any]
    told: dict[str, Any] = field(default_factory=dict)
    opened: float = 0
    _prepared: threading.Event = field(default_factory=threading.Event)
    _opening: threading.Event = field(default_factory=threading.Event)

    def site(self, collector: str) -> Starlette:
        """Return the site with both pages."""
        script = snippet("prepared", collector, options=self.options) + NEXT

        async def first(_: Request) -> Response:
            return HTMLResponse(FIRST)

        async def following(_: Request) -> Response:
            return HTMLResponse(PAGE.format(title="Next", snippet=script, body=""))

        async def prepared(request: Request) -> Response:
            self.told = await request.json()
            self._prepared.set()
            return Response()

        async def opening(_: Request) -> Response:
            await run_in_threadpool(self._opening.wait, SECONDS)
            return Response()

        routes = [Route("/", first), Route("/next", following), Route("/opening", opening)]
        return Starlette(routes=[*routes, Route("/prepared", prepared, methods=["POST"])])

    def wait(self) -> None:
        """Wait until the page is prepared."""
        assert self._prepared.wait(SECONDS), "the browser prepared no page"

    def open(self) -> None:
        """Have the visitor open it."""
        self.opened = datetime.now().timestamp()
        self._opening.set()


@pytest.fixture
def options() -> dict[str, Any]:
    """The load options."""
    return {}


@pytest.fixture
def prerendering(collector: Collector, options: dict[str, Any], browser_type: BrowserType) -> Iterator[Prerendering]:
    """A page that a browser is preparing."""
    started = {"executable_path": browser_type.executable_path, **launch_args({})}
    prerendering = Prerendering(options)
    with serving(prerendering.site(collector.url)) as url, TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Path(started["executable_path"])
        alone = ["--headless", "--remote-debugging-port=0", f"--user-data-dir={profile}"]
        process = subprocess.Popen([browser, *started["args"], *alone, f"{url}/"], stderr=subprocess.DEVNULL)
        try:
            yield prerendering
        finally:
            prerendering.open()
            process.terminate()
            process.wait()


def moment(event: dict[str, Any]) -> float:
    return datetime.fromisoformat(event["timestamp"]).timestamp()


def test_a_page_that_is_never_opened_stores_nothing_and_an_opened_one_all(
    prerendering: Prerendering, collector: Collector
) -> None:
    prerendering.wait()
    assert prerendering.told == {"kept": [""], "prerendering": True}
    assert collector.events() == []
    prerendering.open()
    page, early = collector.wait_for(lambda events: len(events) >= 2, SECONDS)
    assert (page["type"], early["event"]) == ("page", "Early")
    assert early["properties"]["prerendering"] is True
    # The call keeps its time.
    assert moment(early) < prerendering.opened
    assert abs(moment(early) - early["properties"]["called"] / 1000) < 1


@pytest.mark.parametrize("options", [{"trackPrerendering": True}])
def test_a_source_may_count_a_prepared_page_as_a_visit(prerendering: Prerendering, collector: Collector) -> None:
    events = collector.wait_for(lambda events: len(events) >= 2, SECONDS)
    assert [event["type"] for event in events] == ["page", "track"]
