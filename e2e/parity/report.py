"""docs/parity.md: what was compared, and what is meant to differ."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from parity.intended import EVERYWHERE, REASONS
from parity.scenarios import CHAPTERS
from parity.story import Scenario

DOCUMENT = Path(__file__).parents[2] / "docs" / "parity.md"
LOCK = Path(__file__).parents[1] / "libraries" / "package-lock.json"
SAME = "the same"
INTRODUCTION = """# Parity with analytics.js

Written by `./dev parity`, which compares {count} behaviours in {stories} scenarios in a real Chromium, each played with
`@segment/analytics-next` {version} and with Satsuma behind the same stock snippet: cookies (value, lifetime, domain,
path, SameSite, Secure), localStorage, every posted event and what the calls give back. Anything that differs and is not
listed here fails the suite, and so does anything listed here that no longer differs.
"""


def render() -> str:
    """Return the document's text."""
    version = json.loads(LOCK.read_text())["packages"]["node_modules/@segment/analytics-next"]["version"]
    stories = [scenario for scenarios in CHAPTERS.values() for scenario in scenarios]
    count = sum(len(_rows(scenario)) for scenario in stories)
    lines = [INTRODUCTION.format(count=count, stories=len(stories), version=version), *_by_area()]
    lines += ["", "## What is meant to differ", ""]
    for key, reason in REASONS.items():
        lines.append(f'- <a id="{key}"></a>**{key}**: {reason}')
    lines += ["", "In every scenario:", "", *(f"- {text}" for text in EVERYWHERE)]
    for title, scenarios in CHAPTERS.items():
        lines += ["", f"## {title}", "", "| scenario | result |", "|---|---|"]
        rows = [row for scenario in scenarios for row in _rows(scenario)]
        lines += [f"| {_plain(name)} | {found} |" for name, found in rows]
    return "\n".join([*lines, ""])


def _by_area() -> Iterator[str]:
    yield from ("## By area", "", "| area | behaviours compared | the same | meant to differ |", "|---|---|---|---|")
    counted = {title: _counted(scenarios) for title, scenarios in CHAPTERS.items()}
    for title, (compared, same) in counted.items():
        yield f"| {title} | {compared} | {same} | {compared - same} |"
    compared, same = map(sum, zip(*counted.values(), strict=True))
    yield f"| **all** | **{compared}** | **{same}** | **{compared - same}** |"


def _counted(scenarios: Iterable[Scenario]) -> tuple[int, int]:
    """Return how many behaviours of scenarios are compared, and in how many of them both libraries do the same."""
    found = [result for scenario in scenarios for _, result in _rows(scenario)]
    return len(found), found.count(SAME)


def _rows(scenario: Scenario) -> list[tuple[str, str]]:
    """Return what a scenario compares, each with what it has shown: one row, or one for each of its behaviours."""
    if not scenario.behaviours:
        return [(scenario.title, result(scenario))]
    told = {name: _of(scenario, f".told[0].{name}") for name in scenario.behaviours}
    if posted := _of(scenario, ".events"):
        told["what is posted"] = posted
    return [(f"{scenario.title}: {name}", _differing(keys) or SAME) for name, keys in told.items()]


def _of(scenario: Scenario, place: str) -> set[str]:
    """Return the reasons for which what lies at a place is meant to differ."""
    return {key for path, key in scenario.intended.items() if place.startswith(path) or path.startswith(place)}


def result(scenario: Scenario) -> str:
    """Return what a scenario that passed has shown."""
    return "".join(_results(scenario)) or SAME


def _results(scenario: Scenario) -> Iterator[str]:
    if scenario.reference_fails:
        yield f"works; the reference {scenario.reference_fails}"
    yield _differing(set(scenario.intended.values()))


def _differing(keys: set[str]) -> str:
    return "differs as meant: " + ", ".join(f"[{key}](#{key})" for key in sorted(keys)) if keys else ""


def _plain(title: str) -> str:
    return title.replace("|", "\\|").replace("<", "&lt;")
