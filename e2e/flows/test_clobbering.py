"""HTML that names elements after what a script asks the page for, as `<img name=cookie>` in a comment does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_satsuma import Visitor
from satsuma_server import snippet
from satsuma_server.testing import Collector, serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

EVIL = 'data-options=\'{"pythonPlugins": ["/evil.py"], "consent": "required"}\''

NAMES = (
    *("addEventListener", "body", "cookie", "createElement", "currentScript", "defaultView", "documentElement"),
    *("head", "prerendering", "querySelector", "referrer", "title", "visibilityState"),
)
"""Properties of the document that a script of ours reads, or the interpreter's glue does."""

GLOBALS = ("analytics", "satsuma", "satsumaOffer", "scheduler", "trustedTypes", "_createPyodideModule", "loadPyodide")

READY = "() => Object.hasOwn(window, 'analytics') && window.analytics.initialized"

KINDS = {
    "images": f'<img name="NAME" {EVIL} data-global-segment-analytics-key="stolen">',
    "forms": f'<form name="NAME" {EVIL}><input name="NAME"></form>',
    "frames": '<iframe name="NAME" srcdoc="x"></iframe>',
    "objects": f'<object name="NAME" id="NAME" {EVIL}></object>',
    "two": '<img name="NAME"><img name="NAME">',
}


def page_of(kind: str, head: str) -> str:
    """Return a page with an element of each name, and only then the site's scripts."""
    named = "".join(KINDS[kind].replace("NAME", name) for name in NAMES)
    known = "".join(f'<a id="{name}" href="x:y">{name}</a>' for name in GLOBALS)
    top = '<!doctype html><html><head><link rel="icon" href="data:,"><title>The true title</title></head>'
    return f"{top}<body>{named}{known}{head}</body></html>"


@pytest.fixture
def site(collector: Collector) -> Iterator[str]:
    """A site whose pages have the elements before the snippet: pasted, as a script with an address, without snippet."""
    where = f"{collector.url}/analytics.js"
    heads = {
        "pasted": f"<script>{snippet('attacked', collector.url)}</script>",
        "linked": f'<script src="{where}/snippet.js?writeKey=attacked"></script>',
        "loader": f'<script src="{where}/v1/attacked/analytics.min.js"></script>',
    }

    async def page(request: Request) -> Response:
        html = page_of(request.path_params["kind"], heads[request.path_params["way"]])
        return HTMLResponse(html, headers={"Set-Cookie": "ajs_anonymous_id=known-before"})

    async def evil(_: Request) -> Response:
        return PlainTextResponse("import js\njs.stolen = True\n")

    with serving(Starlette(routes=[Route("/evil.py", evil), Route("/{way}/{kind}", page)])) as url:
        yield url


@pytest.mark.parametrize("way", ["pasted", "linked", "loader"])
def test_no_element_is_taken_for_what_the_script_asks_for(visitor: Visitor, collector: Collector, way: str) -> None:
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    for number, kind in enumerate(KINDS):
        visitor.page.goto(f"{visitor.base_url}/{way}/{kind}", referer="https://elsewhere.test/")
        visitor.until(lambda: visitor.evaluate(READY), kind)
        visitor.evaluate("() => analytics.track('Attacked').then(() => 1)")
        events = collector.wait_for(lambda events, at=number: len(events) >= (at + 1) * (1 if way == "loader" else 2))
        told = events[-1]
        assert told["event"] == "Attacked", kind
        assert told["anonymousId"] == "known-before", kind
        shown = told["context"]["page"]
        assert (shown["title"], shown["referrer"]) == ("The true title", "https://elsewhere.test/"), kind
    assert not [url for url in asked if "evil" in url]
    assert visitor.evaluate("() => 'stolen' in window") is False
    assert visitor.errors == []


def test_calls_of_a_page_that_is_left_at_once_are_the_visitors(visitor: Visitor, collector: Collector) -> None:
    """Before Python is up the snippet alone reads cookies, title and visibility."""
    visitor.page.route("**/analytics.min.js", lambda route: None)
    visitor.page.goto(f"{visitor.base_url}/pasted/images", wait_until="commit")
    visitor.until(lambda: visitor.evaluate("() => Object.hasOwn(window, 'analytics')"), "the snippet")
    visitor.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    visitor.evaluate("() => { dispatchEvent(new PageTransitionEvent('pagehide')); }")
    [told] = collector.wait_for(lambda events: len(events) == 1)
    assert (told["anonymousId"], told["context"]["page"]["title"]) == ("known-before", "The true title")
    assert visitor.errors == []
