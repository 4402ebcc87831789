"""docs/architecture.md leads along the code as it is."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STOPS = re.findall(r"\[`([\w/.]+):([\w.]+)`\]", (ROOT / "docs" / "architecture.md").read_text())


def python_names(text: str) -> set[str]:
    tree = ast.parse(text)
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    names = {node.name for node in tree.body if isinstance(node, functions)}
    for holder in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        names |= {f"{holder.name}.{node.name}" for node in holder.body if isinstance(node, functions)}
    return names


def test_an_event_takes_twelve_stops() -> None:
    assert len(STOPS) == 12


@pytest.mark.parametrize(("file", "function"), STOPS, ids=lambda part: part)
def test_each_stop_is_a_function_of_its_file(file: str, function: str) -> None:
    text = (ROOT / file).read_text()
    if file.endswith(".py"):
        assert function in python_names(text)
    else:
        assert re.search(rf"function {function}\(", text)
