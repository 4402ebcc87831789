"""docs/browsers.json: what was measured in each engine, and how the runs of tests are counted for it.

One run of tests, or of a benchmark, notes its part for one engine. Parts, and tests of the specification, that were not
run stay as they were.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from flows.specification import rules
from pytest_satsuma import engines
from pytest_satsuma.engines.firefox import find_firefox
from pytest_satsuma.engines.webkit import SYSTEM_PYTHON

FILE = Path(__file__).parents[2] / "docs" / "browsers.json"

PASSED, FAILED = "passed", "failed"

PARTS = {
    "specification": "e2e/flows/specification/",
    "parity": "e2e/parity/test_parity.py::test_both_libraries",
    "ways out": "e2e/loss/test_ways_out.py",
}
"""The tests that are counted, by the beginning of their ids."""

WALK = "walk"
"""The name of the property in which a walk's test tells what became of the calls."""

WEBKIT_VERSION = (
    "import gi; gi.require_version('WebKit2', '4.1'); from gi.repository import WebKit2 as w; "
    "print(w.get_major_version(), w.get_minor_version(), w.get_micro_version(), sep='.')"
)


def read(file: Path = FILE) -> dict[str, Any]:
    """Return what was noted in a file; of `FILE` all figures, by engine and part."""
    figures: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    return figures


def write(figures: dict[str, Any], file: Path = FILE) -> None:
    """Put something in the place of all that was noted in a file."""
    file.write_text(json.dumps(figures, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def note(engine: str, parts: dict[str, Any]) -> None:
    """Put what was measured in an engine in the place of what was there."""
    parts = {"version": version(engine), **parts}
    figures = read()
    figures[engine] = {**figures.get(engine, {}), **parts}
    write(figures)


def version(engine: str) -> str:
    """Return an engine's name and version, as the program itself tells."""
    if engine == "webkit":
        return "WebKitGTK " + _said(SYSTEM_PYTHON, "-c", WEBKIT_VERSION)
    program = find_firefox() if engine == "firefox" else os.environ.get("SATSUMA_CHROMIUM", "chromium")
    words = _said(str(program), "--version").split()
    number = next(place for place, word in enumerate(words) if word[0].isdigit())
    return " ".join(words[number - 1 : number + 1])


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


class Counts:
    """A plugin of pytest that counts outcomes by part, and notes them after the run."""

    def __init__(self, engine: str) -> None:
        self._engine = engine
        self._outcomes: dict[str, dict[str, str]] = {}
        self._walks: dict[str, Any] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep a test's outcome, and what a walk tells of its calls."""
        if report.when == "call" or not report.passed:
            part = next((name for name, start in PARTS.items() if report.nodeid.startswith(start)), None)
            if part and (told := outcome(report)):
                known = self._outcomes.setdefault(part, {})
                known[report.nodeid] = told if known.get(report.nodeid, PASSED) == PASSED else known[report.nodeid]
        self._walks |= {name: told for key, (name, told) in _walks(report) if key == WALK}

    def pytest_sessionfinish(self) -> None:
        """Write it down."""
        parts: dict[str, Any] = {part: self._of(part, found) for part, found in self._outcomes.items()}
        if self._walks:
            parts["walk"] = {**read().get(self._engine, {}).get("walk", {}), **self._walks}
        if parts:
            note(self._engine, parts)

    def _of(self, part: str, found: dict[str, str]) -> dict[str, Any]:
        if part == "specification":
            known: dict[str, str] = read().get(self._engine, {}).get(part, {})
            named = {test.name for test in rules.tests()}
            return {**known, **{name: told for name, told in by_test(found).items() if name in named}}
        failed = sorted(name.partition("[")[2].rstrip("]") or name for name, told in found.items() if told == FAILED)
        left_out = Counter(told for told in found.values() if told not in (PASSED, FAILED))
        return {"passed": [*found.values()].count(PASSED), "failed": failed, "left out": dict(left_out)}


def _walks(report: pytest.TestReport) -> list[tuple[str, Any]]:
    return [pair for pair in report.user_properties if report.when == "call" and pair[0] == WALK]


def outcome(report: pytest.TestReport) -> str:
    """Return ``passed``, ``failed``, or why it was left out; an empty text for a test that was skipped otherwise."""
    if report.skipped and isinstance(report.longrepr, tuple):
        return engines.left_out(str(report.longrepr[2]))
    return PASSED if report.passed else FAILED


def by_test(found: dict[str, str]) -> dict[str, str]:
    """Return the outcome of each test by its name: the worst one, where it has parameters."""
    tests: dict[str, str] = {}
    for nodeid, told in found.items():
        name = nodeid.rpartition("::")[2].partition("[")[0]
        if tests.get(name, PASSED) == PASSED or told == FAILED:
            tests[name] = told
    return tests
