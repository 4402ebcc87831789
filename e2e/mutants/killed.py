"""docs/mutants.md: which test of the specification notices which fault."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mutants.mutants import MUTANTS

DOCUMENT = Path(__file__).parents[2] / "docs" / "mutants.md"
NOT_RUN, SURVIVED = "not run", "**survived**"
INTRODUCTION = """# What the tests would notice

Written by `./dev mutants`: {count} faults in the SDK's rules of identity, each put into a copy of it, built, and played
through the tests of [the specification](specification.md) in a real Chromium up to the first that fails, beginning with
the one that is about that rule. A fault that no test noticed would stand here as **survived**.

| fault | noticed by |
|---|---|
"""


def render(results: Mapping[str, str]) -> str:
    """Return the document.

    Args:
        results: the test that failed, by the mutant's name; empty where none did.
    """
    rows = (f"| {one.says} | {_told(results.get(one.name, NOT_RUN))} |" for one in MUTANTS)
    return INTRODUCTION.format(count=len(MUTANTS)) + "\n".join([*rows, ""])


def read() -> dict[str, str]:
    """Return the results that the document has."""
    if not DOCUMENT.is_file():
        return {}
    cells = [line.strip("| ").split(" | ") for line in DOCUMENT.read_text().splitlines() if line.startswith("| ")]
    told = {row[0]: row[1] for row in cells if len(row) == 2}
    return {one.name: told[one.says] for one in MUTANTS if one.says in told}


def _told(result: str) -> str:
    return result.removeprefix("test_").replace("_", " ") if result else SURVIVED
