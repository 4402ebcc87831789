"""What the documentation shows and leads to is there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEAR = ("README.md", "CONTRIBUTING.md")
DOCUMENTS = [*(ROOT / name for name in NEAR), ROOT / "e2e" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
TARGET = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_pictures_and_links_lead_to_what_is_there(document: Path) -> None:
    gone = [target for target in TARGET.findall(document.read_text()) if not (document.parent / target).exists()]
    assert gone == []


def test_the_site_is_built_and_no_link_of_it_is_broken(tmp_path: Path) -> None:
    """MkDocs is strict: what it warns of is an error, as a page that no menu leads to."""
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "--config-file", ROOT / ".ci" / "site" / "mkdocs.yml"]
    done = subprocess.run(
        [*command, "--site-dir", tmp_path], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert "satsuma token create" in (tmp_path / "reference" / "commands.html").read_text()
    assert "identify" in (tmp_path / "reference" / "sdk.html").read_text()
