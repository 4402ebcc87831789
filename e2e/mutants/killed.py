"""docs/mutants.md: which test of the specification notices which fault."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mutants import MUTANTS

DOCUMENT = Path(__file__).parents[2] / "docs" / "mutants.md"
INTRODUCTION = """# What the tests would notice

Written by `./dev mutants`: {count} faults in the SDK's rules of identity, each put into a copy of it, built, and played
through the tests of [the specification](specification.md) in a real Chromium up to the first that fails, beginning with
the one that is about that rule. A fault that no test noticed would stand here as **survived**.

| fault | noticed by |
|---|---|
"""


def render(killed: Mapping[str, str]) -> str:
    """Return the document.

    Args:
        killed: the test that failed, by the mutant's name.
    """
    rows = (f"| {one.says} | {_test(killed.get(one.name, ''))} |" for one in MUTANTS)
    return INTRODUCTION.format(count=len(MUTANTS)) + "\n".join([*rows, ""])


def _test(name: str) -> str:
    return name.removeprefix("test_").replace("_", " ") if name else "**survived**"
