"""Builds the wheels of all distributions and npm's package, checks what is in them, and writes their hashes.

`./dev dist [FOLDER]`; the runtime must have been built. Twice the same sources give the same bytes: hatchling writes no
times but SOURCE_DATE_EPOCH, or a fixed one.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import npm_package

ROOT = Path(__file__).resolve().parents[1]

DISTRIBUTIONS = {"web_sdk": "satsuma", "server": "satsuma_server", "site": "satsuma_shop", "e2e": "pytest_satsuma"}
"""Folder and import package of each distribution that is published."""

RUNTIME = "satsuma_server/assets/runtime"

NEEDED = {
    "satsuma_server": (f"{RUNTIME}/manifest.json", "satsuma_server/console/libraries/cytoscape.LICENSE"),
    "satsuma_shop": ("satsuma_shop/templates/base.html",),
}
"""Files without which a wheel would install and not work."""

MOST_BYTES = {"satsuma": 250_000, "satsuma_server": 40_000_000, "satsuma_shop": 1_000_000, "pytest_satsuma": 250_000}
"""A wheel that grew beyond this holds something that nobody meant to ship."""


class DistError(Exception):
    """A wheel could not be built, or is not what it should be."""


def build(target: Path) -> list[Path]:
    """Build every wheel and npm's package into `target`, check them, and write ``SHA256SUMS`` beside them.

    Raises:
        DistError: a build failed, or a wheel lacks something.
        NpmPackageError: the same, of npm's package.
    """
    target.mkdir(parents=True, exist_ok=True)
    for old in (*target.glob("*.whl"), *target.glob("*.tgz")):
        old.unlink()
    built = [_build(ROOT / folder, package, target) for folder, package in DISTRIBUTIONS.items()]
    built.append(npm_package.pack(target))
    npm_package.write(target / "npm")  # For the examples.
    sums = "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in built)
    (target / "SHA256SUMS").write_text(sums)
    return built


def _build(project: Path, package: str, target: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    if done.returncode:
        raise DistError(f"the wheel of {project.name} could not be built:\n{(done.stderr or done.stdout)[-2000:]}")
    [wheel] = target.glob(f"{package}-*.whl")
    _check(wheel, package)
    return wheel


def _check(wheel: Path, package: str) -> None:
    with ZipFile(wheel) as content:
        names = set(content.namelist())
        missing = [name for name in (f"{package}/py.typed", *NEEDED.get(package, ())) if name not in names]
        if not any(name.endswith("/licenses/LICENSE") for name in names):
            missing.append("LICENSE")
        if f"{RUNTIME}/manifest.json" in names:
            manifest = json.loads(content.read(f"{RUNTIME}/manifest.json"))
            missing += [file["path"] for file in manifest["files"].values() if f"{RUNTIME}/{file['path']}" not in names]
    if missing:
        raise DistError(f"{wheel.name} lacks {', '.join(missing)}: run ./dev build, and try again")
    size = wheel.stat().st_size
    if size > MOST_BYTES[package]:
        raise DistError(f"{wheel.name} has {size:,} bytes, more than {MOST_BYTES[package]:,}: look at what it holds")


def main() -> None:
    """Build, and say what was built."""
    target = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "dist").resolve()
    try:
        built = build(target)
    except (DistError, npm_package.NpmPackageError) as error:
        sys.exit(f"dist: {error}")
    for file in built:
        print(f"{file.stat().st_size:>12,}  {file}")


if __name__ == "__main__":
    main()
