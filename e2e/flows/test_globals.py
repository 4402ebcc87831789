"""The name that a source has in its page: another library's, two sources, a script that is run again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flows.reference_library import PAGE, stock_site
from pytest_satsuma import Visitor
from satsuma_server import snippet
from satsuma_server.testing import Collector, serving

OTHER = "window.analytics = {track() { window.heard = 'other'; }};"


@pytest.fixture
def site(request: pytest.FixtureRequest, collector: Collector) -> Iterator[str]:
    """Two sources, of which the second has a name of its own; another library may have the name of the first."""
    named = snippet("second", collector.url, options={"globalAnalyticsKey": "second"})
    # Run again, as Turbo and htmx do.
    scripts = "\n".join([request.param, snippet("first", collector.url), named, named])
    with serving(stock_site(PAGE.format(title="Names", snippet=scripts, body=""))) as url:
        yield url


@pytest.mark.parametrize("site", [OTHER], indirect=True)
def test_a_name_that_is_taken_is_left_alone_and_another_name_helps(
    visitor: Visitor, collector: Collector, warnings: list[str]
) -> None:
    visitor.page.goto(visitor.base_url)
    visitor.until(lambda: visitor.evaluate("() => window.second.initialized"), "the second source")
    visitor.evaluate("() => { analytics.track('Theirs'); second.track('Ours'); }")
    events = collector.wait_for(lambda events: len(events) >= 2)
    assert [event.get("event", event["type"]) for event in events] == ["page", "Ours"]
    assert visitor.evaluate("() => [window.heard, Object.keys(analytics)]") == ["other", ["track"]]
    assert len([text for text in warnings if "globalAnalyticsKey" in text]) == 1
    assert visitor.errors == []


@pytest.mark.parametrize("site", [""], indirect=True)
def test_two_sources_with_two_names_know_one_visitor(
    visitor: Visitor, collector: Collector, warnings: list[str]
) -> None:
    visitor.page.goto(visitor.base_url)
    visitor.until(lambda: visitor.evaluate("() => window.second.initialized && analytics.initialized"), "both sources")
    visitor.evaluate("() => { analytics.identify('u1'); analytics.track('First'); second.track('Second'); }")
    events = collector.wait_for(lambda events: len(events) >= 5)
    assert sorted(event.get("event", event["type"]) for event in events) == [
        *("First", "Second", "identify", "page", "page")
    ]
    assert len({event["anonymousId"] for event in events}) == 1
    assert {event["userId"] for event in events if event["type"] == "track"} == {"u1"}
    assert (warnings, visitor.errors) == ([], [])
