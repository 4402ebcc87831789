"""docs/clients.json: what the tests that run other people's libraries came to, noted by the run itself."""

from __future__ import annotations

from typing import Any

import pytest
from clients.libraries import LIBRARIES, ROOT
from matrix import figures
from matrix.figures import PASSED, outcome

FILE = ROOT / "docs" / "clients.json"
MARKER = "library"

type Outcomes = dict[str, dict[str, Any]]
"""By package: the version that ran, its outcomes by test, and the files that these tests are in."""


def read() -> Outcomes:
    """Return what was noted."""
    return figures.read(FILE)


class Note:
    """A plugin of pytest that notes, after the run, each library that ran, with its version and its tests' outcomes."""

    def __init__(self) -> None:
        self._packages: dict[str, list[str]] = {}
        self._outcomes: dict[str, dict[str, str]] = {}

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Keep which libraries a test runs."""
        self._packages[item.nodeid] = [str(mark.args[0]) for mark in item.iter_markers(MARKER)]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the worst outcome of a test's parts."""
        for package in self._packages.get(report.nodeid, []) if report.when == "call" or not report.passed else []:
            known = self._outcomes.setdefault(package, {})
            if known.get(report.nodeid, PASSED) == PASSED:
                known[report.nodeid] = outcome(report) or "skipped"

    def pytest_sessionfinish(self) -> None:
        """Write it down; libraries that were not run stay as they were."""
        if not self._outcomes:
            return
        figures.write(read() | {package: _of(package, found) for package, found in self._outcomes.items()}, FILE)


def _of(package: str, found: dict[str, str]) -> dict[str, Any]:
    version = next(library.version() for library in LIBRARIES if library.package == package)
    failed = sorted(test for test, told in found.items() if told != PASSED)
    files = sorted({test.partition("::")[0] for test in found})
    return {"version": version, "passed": len(found) - len(failed), "failed": failed, "files": files}
