"""Puts npm's package together from the built snippet, and packs it. The same sources give the same bytes.

`./dev dist` packs it beside the wheels; `python .ci/npm_package.py FOLDER` writes its files into a folder.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "web_sdk" / "npm"
SCRIPTS = ROOT / "web_sdk" / "js"
SNIPPET = ROOT / "server" / "satsuma_server" / "assets" / "runtime" / "snippet_early_service.js"
MOST_BYTES = 50_000
"""A package that grew beyond this holds something that nobody meant to ship."""


class NpmPackageError(Exception):
    """The package could not be made, or is not what it should be."""


def write(folder: Path) -> None:
    """Write the package's files into a folder, which may be there already.

    Raises:
        NpmPackageError: the runtime, and with it the snippet, isn't built.
    """
    if not SNIPPET.exists():
        raise NpmPackageError(f"{SNIPPET} is missing: run ./dev build, and try again")
    folder.mkdir(parents=True, exist_ok=True)
    version = json.loads((SOURCE / "package.json").read_text())["version"]
    parts = {
        "/*SNIPPET*/": SNIPPET.read_text(),
        "/*CALL_RECORD*/": (SCRIPTS / "call_record.js").read_text(),
        "/*CONTEXT*/": (SCRIPTS / "context.js").read_text(),
        "__VERSION__": f"satsuma-{version}",
    }
    own = (SOURCE / "analytics_browser.js").read_text()
    own = own.replace("/*BUILDING_BLOCKS*/", (SOURCE / "building_blocks.js").read_text())
    marks = re.compile("|".join(map(re.escape, parts)))
    (folder / "index.js").write_text(marks.sub(lambda mark: parts[mark[0]], own))
    for name in ("package.json", "index.d.ts", "README.md"):
        shutil.copyfile(SOURCE / name, folder / name)
    shutil.copyfile(ROOT / "LICENSE", folder / "LICENSE")


def pack(target: Path) -> Path:
    """Pack the package into a folder, and return the archive.

    Raises:
        NpmPackageError: npm failed, or the archive is larger than it should be.
    """
    with TemporaryDirectory() as work:
        write(Path(work))
        command = ["npm", "pack", "--json", "--ignore-scripts", "--pack-destination", str(target)]
        done = subprocess.run(command, cwd=work, capture_output=True, text=True)
    if done.returncode:
        raise NpmPackageError(f"npm's package could not be packed:\n{(done.stderr or done.stdout)[-2000:]}")
    [archive] = target.glob("satsuma-analytics-*.tgz")
    size = archive.stat().st_size
    if size > MOST_BYTES:
        raise NpmPackageError(f"{archive.name} has {size:,} bytes, more than {MOST_BYTES:,}: look at what it holds")
    return archive


if __name__ == "__main__":
    write(Path(sys.argv[1]))
