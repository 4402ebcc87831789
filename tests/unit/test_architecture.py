"""The dependency rule: the core stands on the standard library alone."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import satsuma

PACKAGE = Path(satsuma.__file__).parent
CORE = [path for path in sorted(PACKAGE.rglob("*.py")) if "platforms" not in path.relative_to(PACKAGE).parts]


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "" if not node.level else f"satsuma.{node.module or ''}"


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.name)
def test_the_core_imports_nothing_but_the_standard_library(path: Path) -> None:
    roots = {name.partition(".")[0] for name in imported(path)}
    assert roots <= sys.stdlib_module_names | {"satsuma"}
    assert not any(name.startswith("satsuma.platforms") for name in imported(path))
