"""The same SDK in the engines that are not Chromium, with a few steps in each.

The whole specification runs in them by ``--engine firefox`` and ``--engine webkit``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from pytest_satsuma import ExpectEvent, Visitor
from satsuma_server import snippet
from satsuma_server.testing import Collector, serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

Expect = Callable[..., None]

USER_AGENTS = {"firefox": "Firefox/", "webkit": "AppleWebKit/"}
KNOW = "() => analytics.identify('u1', {plan: 'premium'}).then(() => null)"
LOADED = "() => performance.getEntriesByType('resource').map((entry) => entry.name)"


@pytest.fixture(params=USER_AGENTS)
def satsuma_engine(request: pytest.FixtureRequest) -> str:
    """Each engine in turn."""
    return str(request.param)


@pytest.fixture
def complaints(visitor: Visitor) -> Iterator[list[str]]:
    """What the pages warned of, which must be nothing."""
    told: list[str] = []
    visitor.context.on("console", lambda line: line.type == "warning" and told.append(line.text))
    yield told
    assert told == []


@pytest.mark.usefixtures("complaints")
def test_a_visitor_keeps_and_loses_an_identity(
    visitor: Visitor, satsuma_engine: str, expect_event: ExpectEvent, expect_new_visitor: Expect
) -> None:
    visitor.page.add_init_script("""
        document.addEventListener("DOMContentLoaded", () => window.analytics?.track("Early", {n: 1}));""")
    visitor.visit("/")
    early = expect_event("Early", properties={"n": 1})
    assert USER_AGENTS[satsuma_engine] in early["context"]["userAgent"]
    loaded = visitor.evaluate(LOADED)
    assert any(name.endswith("memory.bin") for name in loaded)
    assert not any("pyodide" in name or "stdlib" in name for name in loaded)

    visitor.evaluate(KNOW)
    before = visitor.identity
    assert before.anonymous_id == early["anonymousId"]
    visitor.cookies.clear()
    assert "ajs_anonymous_id" not in visitor.cookies.read()
    visitor.visit("/products/yuzu")
    expect_event("Product Viewed", user_id="u1", anonymous_id=before.anonymous_id)
    assert visitor.identity == before, "cookies are healed from localStorage"

    visitor.evaluate("() => { analytics.reset(); }")
    visitor.page.evaluate("() => { analytics.track('Left'); setTimeout(() => location.assign('about:blank')); }")
    left = expect_event("Left", user_id=None)
    assert left["anonymousId"] != before.anonymous_id
    visitor.visit("/")
    expect_new_visitor(before, visitor)


ASKED = """window.waits = [];
const { Module } = WebAssembly, load = window.fetch;
let asked = false;
window.fetch = function (input) {
    asked ||= String(input).endsWith("/python.wasm");
    return load.apply(this, arguments);
};
WebAssembly.Module = new Proxy(Module, {
    construct(real, given) {
        if (!asked) waits.push("the compiler");
        return new real(...given);
    },
});"""


def test_a_boot_waits_for_no_compiler_before_it_asks_for_its_files(visitor: Visitor) -> None:
    """In WebKit the compiler may be busy with the page before."""
    visitor.page.add_init_script(ASKED)
    visitor.visit("/")
    assert visitor.evaluate("() => waits") == []


@pytest.fixture
def worker_site(collector: Collector) -> Iterator[str]:
    """A page whose Python runs in a worker, of another origin than the collector's."""
    head = f"<script>{snippet('engines', collector.url, options={'worker': True})}</script>"

    async def page(request: Request) -> HTMLResponse:
        return HTMLResponse(f'<!doctype html><html lang="en"><head><title>Worker</title>{head}</head></html>')

    with serving(Starlette(routes=[Route("/", page)])) as url:
        yield url


@pytest.mark.usefixtures("complaints")
def test_python_in_a_worker_knows_who_came_back(visitor: Visitor, worker_site: str, expect_event: ExpectEvent) -> None:
    visitor.visit(worker_site)
    loaded = visitor.evaluate(LOADED)
    assert any(name.endswith("host.js") for name in loaded)
    assert not any(name.endswith(("python.js", "memory.bin")) for name in loaded)
    visitor.evaluate(KNOW)
    before = visitor.identity
    assert before.cookie_anonymous_id
    visitor.visit(worker_site)
    visitor.evaluate("() => analytics.track('Came Back').then(() => null)")
    expect_event("Came Back", user_id="u1", anonymous_id=before.anonymous_id)
    visitor.page.evaluate("() => { analytics.reset(); analytics.track('Left'); location.assign('about:blank'); }")
    assert expect_event("Left", user_id=None)["anonymousId"] != before.anonymous_id
