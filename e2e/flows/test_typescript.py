"""The types of ``@segment/analytics-next`` describe our ``window.analytics``: code that they let pass runs, too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flows.compiler import compiled
from flows.reference_library import PAGE, stock_site
from pytest_satsuma import Visitor
from satsuma_server import snippet
from satsuma_server.testing import Collector, serving


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page's code, as the compiler has written it in JavaScript: it refuses what the types don't allow."""
    return compiled(tmp_path_factory.mktemp("typed"), ("page.ts",))["page.ts"]


@pytest.fixture
def site(collector: Collector) -> Iterator[str]:
    with serving(stock_site(PAGE.format(title="Typed", snippet=snippet("typed", collector.url), body=""))) as url:
        yield url


def test_a_page_in_typescript_gets_what_the_types_promise(visitor: Visitor, script: str) -> None:
    visitor.visit("/")
    visitor.page.add_script_tag(content=script, type="module")
    # A module runs after the script element is there, whenever the browser comes to it.
    visitor.page.wait_for_function("() => window.everyCall")
    told: dict[str, Any] = visitor.evaluate("() => everyCall()")
    events = {(event["type"], event.get("event")): event for event in told["events"]}
    assert events["track", "Ordered"]["properties"] == {"total": 5, "currency": "EUR"}
    assert events["track", "Ordered"]["integrations"] == {"Other": False}
    assert events["track", "Whole"]["properties"] == {"total": 6, "currency": "EUR"}
    assert {kind for kind, _ in events} == {"track", "page", "screen", "identify", "group", "alias"}
    assert told["identity"] == [
        *["u1", "string", {"plan": "pips"}, "g1", {"name": "Satsuma"}, "u1"],
        *[{"plan": "grove"}, "g2", True, "a1", True],
    ]
    # What was called before the listeners were there may be delivered after it.
    assert told["listeners"][:2] == [[1], [1]] and told["listeners"][-2:] == ["page", "track"]
    assert told["settings"] == [
        *["typed", 400, "string", "string", True, [], {}, "object", "Normal"],
        *[{"a": 1}, ["Page Enrichment", "Segment.io", "Typed", "Source Middleware middleware"], []],
    ]
    assert told["elements"] == [True] * 6
    assert (told["registered"], told["ready"], told["asked"], told["used"]) == (0, True, ["Asked"], True)
    assert told["deregistered"] == ["plugin Nothing not found"]
    assert told["seen"][0] == "object"
    assert {"track object", "identify object", "alias object", "ready", "function"} <= set(told["seen"])
