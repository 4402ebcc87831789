"""docs/clients.md: which libraries post to the collector, made of what their tests came to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clients.libraries import LIBRARIES
from clients.outcomes import FILE, Outcomes

DOCUMENT = FILE.with_suffix(".md")
WORDS = Path(__file__).with_name("introduction.md"), Path(__file__).with_name("notes.md")
OURS = "| Satsuma's snippet and SDK | this one | | the whole suite | works |"


def render(outcomes: Outcomes) -> str:
    """Return the document."""
    introduction, notes = (file.read_text().strip() for file in WORDS)
    return f"{introduction}\n\n" + "\n".join(_table(outcomes)) + f"\n\n{notes}\n"


def _table(outcomes: Outcomes) -> Iterator[str]:
    yield "| library | version | what it needs | tests | outcome |"
    yield "|---|---|---|---|---|"
    yield OURS
    for library in LIBRARIES:
        found = outcomes[library.package]
        files = ", ".join(f"`{file}`" for file in found["files"])
        yield f"| {library.title} | {found['version']} | {library.needs} | {files} | {_told(found)} |"


def _told(found: dict[str, Any]) -> str:
    passed, failed = found["passed"], len(found["failed"])
    return f"**{failed} of {passed + failed} fail**" if failed else f"works, {passed} test{'s' * (passed > 1)}"
