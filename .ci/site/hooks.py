"""What MkDocs is given beside the files of docs/: links out of that folder, and pages that are made from the code."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from reference import commands, http

LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:|#|mailto:)([^)\s]+)\)")
ICON = Path(__file__).parents[2] / "site" / "satsuma_shop" / "static" / "icon.svg"

PAGES = {
    "sdk": "# The SDK\n\nWhat `import satsuma` has.\n\n::: satsuma\n    options:\n      show_root_heading: false\n",
    "server_side": "# On a server\n\nWhat `satsuma.platforms.server` has.\n\n::: satsuma.platforms.server\n"
    "    options:\n      show_root_heading: false\n",
    "device": "# On a device\n\nWhat `satsuma.platforms.device` has.\n\n::: satsuma.platforms.device\n"
    "    options:\n      show_root_heading: false\n",
    "pytest_satsuma": "# The test plugin\n\nWhat `import pytest_satsuma` has.\n\n::: pytest_satsuma\n"
    "    options:\n      show_root_heading: false\n",
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the reference."""
    made = {**PAGES, "commands": commands(), "http": http()}
    for name, text in made.items():
        files.append(File.generated(config, f"reference/{name}.md", content=text))
    files.append(File.generated(config, "images/icon.svg", content=ICON.read_bytes()))
    return files


def on_page_markdown(markdown: str, page: Page, **given: Any) -> str:
    """Leave the text of links that lead out of docs/, into the repository, which the site has not."""

    def lead(match: re.Match[str]) -> str:
        text, target = match.groups()
        path = posixpath.normpath(posixpath.join(posixpath.dirname(page.file.src_uri), target.partition("#")[0]))
        return text if path.startswith("..") else match[0]

    return LINK.sub(lead, markdown)
