"""What the documentation shows and leads to is there."""

from __future__ import annotations

import re
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
