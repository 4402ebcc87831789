"""Many visits at random: no call of a visitor who comes back is lost on the way, kept twice or stored out of order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from flows.audits import wrong_findings
from loss.outings import Outing, outings, report, total, walk_all
from loss.scene import OURS, REFERENCE, Scene, Tally, set_up
from matrix.figures import WALK
from pytest_satsuma.engines import CHROMIUM
from rich.console import Console

VISITS, VISITS_ELSEWHERE = 220, 60
"""How many the long walk has in Chromium, and in another engine."""
CALLS_EACH = 9
"""The fewest calls that visits make on an average."""


def walked(browser: Any, scene: Scene, planned: list[Outing], capsys: pytest.CaptureFixture[str]) -> Tally:
    """Make visits, show what became of their calls, and return the sum of those that can be held to it."""
    seen = walk_all(browser, scene, planned)
    with capsys.disabled():
        Console(width=120).print("\n", report(scene.library, seen))
    return total({outing: found for outing, found in seen.items() if outing.returns})


def test_a_dozen_visits_lose_nothing(
    engine_browser: Any, tmp_path: Path, python: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with set_up(OURS, tmp_path, seed=1, python=python) as scene:
        found = walked(engine_browser, scene, outings(seed=1, count=12), capsys)
        # What the visits are made of is the only thing that the audit may find wrong, and on a quick machine it does.
        assert set(wrong_findings(scene.collector)) <= {"calls-on-a-page-that-is-left"}
    assert (found.lost, found.duplicate, found.unordered) == (0, 0, 0)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("library", [pytest.param(OURS), REFERENCE])
def test_hundreds_of_visits(
    library: str,
    engine_browser: Any,
    satsuma_engine: str,
    tmp_path: Path,
    python: str,
    capsys: pytest.CaptureFixture[str],
    record_property: Callable[[str, object], None],
) -> None:
    """Both libraries make the same visits in the same weather; only ours is held to losing nothing, in its order."""
    count = VISITS if satsuma_engine == CHROMIUM else VISITS_ELSEWHERE
    with set_up(library, tmp_path, seed=2, python=python) as scene:
        found = walked(engine_browser, scene, outings(seed=2, count=count), capsys)
    record_property(WALK, (library, asdict(found)))
    assert found.made >= count * CALLS_EACH
    if library == OURS:
        assert (found.lost, found.duplicate, found.unordered) == (0, 0, 0)
