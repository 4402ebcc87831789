"""Before Python is up, and how it comes up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pytest_satsuma import Visitor
from satsuma_server.testing import Collector

Stored = Callable[..., dict[str, Any]]


def test_calls_made_before_python_is_up_keep_their_order_their_time_and_their_page(
    visitor: Visitor, collector: Collector
) -> None:
    script = """
        document.addEventListener("DOMContentLoaded", () => {
            window.calledAt = Date.now();
            analytics.track("First");
            history.pushState({}, "", "/elsewhere?moved=1");
            analytics.identify("u1", {plan: "premium"});
            analytics.track("Second");
        });
    """
    visitor.page.add_init_script(script)
    visitor.visit("/")
    events = collector.wait_for(lambda events: len(events) == 4)
    assert [event.get("event", event["type"]) for event in events] == ["page", "First", "identify", "Second"]
    assert [event["userId"] for event in events] == [None, None, "u1", "u1"]
    paths = [event["context"]["page"]["path"] for event in events]
    assert paths == ["/", "/", "/elsewhere", "/elsewhere"]
    called_at = visitor.evaluate("() => new Date(window.calledAt).toISOString()")
    assert events[1]["originalTimestamp"][:21] == called_at[:21]


def test_python_starts_from_the_memory_image_without_the_standard_library(visitor: Visitor) -> None:
    urls: list[str] = []
    visitor.page.on("request", lambda request: urls.append(request.url))
    visitor.visit("/")
    assert any(url.endswith("python.wasm") for url in urls)
    assert not any("stdlib" in url or "pyodide" in url for url in urls)


def test_a_memory_image_that_cannot_be_restored_falls_back_to_the_slow_way(
    visitor: Visitor, stored: Stored, warnings: list[str]
) -> None:
    allowed = {"Access-Control-Allow-Origin": "*"}
    visitor.page.route("**/python.wasm", lambda route: route.fulfill(body=b"not a module", headers=allowed))
    visitor.visit("/")
    assert stored("page")["anonymousId"]
    assert len([text for text in warnings if "[satsuma]" in text and "memory image" in text]) == 1
    # The browser itself complains of a file that isn't what the loader says it should be.
    assert all("integrity" in error for error in visitor.errors)
    visitor.errors.clear()


def test_settings_that_cannot_be_had_are_an_error_on_the_console(visitor: Visitor, site: str) -> None:
    allowed = {"Access-Control-Allow-Origin": "*"}
    visitor.page.route("**/settings", lambda route: route.fulfill(status=503, headers=allowed))
    visitor.page.goto(site)
    said = "The settings of the source could not be had"
    visitor.until(lambda: any(said in line for line in visitor.errors), "the console to say so")
    visitor.errors.clear()


def test_visitors_booted_from_one_image_share_no_randomness(
    new_device: Callable[[], Visitor], collector: Collector
) -> None:
    """All pages restored from one memory image start with the same state of Python's random."""
    for _ in range(5):
        visitor = new_device()
        visitor.visit("/")
        visitor.evaluate("() => Promise.all(Array.from({length: 20}, (_, i) => analytics.track(`E${i}`)))")
    events = collector.wait_for(lambda events: len(events) == 105)
    assert len({event["anonymousId"] for event in events}) == 5
    assert len({event["messageId"] for event in events}) == 105


def test_calls_after_boot_return_promises_of_what_was_stored(visitor: Visitor, collector: Collector) -> None:
    visitor.visit("/")
    context = visitor.evaluate("() => analytics.track('Hello', {n: 1}).then((context) => context)")
    assert context["delivered"] is True
    assert context["event"]["messageId"] in {event["messageId"] for event in collector.events()}


def test_hostile_values_reach_the_collector_or_a_warning_but_never_the_page(visitor: Visitor, stored: Stored) -> None:
    visitor.visit("/")
    refused = visitor.evaluate("""async () => {
        const loop = {name: "loop"}; loop.self = loop;
        await analytics.track("Odd", {when: new Date(0), nothing: undefined, nan: NaN, big: 2n ** 70n, loop,
            node: document.body, html: "<script>alert(1)</script>", lone: "\\ud800", f() {}});
        const refused = await analytics.track().catch((error) => error.message);
        await analytics.page(Symbol("x"));
        return refused;
    }""")
    assert refused == "Event missing"
    properties = stored("track", "Odd")["properties"]
    assert properties["when"] == "1970-01-01T00:00:00.000Z"
    assert properties["nan"] is None
    assert properties["big"] == str(2**70)
    assert properties["loop"] == {"name": "loop"}
    assert properties["html"] == "<script>alert(1)</script>"
    assert "nothing" not in properties


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_ten_thousand_ids_over_fifty_contexts_never_repeat(
    new_device: Callable[[], Visitor], collector: Collector
) -> None:
    """All fresh pages come from one image; each makes anonymousIds and messageIds of its own."""
    seen: list[str] = []
    for _ in range(50):
        visitor = new_device()
        visitor.visit("/")
        made = visitor.evaluate("""async () => {
            const ids = [];
            for (let i = 0; i < 100; i++) {
                analytics.reset();
                const context = await analytics.track("Made");
                ids.push(context.event.anonymousId, context.event.messageId);
            }
            return ids;
        }""")
        seen += made
        visitor.context.close()
    assert len(seen) == len(set(seen)) == 10_000
