"""Makes a release: one version in all distributions, a dated changelog, wheels that were checked, a commit and a tag.

`./dev release VERSION` on a clean tree. Nothing is pushed or uploaded: the last lines say how.
"""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VERSION = re.compile(r"\d+\.\d+\.\d+")
UNRELEASED = "## Unreleased\n"

PROJECTS = ("web_sdk", "web_sdk/runtime", "server", "site", "e2e")
"""Folders with a pyproject.toml whose version is the release's."""

MODULES = ("web_sdk/satsuma/__init__.py", "server/satsuma_server/__init__.py")
"""Modules with a ``__version__``."""

NPM_PACKAGE = "web_sdk/npm/package.json"

PAGES = ("README.md",)
"""Documents that name a wheel by its version."""


class ReleaseError(Exception):
    """The release can't be made; nothing was changed."""


def current() -> str:
    """Return the version that the SDK has now."""
    found = re.search(r'__version__ = "([^"]+)"', (ROOT / MODULES[0]).read_text())
    if found is None:
        raise ReleaseError(f"{MODULES[0]} names no version")
    return found[1]


def set_version(old: str, new: str) -> None:
    """Write a version in place of another, wherever one of ours is named."""
    for folder in PROJECTS:
        path = ROOT / folder / "pyproject.toml"
        text = path.read_text().replace(f'version = "{old}"', f'version = "{new}"', 1)
        path.write_text(re.sub(rf"((?:satsuma|satsuma-server|satsuma-shop)==){re.escape(old)}", rf"\g<1>{new}", text))
    for name in MODULES:
        path = ROOT / name
        path.write_text(path.read_text().replace(f'__version__ = "{old}"', f'__version__ = "{new}"', 1))
    path = ROOT / NPM_PACKAGE
    path.write_text(path.read_text().replace(f'"version": "{old}"', f'"version": "{new}"', 1))
    for name in PAGES:
        path = ROOT / name
        path.write_text(path.read_text().replace(f"satsuma-{old}-py3-", f"satsuma-{new}-py3-"))


def released(changelog: str, version: str, day: date) -> str:
    """Return the changelog with what was unreleased under a version's name.

    Raises:
        ReleaseError: there is nothing to release.
    """
    before, heading, after = changelog.partition(UNRELEASED)
    news = after.partition("\n## ")[0].strip()
    if not heading or not news:
        raise ReleaseError("CHANGELOG.md has nothing under '## Unreleased'")
    return f"{before}{UNRELEASED}\n## {version} ({day:%Y-%m-%d})\n{after}"


def check(version: str) -> str:
    """Return the version that is followed by this one.

    Raises:
        ReleaseError: it is no later version, or the tree has changes.
    """
    old = current()
    if not VERSION.fullmatch(version) or _parts(version) <= _parts(old):
        raise ReleaseError(f"{version!r} is no version after {old}: give three numbers, as 1.2.3")
    if _run("git", "status", "--porcelain"):
        raise ReleaseError("the tree has changes: commit them first")
    if _run("git", "tag", "--list", f"v{version}"):
        raise ReleaseError(f"the tag v{version} is there already")
    return old


def _parts(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def _run(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise ReleaseError(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-3000:]}")
    return done.stdout.strip()


def main() -> None:
    """Check, write, check what was written, commit and tag."""
    version = sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        old = check(version)
        changelog = ROOT / "CHANGELOG.md"
        text = released(changelog.read_text(), version, date.today())
        changelog.write_text(text)
        set_version(old, version)
        for step in (("./dev", "check"), ("./dev", "dist")):
            print(f"release: {' '.join(step)}", flush=True)
            _run(*step)
        _run("git", "commit", "--all", "--message", f"Release {version}")
        _run("git", "tag", "--annotate", f"v{version}", "--message", f"Satsuma {version}")
    except ReleaseError as error:
        sys.exit(f"release: {error}")
    print(f"release: {version} is committed and tagged; its wheels and npm's package are in dist/.")
    print(f"release: next, git push --follow-tags, uv publish dist/*-{version}-*.whl,")
    print(f"release: and npm publish --access public dist/satsuma-analytics-{version}.tgz")


if __name__ == "__main__":
    main()
