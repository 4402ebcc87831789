"""docs/clients.md names each library that was run, in the version that was run, and the test that ran it."""

from __future__ import annotations

import json
import re
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (?!library|---).*$", re.MULTILINE)
NAMES = re.compile(r"`([@\w./-]+)`")
OTHERS = {"@pyscript/core", "@stlite/browser", "axe-core", "typescript", "vite"}
"""What is installed beside them, and posts to no collector."""


def test_each_library_is_told_of_in_the_version_that_was_run() -> None:
    text = (ROOT / "docs" / "clients.md").read_text()
    pinned = json.loads((ROOT / "e2e" / "libraries" / "package.json").read_text())["dependencies"]
    wanted = {name: number for name, number in pinned.items() if name not in OTHERS and not name.startswith("pyodide")}
    wanted["segment-analytics-python"] = version("segment-analytics-python")
    told: dict[str, str] = {}
    for row in ROW.findall(text):
        library, number, _, tests = (cell.strip() for cell in row.strip("|").split("|"))
        told |= dict.fromkeys(NAMES.findall(library), number)
        for test in NAMES.findall(tests):
            assert (ROOT / test).exists(), test
    wanted.pop("@segment/snippet")
    told.pop("@segment/snippet", None)
    assert told == wanted
