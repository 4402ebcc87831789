"""Every scenario looks the same with analytics.js and with Satsuma, but for what is meant to differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from parity.difference import differences
from parity.intended import REASONS
from parity.report import DOCUMENT, render
from parity.scenarios import SCENARIOS
from parity.stage import OURS, REFERENCE
from parity.story import Scenario
from pytest_satsuma.engines import CHROMIUM

Play = Callable[[str, Scenario], dict[str, Any]]

MOST_PLAYS = 3
"""How often the reference is played where it has fewer events: on a busy machine it loses a link's, which it follows
after 0.3 s, whether or not anything has been sent. In engines other than Chromium it is played again wherever something
differs: in WebKit a cookie that was just removed can still be read, and now and then the reference takes the old userId
up again after a `reset()`."""


def chosen() -> Iterator[Any]:
    """Yield all scenarios; two of three that differ in nothing but what they tell are left to ./dev parity."""
    for number, scenario in enumerate(SCENARIOS):
        special = {*scenario.intended.values()} - {"diagnostics"} or scenario.reference_fails or scenario.behaviours[2:]
        marks = [] if special or number % 3 == 0 else [pytest.mark.soak]
        yield pytest.param(scenario, id=scenario.title, marks=marks)


@pytest.mark.parametrize("scenario", [*chosen()])
def test_both_libraries_leave_the_same_to_be_seen(
    scenario: Scenario, play: Play, request: pytest.FixtureRequest
) -> None:
    elsewhere = request.config.getoption("satsuma_engine") not in (None, CHROMIUM)
    ours = play(OURS, scenario)
    assert not ours.pop("errors")
    if scenario.reference_fails:
        assert ours["events"]
        return
    for _ in range(MOST_PLAYS):
        reference = play(REFERENCE, scenario)
        del reference["errors"]  # Its own business.
        found = list(differences(reference, ours))
        unmeant = [line for line in found if not line.startswith(tuple(scenario.intended))]
        if not unmeant or (len(reference["events"]) >= len(ours["events"]) and not elsewhere):
            break
    assert not unmeant, "\n".join(["the libraries differ:", *unmeant])
    stale = [path for path in scenario.intended if not any(line.startswith(path) for line in found)]
    assert not stale, f"these no longer differ: {stale}"


def test_every_reason_is_needed() -> None:
    assert {key for scenario in SCENARIOS for key in scenario.intended.values()} == set(REASONS)


def test_the_document_tells_what_is_compared() -> None:
    assert DOCUMENT.read_text() == render(), "run ./dev parity, which writes it"
