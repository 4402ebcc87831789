"""Makes a release: one version in all distributions, a dated changelog, wheels that were checked, a commit and a tag.

`./dev release VERSION` on a clean tree. Nothing is pushed or uploaded: the last lines say how. With ``--dry-run`` all
of it is done in a clone that is removed afterwards.
"""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
VERSION = re.compile(r"\d+\.\d+\.\d+")
UNRELEASED = "## Unreleased\n"

PROJECTS = ("web_sdk", "web_sdk/runtime", "server", "site", "e2e")
"""Folders with a pyproject.toml whose version is the release's."""

MODULES = ("web_sdk/satsuma/__init__.py", "server/satsuma_server/__init__.py")
"""Modules with a ``__version__``."""

NPM_PACKAGE = "web_sdk/npm/package.json"

WHEEL = "satsuma-{}-py3-none-any.whl"
"""The wheel that documents name by its version."""


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
    for path in pages():
        path.write_text(path.read_text().replace(WHEEL.format(old), WHEEL.format(new)))


def pages() -> list[Path]:
    """Return the documents that may name a wheel."""
    examples = (file for file in (ROOT / "examples" / "hosts").iterdir() if file.is_file())
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted(examples)]


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


def _run(*command: str, folder: Path = ROOT) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise ReleaseError(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-3000:]}")
    return done.stdout.strip()


def release(version: str) -> None:
    """Check, write, check what was written, commit and tag. Raises `ReleaseError`; the tree is as before then."""
    old = check(version)
    changelog = ROOT / "CHANGELOG.md"
    text = released(changelog.read_text(), version, date.today())
    try:
        changelog.write_text(text)
        set_version(old, version)
        for step in (("./dev", "check"), ("./dev", "dist")):
            print(f"release: {' '.join(step)}", flush=True)
            _run(*step)
        _run("git", "commit", "--all", "--message", f"Release {version}")
    except ReleaseError:
        _run("git", "checkout", "--", ".")
        raise
    _run("git", "tag", "--annotate", f"v{version}", "--message", f"Satsuma {version}")


def rehearse(version: str) -> str:
    """Make the release in a clone, and return what it would commit. Raises `ReleaseError`."""
    check(version)
    with TemporaryDirectory() as folder:
        clone = str(Path(folder) / "clone")
        _run("git", "clone", "--quiet", str(ROOT), clone)
        print("release: in a clone, which takes some minutes", flush=True)
        _run(f"{clone}/dev", "release", version, folder=Path(clone))
        wheels = sorted(one.name for one in (Path(clone) / "dist").iterdir())
        return _run("git", "-C", clone, "show", "--stat", f"v{version}") + "\n\n" + "\n".join(wheels)


def main() -> None:
    """Make a release, or rehearse it."""
    is_rehearsal = "--dry-run" in sys.argv
    version = next((one for one in sys.argv[1:] if not one.startswith("-")), "")
    try:
        if is_rehearsal:
            print(rehearse(version))
            print("release: nothing was changed here")
            return
        release(version)
    except ReleaseError as error:
        sys.exit(f"release: {error}")
    print(f"release: {version} is committed and tagged; its wheels and npm's package are in dist/.")
    print(f"release: next, git push --follow-tags, uv publish dist/*-{version}-*.whl,")
    print(f"release: and npm publish --access public dist/satsuma-analytics-{version}.tgz")


if __name__ == "__main__":
    main()
