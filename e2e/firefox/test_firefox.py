"""The same SDK in another engine: Firefox, as it comes, in the demo shop.

One browser per test, and each in few steps: what is common to all browsers is tested in Chromium.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from firefox.bidi import Tab, find_firefox, firefox
from satsuma_server import snippet
from satsuma_server.testing import Collector, serving
from satsuma_shop.app import create_app
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

Stored = Callable[..., dict[str, Any]]

PROGRAM = find_firefox()

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="there is no Firefox (Debian: apt-get install firefox-esr)")

READY = "new Promise((go) => analytics.ready(() => go(true)))"
ANONYMOUS_ID = "analytics.user().anonymousId()"
LOADED = "performance.getEntriesByType('resource').map((entry) => entry.name)"


@pytest.fixture
def shop(collector: Collector, tmp_path: Path) -> Iterator[str]:
    """The demo shop."""
    with serving(create_app(collector.url, collector.token, data=tmp_path / "shop")) as url:
        yield url


@pytest.fixture
def tab() -> Iterator[Tab]:
    """A browser that was never there. What it complains of fails the test."""
    with firefox(str(PROGRAM)) as tab:
        yield tab
        assert tab.said == []


def visit(tab: Tab, shop: str) -> None:
    """Go to the shop and stay until Python is up."""
    tab.visit(shop)
    tab.evaluate(READY)


def test_python_starts_from_the_memory_image(tab: Tab, shop: str) -> None:
    visit(tab, shop)
    loaded = tab.evaluate(LOADED)
    assert any(name.endswith("memory.bin") for name in loaded)
    assert not any("pyodide" in name or "stdlib" in name for name in loaded)


def test_a_visitor_who_signs_up_is_the_one_who_came_anonymously(tab: Tab, shop: str, stored: Stored) -> None:
    visit(tab, shop)
    before = tab.evaluate(ANONYMOUS_ID)
    tab.evaluate("analytics.identify('u1', {plan: 'premium'}).then(() => true)")
    visit(tab, shop)
    tab.evaluate("analytics.track('Came Back').then(() => true)")
    event = stored("track", "Came Back")
    assert (event["anonymousId"], event["userId"]) == (before, "u1")
    assert "Firefox" in event["context"]["userAgent"]
    assert tab.evaluate("analytics.user().traits()") == {"plan": "premium"}


def test_reset_makes_another_visitor(tab: Tab, shop: str, stored: Stored) -> None:
    visit(tab, shop)
    before = tab.evaluate(ANONYMOUS_ID)
    tab.evaluate("analytics.identify('u1').then(() => true)")
    tab.evaluate("analytics.reset()")
    tab.evaluate("analytics.track('After').then(() => true)")
    event = stored("track", "After")
    assert event["anonymousId"] != before
    assert event["userId"] is None


def test_a_cookie_that_was_deleted_is_healed_from_local_storage(tab: Tab, shop: str) -> None:
    visit(tab, shop)
    before = tab.evaluate(ANONYMOUS_ID)
    tab.clear_cookies()
    assert "ajs_anonymous_id" not in tab.evaluate("document.cookie")
    visit(tab, shop)
    assert tab.evaluate(ANONYMOUS_ID) == before
    assert f"ajs_anonymous_id={before}" in tab.evaluate("document.cookie")


def test_a_call_in_the_moment_of_leaving_arrives(tab: Tab, shop: str, stored: Stored) -> None:
    visit(tab, shop)
    anonymous_id = tab.evaluate(ANONYMOUS_ID)
    tab.evaluate("(analytics.track('Left'), setTimeout(() => location.assign('about:blank')), 1)")
    assert stored("track", "Left")["anonymousId"] == anonymous_id


def test_calls_made_before_python_is_up_are_not_lost(tab: Tab, shop: str, stored: Stored) -> None:
    tab.run_in_pages("() => document.addEventListener('DOMContentLoaded', () => analytics.track('Early', {n: 1}))")
    tab.visit(shop)
    assert stored("track", "Early")["properties"] == {"n": 1}


@pytest.fixture
def worker_site(collector: Collector) -> Iterator[str]:
    """A page whose Python runs in a worker, of another origin than the collector's."""
    head = f"<script>{snippet('firefox', collector.url, options={'worker': True})}</script>"

    async def page(request: Request) -> HTMLResponse:
        return HTMLResponse(f'<!doctype html><html lang="en"><head><title>Worker</title>{head}</head></html>')

    with serving(Starlette(routes=[Route("/", page)])) as url:
        yield url


def test_python_in_a_worker_knows_who_came_back(tab: Tab, worker_site: str, stored: Stored) -> None:
    visit(tab, worker_site)
    loaded = tab.evaluate(LOADED)
    assert any(name.endswith("host.js") for name in loaded)
    assert not any(name.endswith(("python.js", "memory.bin")) for name in loaded)
    before = tab.evaluate(ANONYMOUS_ID)
    tab.evaluate("analytics.identify('u1', {plan: 'premium'}).then(() => true)")
    assert f"ajs_anonymous_id={before}" in tab.evaluate("document.cookie")
    visit(tab, worker_site)
    tab.evaluate("analytics.track('Came Back').then(() => true)")
    event = stored("track", "Came Back")
    assert (event["anonymousId"], event["userId"]) == (before, "u1")
    tab.evaluate("analytics.reset()")
    tab.evaluate("analytics.track('After').then(() => true)")
    event = stored("track", "After")
    assert event["anonymousId"] != before
    assert event["userId"] is None


def test_a_call_to_a_worker_in_the_moment_of_leaving_arrives(tab: Tab, worker_site: str, stored: Stored) -> None:
    visit(tab, worker_site)
    anonymous_id = tab.evaluate(ANONYMOUS_ID)
    tab.evaluate("(analytics.track('Left'), location.assign('about:blank'), 1)")
    assert stored("track", "Left")["anonymousId"] == anonymous_id
