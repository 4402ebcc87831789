"""Many visits at random: no call of a visitor who comes back is lost on the way, and none is kept twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from flows.audits import wrong_findings
from loss.outings import Outing, outings, report, total, walk_all
from loss.scene import OURS, REFERENCE, Scene, Tally, set_up
from playwright.sync_api import Browser
from rich.console import Console


def walked(browser: Browser, scene: Scene, planned: list[Outing], capsys: pytest.CaptureFixture[str]) -> Tally:
    """Make visits, show what became of their calls, and return the sum of those that can be held to it."""
    seen = walk_all(browser, scene, planned)
    with capsys.disabled():
        Console(width=120).print("\n", report(scene.library, seen))
    return total({outing: found for outing, found in seen.items() if outing.returns})


def test_a_dozen_visits_lose_nothing(browser: Browser, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with set_up(OURS, tmp_path, seed=1) as scene:
        found = walked(browser, scene, outings(seed=1, count=12), capsys)
        # What the visits are made of is the only thing that the audit may find wrong, and on a quick machine it does.
        assert set(wrong_findings(scene.collector)) <= {"calls-on-a-page-that-is-left"}
    assert (found.lost, found.duplicate) == (0, 0)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("library", [pytest.param(OURS), REFERENCE])
def test_hundreds_of_visits(library: str, browser: Browser, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both libraries make the same visits in the same weather; only ours is held to losing nothing."""
    with set_up(library, tmp_path, seed=2) as scene:
        found = walked(browser, scene, outings(seed=2, count=220), capsys)
    assert found.made >= 2000
    if library == OURS:
        assert (found.lost, found.duplicate) == (0, 0)
