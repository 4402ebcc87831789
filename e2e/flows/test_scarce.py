"""Where the visitor saves data, or connection or memory are small, Python comes only once something asks for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flows.reference_library import PAGE
from pytest_satsuma import Visitor
from satsuma_server import snippet
from satsuma_server.testing import Collector, serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

Stored = Callable[..., dict[str, Any]]

LARGE = ("memory.bin", "python.wasm")
BROWSER = """
    const tell = (name, value) => Object.defineProperty(Navigator.prototype, name, {get: () => value});
    tell("connection", %s);
    tell("deviceMemory", %s);
"""


@pytest.fixture
def site(collector: Collector) -> Iterator[str]:
    """A page that has options by its path."""
    chosen: dict[str, dict[str, object]] = {
        "/": {},
        "/page": {"python": "page"},
        "/collector": {"python": "collector"},
        "/not-early": {"early": False},
    }

    async def page(request: Request) -> HTMLResponse:
        own = snippet("scarce", collector.url, options=chosen[request.url.path])
        return HTMLResponse(PAGE.format(title="Scarce", snippet=own, body=""))

    with serving(Starlette(routes=[Route(path, page) for path in chosen])) as url:
        yield url


def loaded(visitor: Visitor, path: str = "/") -> dict[str, Any]:
    """Open a page; return what it tells of its delivery once the loader is there."""
    visitor.page.goto(visitor.base_url + path)
    visitor.page.wait_for_function("() => analytics.delivery")
    told: dict[str, Any] = visitor.page.evaluate("() => analytics.delivery()")
    return told


def test_a_visitor_who_saves_data_loads_python_only_once_something_asks_for_it(
    visitor: Visitor, stored: Stored, collector: Collector
) -> None:
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    visitor.page.add_init_script(BROWSER % ("{saveData: true, effectiveType: '4g'}", 8))
    assert loaded(visitor).items() >= {"python": "collector", "because": "save-data"}.items()
    visitor.page.evaluate("() => { analytics.identify('peter'); analytics.track('Seen'); }")
    first = stored("track", "Seen")
    assert first["userId"] == "peter"
    visitor.page.evaluate("() => new Promise((go) => requestIdleCallback(go))")
    assert not set(LARGE) & set(asked)
    loaded(visitor)
    visitor.page.evaluate("() => { analytics.track('Seen Again'); }")
    assert stored("track", "Seen Again")["anonymousId"] == first["anonymousId"]
    assert not set(LARGE) & set(asked)
    # `ready` is Python's to answer.
    told = visitor.page.evaluate("() => new Promise((go) => analytics.ready(() => go(analytics.delivery())))")
    assert told.items() >= {"python": "collector", "because": "save-data"}.items()
    assert set(LARGE) <= set(asked)
    visitor.evaluate("() => analytics.track('By Python').then((context) => context.delivered)")
    names = [event.get("event", event["type"]) for event in collector.events()]
    assert names == ["page", "identify", "Seen", "page", "Seen Again", "By Python"]


@pytest.mark.parametrize(
    ("connection", "memory", "path", "python", "because"),
    [
        ("{effectiveType: '3g'}", 8, "/", "collector", "slow connection"),
        ("{effectiveType: 'slow-2g'}", 8, "/", "collector", "slow connection"),
        ("{effectiveType: '4g'}", 0.5, "/", "collector", "little memory"),
        ("{effectiveType: '4g'}", 2, "/", "page", ""),
        ("undefined", "undefined", "/", "page", ""),
        ("{saveData: true}", 8, "/page", "page", ""),
        ("{saveData: true}", 8, "/not-early", "page", ""),
        ("undefined", 8, "/collector", "collector", ""),
    ],
)
def test_the_page_and_the_browser_choose_where_python_is(
    visitor: Visitor, stored: Stored, connection: str, memory: object, path: str, python: str, because: str
) -> None:
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    visitor.page.add_init_script(BROWSER % (connection, memory))
    told = loaded(visitor, path)
    assert (told["python"], told["because"]) == (python, because)
    stored("page")
    assert ("memory.bin" in asked) is (python == "page")


def test_what_a_page_with_python_has_left_is_sent_by_python(visitor: Visitor, stored: Stored) -> None:
    visitor.page.add_init_script(BROWSER % ("{saveData: true}", 8))
    event = {"type": "track", "event": "Left", "messageId": "left-1", "anonymousId": "a"}
    left = json.dumps({"at": 0, "events": [{**event, "timestamp": "2026-01-01T00:00:00Z"}]})
    loaded(visitor)
    visitor.page.evaluate("(left) => localStorage.setItem('satsuma_queue:scarce:gone', left)", left)
    loaded(visitor)
    assert stored("track", "Left")["messageId"] == "left-1"
