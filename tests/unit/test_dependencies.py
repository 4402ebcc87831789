"""The audit of dependencies never passes where nobody answered, and the bill of materials names all of them."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"ci_{name}", ROOT / ".ci" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


audit, sbom = load("audit"), load("sbom")

SKIPPED = {"name": "idna", "skip_reason": "Dependency not found on PyPI and could not be audited: idna (3.20)"}
CLEAN = {"name": "idna", "version": "3.20", "vulns": []}
HIT = {"name": "idna", "version": "3.20", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3.21"], "aliases": ["CVE-1"]}]}
ADVISORY = {"url": "https://github.com/advisories/GHSA-x", "title": "Bad"}


def saying(*texts: Any) -> Any:
    """Return a `run` whose commands print these, the last of them from then on."""
    left = [one if isinstance(one, str) else json.dumps(one) for one in texts]
    return lambda command, folder: (0, left.pop(0) if len(left) > 1 else left[0])


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    file = tmp_path / "requirements.lock"
    file.write_text(
        "idna==3.20 \\\n    --hash=sha256:00\nanyio==4.16.0 ; python_version > '3' \\\n    --hash=sha256:11\n"
    )
    return file


@pytest.mark.parametrize(
    "told",
    [
        "",
        "<html>a gateway</html>",
        "[]",
        {},
        {"dependencies": []},
        {"dependencies": [SKIPPED]},
        {"dependencies": [CLEAN, SKIPPED]},
    ],
    ids=str,
)
def test_python_packages_that_nobody_knew_are_not_taken_for_sound(lock: Path, told: Any) -> None:
    with pytest.raises(audit.UnansweredError):
        audit.python_vulnerabilities(lock, saying(told))
    with pytest.raises(audit.UnansweredError):
        audit.python_vulnerabilities(lock, saying({"dependencies": [CLEAN]}, told))


def test_vulnerabilities_of_python_packages_are_named(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert audit.python_vulnerabilities(lock, saying({"dependencies": [CLEAN]})) == []
    assert audit.python_vulnerabilities(lock, saying({"dependencies": [HIT]})) == ["idna 3.20: PYSEC-1, fixed in 3.21"]
    monkeypatch.setitem(audit.ACCEPTED, "CVE-1", "we don't call it")
    assert audit.python_vulnerabilities(lock, saying({"dependencies": [HIT]})) == []


@pytest.mark.parametrize("told", ["", {"message": "405 Method Not Allowed"}, {"error": {"code": "ENOAUDIT"}}], ids=str)
def test_an_npm_registry_without_an_answer_is_told_of(lock: Path, told: Any) -> None:
    with pytest.raises(audit.UnansweredError):
        audit.npm_vulnerabilities([lock], saying(told))


def test_vulnerabilities_of_npm_packages_are_named(lock: Path) -> None:
    told = {"vulnerabilities": {"htmx.org": {"severity": "high", "via": [ADVISORY, "another"]}}}
    [found] = audit.npm_vulnerabilities([lock], saying(told))
    assert "htmx.org: high, https://github.com/advisories/GHSA-x" in found
    assert audit.npm_vulnerabilities([lock], saying({"vulnerabilities": {}})) == []


def test_each_outcome_is_said_and_counts(capsys: pytest.CaptureFixture[str]) -> None:
    unanswered = {"PyPI": {"why": "no advisories", "found": []}}
    assert audit.report(unanswered, required=False) == 0
    assert "NOT AUDITED" in capsys.readouterr().err
    assert audit.report(unanswered, required=True) == 1
    assert audit.report({"npm": {"why": "", "found": ["htmx.org: high"]}}, required=False) == 1
    assert "htmx.org: high" in capsys.readouterr().err
    assert audit.report({"npm": {"why": "", "found": []}}, required=True) == 0
    assert "no known vulnerability" in capsys.readouterr().err


def test_the_bill_of_materials_names_every_locked_package_and_what_a_collector_has_of_them() -> None:
    components = sbom.document()["components"]
    named = {one["purl"]: one for one in components}
    assert len(named) == len(components)
    locked = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", sbom.REQUIREMENTS.read_text(), re.MULTILINE)
    for name, version in locked:
        digests = named[f"pkg:pypi/{sbom.plain(name)}@{version}"]["hashes"]
        assert digests and all(len(one["content"]) == 64 for one in digests), name
    required = {one["name"] for one in components if one["scope"] == "required"}
    assert {"starlette", "uvicorn", "duckdb", "dlt", "psycopg-binary", "htmx.org", "cytoscape", "pyodide"} <= required
    assert required.isdisjoint({"pytest", "ruff", "mypy", "playwright", "terser"})
    assert sbom.document() == sbom.document()
