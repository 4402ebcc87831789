"""What makes scripts for pages: TypeScript's compiler, on ``flows/typed``, and a bundler."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from flows.reference_library import libraries

ROOT = Path(__file__).parents[2]
SOURCES = Path(__file__).parent / "typed"
REFERENCE = "@segment/analytics-next"
OURS = "@satsuma/analytics"


def write_npm_package(folder: Path) -> Path:
    """Write the files of npm's package into a folder, and return it."""
    subprocess.run([sys.executable, ROOT / ".ci" / "npm_package.py", folder], check=True, capture_output=True)
    return folder


def bundled(folder: Path, scripts: Mapping[str, str], form: str = "esm") -> Path:
    """Return the folder of scripts, by name, with all that they import from npm's packages.

    Args:
        folder: for what the bundler reads and writes.
        scripts: the text of each, by name.
        form: what they become: modules, or with ``iife`` plain scripts.
    """
    (folder / "node_modules").symlink_to(libraries())
    for name, text in scripts.items():
        (folder / name).write_text(text)
    bundler = libraries() / "rolldown" / "bin" / "cli.mjs"
    options = ["--dir", "out", "--format", form, "--platform", "browser"]
    subprocess.run(["node", str(bundler), *scripts, *options], cwd=folder, check=True, capture_output=True, timeout=120)
    return folder / "out"


def compiled(folder: Path, names: tuple[str, ...], types: Mapping[str, Path] | None = None) -> dict[str, str]:
    """Return TypeScript's files as JavaScript, by name.

    Args:
        folder: for what the compiler reads and writes.
        names: the files, of ``flows/typed``.
        types: files of types that stand for a package's own, by its name.

    Raises:
        AssertionError: the types don't allow what a file does.
    """
    (folder / "node_modules").symlink_to(libraries())
    for name in names:
        (folder / name).write_text((SOURCES / name).read_text())
    settings = json.loads((SOURCES / "tsconfig.json").read_text())
    settings["files"] = list(names)
    settings["compilerOptions"]["paths"] = {name: [str(path)] for name, path in (types or {}).items()}
    (folder / "tsconfig.json").write_text(json.dumps(settings))
    compiler = libraries() / "typescript" / "bin" / "tsc"
    done = subprocess.run(["node", str(compiler)], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return {name: (folder / name).with_suffix(".js").read_text() for name in names}
