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


CLASSIC = """
window.amplitudeIntegration = class {
  constructor() { this.all = {}; window.given = []; }
  once(name, listener) { (this.all[name] ??= []).push(listener); }
  on(name, listener) { this.once(name, listener); }
  initialize() { for (const name of ["initialize", "ready"]) this.all[name].forEach((listener) => listener()); }
  invoke(method, event) { given.push(event.event()); }
};
window.amplitudeLoader = () => {};
"""
HELD = {"load": False}
NAMED_LIKE_PARTS = """<!doctype html><html><head><link rel="icon" href="data:,"></head><body>
<a id="amplitudeDeps" href="x:y/../../evil.js?"></a><a id="amplitudeDeps" href="x:y/../../evil.js?"></a>
<a id="__SEGMENT_INSPECTOR__"></a><script>SNIPPET</script></body></html>"""


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

    async def comments(_: Request) -> Response:
        return HTMLResponse(NAMED_LIKE_PARTS.replace("SNIPPET", snippet("attacked", collector.url, options=HELD)))

    routes = [Route("/evil.py", evil), Route("/comments", comments), Route("/{way}/{kind}", page)]
    with serving(Starlette(routes=routes)) as url:
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


def test_no_element_is_taken_for_what_a_destinations_script_leaves(visitor: Visitor, collector: Collector) -> None:
    """Two links of one id once made the page load any script of the CDN's host."""
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    visitor.page.route(
        "**/next-integrations/**", lambda route: route.fulfill(body=CLASSIC, content_type="text/javascript")
    )
    visitor.page.goto(f"{visitor.base_url}/comments")
    visitor.evaluate("""() => analytics.load("attacked", {updateCDNSettings: (settings) =>
        ({...settings, integrations: {...settings.integrations, Amplitude: {type: "browser"}}})})""")
    visitor.until(lambda: visitor.evaluate(READY), "Python")
    visitor.evaluate("() => analytics.ready().then(() => analytics.track('Attacked')).then(() => 1)")
    visitor.until(lambda: visitor.evaluate("() => given.includes('Attacked')"), "the destination")
    assert [url for url in asked if "evil" in url] == []
    assert visitor.evaluate("() => Object.hasOwn(window, '__SEGMENT_INSPECTOR__')") is True
    # Nor is what all objects have taken for a part of an event.
    path = "properties.toString.mark"
    changed = visitor.evaluate(f"async () => (await analytics.track('x')).updateEvent('{path}', 1).properties.toString")
    assert changed == {"mark": 1}
    assert visitor.evaluate("() => ({}).toString.mark === undefined") is True
    assert visitor.errors == []
