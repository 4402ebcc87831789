"""The life of an identity in pages that have changed the browser's built-in objects, before the snippet or after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flows.hostile_page import PROTOTYPE, REPLACED
from flows.reference_library import PAGE, stock_site
from pytest_satsuma import Visitor
from satsuma_server import snippet
from satsuma_server.testing import Collector, serving

ORDER = "{items: [{sku: 'a', tags: ['x', 'y']}, {sku: 'b'}], text: 'plain', none: null}"


@pytest.fixture(params=["before", "behind", "worker", "plain"])
def site(request: pytest.FixtureRequest, collector: Collector) -> Iterator[str]:
    """A page with a hostile script before or behind its snippet; also where Python is in a worker, or boots plainly."""
    way = request.param
    text = snippet("hostile", collector.url, options={"worker": True} if way == "worker" else {})
    scripts = f"{PROTOTYPE}\n{text}" if way == "before" else f"{text}\n{PROTOTYPE}\n{REPLACED}"
    with serving(stock_site(PAGE.format(title="Hostile", snippet=scripts, body=""))) as url:
        yield url


@pytest.fixture(autouse=True)
def plainly(request: pytest.FixtureRequest, visitor: Visitor) -> Iterator[None]:
    """In one of the cases, have no memory image to start from; that it is missing, the browser may tell."""
    plain = request.node.callspec.params["site"] == "plain"
    if plain:
        visitor.context.route("**/memory.bin", lambda route: route.abort())
    yield
    visitor.errors[:] = [error for error in visitor.errors if not plain or "Failed to load" not in error]


def test_the_life_of_an_identity_is_told_as_in_any_page(
    visitor: Visitor,
    collector: Collector,
    stored: Callable[..., dict[str, Any]],
    warnings: list[str],
    request: pytest.FixtureRequest,
) -> None:
    visitor.visit("/")
    way = request.node.callspec.params["site"]
    assert bool(visitor.page.workers) is (way == "worker")
    first = stored("page")["anonymousId"]
    visitor.evaluate("() => { analytics.identify('u1', {email: 'peter@example.com', tags: ['new']}); }")
    identified = stored("identify")
    assert (identified["userId"], identified["anonymousId"]) == ("u1", first)
    assert identified["traits"] == {"email": "peter@example.com", "tags": ["new"]}
    visitor.evaluate(f"() => {{ analytics.track('Ordered', {ORDER}); }}")
    ordered = stored("track", "Ordered")
    assert ordered["properties"] == {
        "items": [{"sku": "a", "tags": ["x", "y"]}, {"sku": "b"}],
        "text": "plain",
        "none": None,
    }
    assert ordered["timestamp"][:3] == ordered["receivedAt"][:3] == "202"

    visitor.evaluate("() => { analytics.reset(); analytics.track('Left'); }")
    left = stored("track", "Left")
    assert left["userId"] is None
    assert left["anonymousId"] not in (None, first)
    assert len({event["messageId"] for event in collector.events()}) == 4
    # The browser's own: what the page is told of its cookies is nothing.
    assert left["anonymousId"] in {cookie["value"] for cookie in visitor.context.cookies()}
    assert [text for text in warnings if "slow way" not in text] == []


def test_who_leaves_such_a_page_at_once_is_told_of(visitor: Visitor, stored: Callable[..., dict[str, Any]]) -> None:
    visitor.page.route("**/*.wasm", lambda route: None)
    visitor.page.goto(visitor.base_url + "/")
    visitor.evaluate("() => { analytics.track('Early'); }")
    visitor.page.goto("about:blank")
    assert stored("track", "Early")["anonymousId"]
