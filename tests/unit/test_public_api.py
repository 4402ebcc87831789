"""What the documentation imports is public: a package's `__all__` names it."""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "satsuma",
    "satsuma.platforms.browser",
    "satsuma.platforms.device",
    "satsuma.platforms.server",
    "satsuma_server",
    "pytest_satsuma",
)
DOCUMENTS = [ROOT / "README.md", *sorted(ROOT.glob("*/README.md")), *sorted((ROOT / "docs").glob("*.md"))]
IMPORTS = re.compile(r"^\s*from ((?:satsuma|satsuma_server|pytest_satsuma)[\w.]*) import ([\w, ]+)$", re.MULTILINE)
SHOWN = [
    (document.name, module, name.strip())
    for document in DOCUMENTS
    for module, names in IMPORTS.findall(document.read_text())
    for name in names.split(",")
]


def public_names(package: str) -> list[str]:
    """Return `__all__` as it is written, since the browser's half can't be imported here."""
    spec = importlib.util.find_spec(package)
    assert spec is not None and spec.origin is not None
    for node in ast.parse(Path(spec.origin).read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names: list[str] = ast.literal_eval(node.value)
            return names
    return []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_says_what_is_public(package: str) -> None:
    assert public_names(package)


def test_the_documentation_shows_imports() -> None:
    assert SHOWN


@pytest.mark.parametrize(("document", "module", "name"), SHOWN, ids=lambda part: part)
def test_the_documentation_imports_nothing_but_what_is_public(document: str, module: str, name: str) -> None:
    assert module in PACKAGES, f"{document} imports from {module}, which is not public"
    assert name in public_names(module)


@pytest.mark.parametrize("package", ["satsuma", "satsuma_server", "pytest_satsuma"])
def test_every_distribution_has_types(package: str) -> None:
    spec = importlib.util.find_spec(package)
    assert spec is not None and spec.origin is not None
    assert (Path(spec.origin).parent / "py.typed").exists()
