"""The identity lab plays the flows of the specification; a flow that is not as it says is told of."""

from __future__ import annotations

import pytest
from flows.audits import wrong_findings
from pytest_satsuma import Visitor
from satsuma_server.testing import Collector
from satsuma_shop.scenarios import SCENARIOS

QUICK = ("redirect", "sub-domains", "names", "safari")
"""Flows that every run plays, beside the one of the walkthrough; the rest is left to ./dev soak."""

FLOWS = [pytest.param(flow.id, marks=() if flow.id in QUICK else (pytest.mark.soak,), id=flow.id) for flow in SCENARIOS]


def play(visitor: Visitor, flow: str) -> str:
    """Play a flow to its end, and return what the lab says of it."""
    visitor.page.goto(f"{visitor.base_url}/lab/{flow}")
    visitor.until(visitor.page.locator("#play").is_enabled, "the devices", 60)
    visitor.page.click("#play")
    outcome = "() => document.querySelector('#state').dataset.outcome"
    visitor.until(lambda: visitor.evaluate(outcome), "the flow to end", 120)
    return visitor.page.inner_text("#steps")


@pytest.mark.parametrize("flow", FLOWS)
def test_every_step_does_what_the_specification_says(visitor: Visitor, collector: Collector, flow: str) -> None:
    steps = play(visitor, flow)
    states = visitor.evaluate("() => [...document.querySelectorAll('#steps > li')].map((line) => line.dataset.state)")
    assert set(states) == {"agrees"}, steps
    assert visitor.page.locator(f"[data-flow={flow}][data-passed]").count() == 1
    events = collector.events()
    assert len({event["messageId"] for event in events}) == len(events)
    assert not wrong_findings(collector)
    if flow == "two-logins":
        identified = [event for event in events if event["type"] == "identify"]
        assert len({event["userId"] for event in identified}) == 1
        assert len({event["anonymousId"] for event in identified}) == 2
    if flow == "redirect":
        # The browser itself complains of what was being loaded when a page is left at once.
        visitor.errors[:] = [error for error in visitor.errors if "Fetch API cannot load" not in error]


def test_a_device_is_opened_once(visitor: Visitor) -> None:
    """A second opening could take the page away that a question was just put to, which then has no answer."""
    opened: list[str] = []
    visitor.page.on("request", lambda request: opened.append(request.url))
    visitor.page.goto(f"{visitor.base_url}/lab/two-logins")
    visitor.until(visitor.page.locator("#step").is_enabled, "the devices", 60)
    blank = [url for url in opened if url.endswith("/qa/blank")]
    assert len(blank) == len(set(blank)) == 2


def test_a_step_that_goes_wrong_is_told(visitor: Visitor) -> None:
    visitor.page.add_init_script("""
        if (location.hostname.startsWith("laptop.")) localStorage.setItem("ajs_user_id", '"intruder"');
    """)
    visitor.page.goto(f"{visitor.base_url}/lab/expiry")
    visitor.until(visitor.page.locator("#step").is_enabled, "the devices", 60)
    visitor.page.click("#step")
    step = visitor.page.locator("#steps > li").first
    visitor.until(lambda: step.get_attribute("data-state") in ("agrees", "differs"), "the step", 60)
    assert step.get_attribute("data-state") == "differs"
    assert "userId intrud is new" in step.inner_text()
