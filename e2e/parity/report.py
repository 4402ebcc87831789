"""docs/parity.md: what was compared, and what is meant to differ."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from parity.intended import EVERYWHERE, REASONS
from parity.scenarios import CHAPTERS
from parity.story import Scenario

DOCUMENT = Path(__file__).parents[2] / "docs" / "parity.md"
LOCK = Path(__file__).parents[1] / "libraries" / "package-lock.json"
SAME = "the same"
INTRODUCTION = """# Parity with analytics.js

Written by `./dev parity`, which plays {count} scenarios in a real Chromium, each with `@segment/analytics-next`
{version} and with Satsuma behind the same stock snippet, and compares cookies (value, lifetime, domain, path, SameSite,
Secure), localStorage, every posted event and what the calls give back. Anything that differs and is not listed here
fails the suite, and so does anything listed here that no longer differs.
"""


def render() -> str:
    """Return the document's text."""
    version = json.loads(LOCK.read_text())["packages"]["node_modules/@segment/analytics-next"]["version"]
    count = sum(len(scenarios) for scenarios in CHAPTERS.values())
    lines = [INTRODUCTION.format(count=count, version=version), *_by_area(), "", "## What is meant to differ", ""]
    for key, reason in REASONS.items():
        lines.append(f'- <a id="{key}"></a>**{key}**: {reason}')
    lines += ["", "In every scenario:", "", *(f"- {text}" for text in EVERYWHERE)]
    for title, scenarios in CHAPTERS.items():
        lines += ["", f"## {title}", "", "| scenario | result |", "|---|---|"]
        lines += [f"| {_plain(scenario.title)} | {result(scenario)} |" for scenario in scenarios]
    return "\n".join([*lines, ""])


def _by_area() -> Iterator[str]:
    yield from ("## By area", "", "| area | behaviours compared | the same | meant to differ |", "|---|---|---|---|")
    for title, scenarios in CHAPTERS.items():
        same = sum(result(scenario) == SAME for scenario in scenarios)
        yield f"| {title} | {len(scenarios)} | {same} | {len(scenarios) - same} |"


def result(scenario: Scenario) -> str:
    """Return what a scenario that passed has shown."""
    return "".join(_results(scenario)) or SAME


def _results(scenario: Scenario) -> Iterator[str]:
    if scenario.reference_fails:
        yield f"works; the reference {scenario.reference_fails}"
    keys = sorted(set(scenario.intended.values()))
    if keys:
        yield "differs as meant: " + ", ".join(f"[{key}](#{key})" for key in keys)


def _plain(title: str) -> str:
    return title.replace("|", "\\|").replace("<", "&lt;")
