"""The console's libraries: from npm, pinned, into the server's package."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from . import files, node

LIBRARIES = {
    "htmx.js": "htmx.org/dist/htmx.min.js",
    "htmx.LICENSE": "htmx.org/LICENSE",
    "cytoscape.js": "cytoscape/dist/cytoscape.min.js",
    "cytoscape.LICENSE": "cytoscape/LICENSE",
}
"""What is taken of the packages, by the name that the console knows it by."""

KEY = "key"


def build_console(lock: Path, target: Path, cache: Path, say: Callable[[str], None]) -> None:
    """Copy the pinned libraries, compressed beside themselves, into `target`, unless these very ones are there.

    Args:
        lock: folder of package.json and package-lock.json.
        target: folder that the console serves; made anew.
        cache: folder for npm's packages and compressed files.
        say: takes one line of progress.

    Raises:
        BuildError: npm is missing or failed.
    """
    digest = hashlib.sha256((lock / "package-lock.json").read_bytes() + repr(LIBRARIES).encode())
    key = target / KEY
    if key.is_file() and key.read_text() == digest.hexdigest():
        return
    say("fetching the console's libraries")
    packages = node.install(lock, cache / "console")
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name, path in LIBRARIES.items():
        shutil.copyfile(packages / path, target / name)
        if name.endswith(".js"):
            files.compress(target / name, cache / "compressed")
    # Last, so that a build that broke off is never taken for a whole one.
    key.write_text(digest.hexdigest())
