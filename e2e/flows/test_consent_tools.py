"""Segment's own consent tools, unchanged from npm, around our snippet and npm's package: nothing before the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flows.compiler import bundled, write_npm_package
from pytest_satsuma import Visitor
from satsuma_server import snippet
from satsuma_server.testing import Collector, serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

pytestmark = pytest.mark.library("@segment/analytics-consent-tools")

Stored = Callable[..., dict[str, Any]]

TOOLS = 'export { createWrapper } from "@segment/analytics-consent-tools";'

WRAPPER = """
import { createWrapper } from "/files/tools.js";
let answer;
const answered = new Promise((resolve) => (answer = resolve));
const listeners = [];
let categories;
window.answer = (given) => { categories = given; answer(); };
window.change = (given) => { categories = given; listeners.forEach((tell) => tell(given)); };
const wrapped = createWrapper({
  shouldLoadSegment: () => answered,
  getCategories: () => categories,
  registerOnConsentChanged: (tell) => listeners.push(tell),
  integrationCategoryMappings: {},
});
"""

PAGES = {
    "snippet": """<script>{snippet}</script>
    <script type="module">{wrapper}wrapped(window.analytics).load("asking");</script>""",
    "npm": """<script type="module">{wrapper}
      import {{ AnalyticsBrowser }} from "/package/index.js";
      window.analytics = undefined;
      window.browser = new AnalyticsBrowser();
      browser.page();
      wrapped(browser).load({{ writeKey: "asking", cdnURL: "{url}" }});
    </script>""",
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the tools as a bundler writes them."""
    return bundled(tmp_path_factory.mktemp("tools"), {"tools.js": TOOLS})


@pytest.fixture(params=PAGES)
def site(request: pytest.FixtureRequest, collector: Collector, files: Path, tmp_path: Path) -> Iterator[str]:
    package = write_npm_package(tmp_path / "package")
    own = snippet("asking", collector.url, options={"load": False})
    html = PAGES[request.param].format(snippet=own, wrapper=WRAPPER, url=collector.url)

    async def page(asked: Request) -> Response:
        return HTMLResponse(f"<!doctype html><title>Asks</title><link rel=icon href='data:,'>{html}")

    served = [Mount("/files", StaticFiles(directory=files)), Mount("/package", StaticFiles(directory=package))]
    with serving(Starlette(routes=[*served, Route("/{path:path}", page)])) as url:
        yield url


def test_nothing_is_kept_or_sent_before_the_answer_and_each_event_has_it(
    visitor: Visitor, site: str, collector: Collector, stored: Stored
) -> None:
    asked: list[str] = []
    visitor.page.on("request", lambda request: request.url.startswith(collector.url) and asked.append(request.url))
    visitor.page.goto(site)
    visitor.evaluate(
        "() => { (window.browser || analytics).identify('u1'); document.dispatchEvent(new Event('visibilitychange')); }"
    )
    visitor.page.wait_for_function("() => window.answer")
    assert asked == []
    assert visitor.cookies.read() == ""
    assert visitor.storage.all() == {}

    visitor.evaluate("() => answer({Analytics: true, Advertising: false})")
    answered = {"categoryPreferences": {"Analytics": True, "Advertising": False}}
    assert stored("page")["context"]["consent"] == answered
    identify = stored("identify")
    assert identify["context"]["consent"] == answered
    assert identify["userId"] == visitor.identity.user_id == "u1"

    visitor.evaluate("() => change({Analytics: false, Advertising: false})")
    changed = stored("track", "Segment Consent Preference Updated")
    assert changed["context"]["consent"] == {"categoryPreferences": {"Analytics": False, "Advertising": False}}
    assert len(collector.events()) == 3


def test_a_visitor_who_leaves_without_an_answer_was_never_there(
    visitor: Visitor, site: str, collector: Collector
) -> None:
    visitor.page.goto(site)
    visitor.page.wait_for_function("() => window.answer")
    visitor.page.goto(f"{site}/again")
    visitor.page.wait_for_function("() => window.answer")
    visitor.evaluate("() => answer({Analytics: true})")
    pages = collector.wait_for(lambda events: len(events) >= 1)
    assert [event["context"]["page"]["path"] for event in pages] == ["/again"]
