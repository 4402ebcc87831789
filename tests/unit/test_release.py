"""All distributions are of one version, and a release turns what is unreleased into a dated chapter."""

from __future__ import annotations

import importlib.util
import json
import re
import tomllib
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import satsuma
import satsuma_server

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("web_sdk", "web_sdk/runtime", "server", "site", "e2e")
CHANGELOG = "# Changelog\n\n## Unreleased\n\n- A cookie lasts.\n\n## 0.1.0 (2026-01-01)\n\n- First.\n"


@pytest.fixture
def release() -> ModuleType:
    """The release script."""
    spec = importlib.util.spec_from_file_location("release", ROOT / ".ci" / "release.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def project(folder: Path) -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    return table


def test_all_distributions_are_of_one_version_and_need_each_other_in_it() -> None:
    projects = [project(ROOT / folder) for folder in FOLDERS]
    assert {one["version"] for one in projects} == {satsuma.__version__} == {satsuma_server.__version__}
    extras = [need for one in projects for needs in one.get("optional-dependencies", {}).values() for need in needs]
    needs = [need for one in projects for need in one.get("dependencies", [])] + extras
    ours = [need for need in needs if need.startswith("satsuma")]
    assert {need.partition("==")[2] for need in ours if need != "satsuma"} <= {satsuma.__version__}
    assert json.loads((ROOT / "web_sdk" / "npm" / "package.json").read_text())["version"] == satsuma.__version__


def test_documents_name_the_wheel_of_this_version(release: ModuleType) -> None:
    named = {found for page in release.pages() for found in re.findall(r"satsuma-([\d.]+)-py3-", page.read_text())}
    assert named == {satsuma.__version__}


def test_each_distribution_has_the_licence() -> None:
    texts = {(ROOT / folder / "LICENSE").read_text() for folder in ("web_sdk", "server", "site", "e2e")}
    assert texts == {(ROOT / "LICENSE").read_text()}


def test_what_is_unreleased_becomes_a_dated_chapter(release: ModuleType) -> None:
    told = release.released(CHANGELOG, "0.2.0", date(2026, 2, 3))
    assert told.startswith("# Changelog\n\n## Unreleased\n\n## 0.2.0 (2026-02-03)\n\n- A cookie lasts.\n\n## 0.1.0")
    with pytest.raises(release.ReleaseError, match="nothing under"):
        release.released(told, "0.3.0", date(2026, 2, 4))


@pytest.mark.parametrize("version", ["0.0.9", "1.2", "v9.9.9", ""])
def test_a_version_that_is_none_or_no_later_one_is_refused(release: ModuleType, version: str) -> None:
    with pytest.raises(release.ReleaseError, match="no version after"):
        release.check(version)


def test_a_version_is_written_wherever_it_is_named(release: ModuleType, tmp_path: Path) -> None:
    projects = [f"{folder}/pyproject.toml" for folder in FOLDERS]
    pages = [str(page.relative_to(ROOT)) for page in release.pages()]
    for name in (*projects, *release.MODULES, *pages, release.NPM_PACKAGE):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text((ROOT / name).read_text())
    release.ROOT = tmp_path
    old = release.current()
    release.set_version(old, "7.8.9")
    assert release.current() == "7.8.9"
    assert {project(tmp_path / folder)["version"] for folder in FOLDERS} == {"7.8.9"}
    written = "".join((tmp_path / folder / "pyproject.toml").read_text() for folder in FOLDERS)
    assert f"=={old}" not in written
    assert "satsuma-server==7.8.9" in written
    told = "".join((tmp_path / name).read_text() for name in pages)
    assert "satsuma-7.8.9-py3-none-any.whl" in told
    assert f"satsuma-{old}-py3" not in told
    assert json.loads((tmp_path / release.NPM_PACKAGE).read_text())["version"] == "7.8.9"
