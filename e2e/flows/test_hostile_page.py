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


@pytest.fixture(params=["before", "behind"])
def site(request: pytest.FixtureRequest, collector: Collector) -> Iterator[str]:
    """A page with a hostile script before or behind its snippet."""
    text = snippet("hostile", collector.url)
    scripts = f"{PROTOTYPE}\n{text}" if request.param == "before" else f"{text}\n{PROTOTYPE}\n{REPLACED}"
    with serving(stock_site(PAGE.format(title="Hostile", snippet=scripts, body=""))) as url:
        yield url


def test_the_life_of_an_identity_is_told_as_in_any_page(
    visitor: Visitor, collector: Collector, stored: Callable[..., dict[str, Any]]
) -> None:
    visitor.visit("/")
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
    assert visitor.errors == []


def test_who_leaves_such_a_page_at_once_is_told_of(visitor: Visitor, stored: Callable[..., dict[str, Any]]) -> None:
    visitor.page.route("**/*.wasm", lambda route: None)
    visitor.page.goto(visitor.base_url + "/")
    visitor.evaluate("() => { analytics.track('Early'); }")
    visitor.page.goto("about:blank")
    assert stored("track", "Early")["anonymousId"]
