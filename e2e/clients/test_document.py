"""The page on other people's libraries is of what their tests came to, in the versions that are pinned."""

from __future__ import annotations

import json

from clients.document import DOCUMENT, render
from clients.libraries import LIBRARIES, PINNED, ROOT
from clients.outcomes import read

OTHERS = {"@pyscript/core", "@stlite/browser", "axe-core", "jquery", "typescript", "vite"}
"""What is installed beside them, and posts to no collector."""

HINT = "run ./dev clients, which runs the libraries and writes it"


def test_the_document_is_of_the_outcomes() -> None:
    assert DOCUMENT.read_text() == render(read()), HINT


def test_each_library_that_is_installed_was_run_in_its_version() -> None:
    noted = read()
    assert {library.package: library.version() for library in LIBRARIES} == {
        package: found["version"] for package, found in noted.items()
    }, HINT
    installed = {name for name in json.loads(PINNED.read_text())["dependencies"] if not name.startswith("pyodide")}
    assert installed - OTHERS <= set(noted)
    for found in noted.values():
        assert found["passed"]
        assert all((ROOT / file).exists() for file in found["files"])
