"""A page that requires Trusted Types: no script's address may be a text, unless a policy has looked at it."""

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


@pytest.fixture
def allowed() -> str:
    """What the page's policy says of Trusted Types, but that it requires them."""
    return "trusted-types satsuma"


@pytest.fixture
def options() -> dict[str, Any]:
    """The load options."""
    return {}


@pytest.fixture
def site(collector: Collector, allowed: str, options: dict[str, Any]) -> Iterator[str]:
    """A site with the snippet in its page, and a strict policy."""
    script = snippet("trusted", collector.url, options=options) + "\nanalytics.track('Signed Up');"
    html = PAGE.format(title="Trusted", snippet=script, body="")
    scripts = f"script-src 'unsafe-inline' {collector.url} 'wasm-unsafe-eval'; worker-src blob:"
    policy = f"{scripts}; connect-src {collector.url}; require-trusted-types-for 'script'; {allowed}"
    headers = {"Content-Security-Policy": policy}

    async def page(_: Request) -> Response:
        return HTMLResponse(html, headers=headers)

    with serving(Starlette(routes=[Route("/", page)])) as url:
        yield url


@pytest.mark.parametrize("options", [{}, {"worker": True}], ids=["page", "worker"])
def test_a_page_that_allows_our_policy_is_tracked(
    visitor: Visitor, stored: Stored, warnings: list[str], collector: Collector
) -> None:
    visitor.visit("/")
    stored("track", "Signed Up")
    assert (warnings, visitor.errors) == ([], [])
    # The policy is ours alone: nobody gets another script past it.
    ask = """address => {
        const mark = Object.getOwnPropertySymbols(window).find((one) => String(one).includes("/analytics.js/"));
        try { return Boolean(window[mark].createScriptURL(address)); } catch (error) { return false; }
    }"""
    inside = f"{collector.url}/analytics.js/runtime/x.js"
    outside = ["https://evil.example/analytics.js/x.js", "data:text/javascript,1", "/analytics.js/x.js"]
    outside += [f"{collector.url}/other.js", f"{collector.url}/analytics.js/%2e%2e/console.js"]
    assert [visitor.evaluate(ask, address) for address in [inside, *outside]] == [True, *[False] * len(outside)]


@pytest.mark.parametrize("allowed", ["trusted-types another"])
def test_a_page_that_does_not_allow_it_is_told_how_and_loses_no_call(
    visitor: Visitor, stored: Stored, warnings: list[str], collector: Collector
) -> None:
    visitor.page.goto(visitor.base_url)
    (told,) = warnings
    url = collector.url
    lines = [f"script-src {url} 'wasm-unsafe-eval';", f"connect-src {url};", "trusted-types satsuma;"]
    assert [line for line in lines if line not in told] == []
    stored("page")
    stored("track", "Signed Up")
    # All else that the console has is the browser's own.
    assert all("The action has been blocked" in error for error in visitor.errors)
    visitor.errors.clear()


@pytest.mark.parametrize("allowed", ["trusted-types default 'allow-duplicates'"])
def test_a_policy_for_everything_is_enough(visitor: Visitor, stored: Stored, warnings: list[str]) -> None:
    visitor.page.add_init_script("trustedTypes.createPolicy('default', {createScriptURL: (url) => url})")
    visitor.page.goto(visitor.base_url)
    visitor.wait_for_boot()
    stored("track", "Signed Up")
    assert warnings == []
    # The browser tells that our policy is none of those that are allowed.
    visitor.errors.clear()
