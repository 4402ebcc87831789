"""Node and npm: they fetch Pyodide, trim it, and take its memory image."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from .errors import BuildError

TIMEOUT = 600
"""Seconds that one command may take."""


def run(command: list[str], folder: Path) -> None:
    """Run a command in `folder`.

    Raises:
        BuildError: the program is missing, failed, or took longer than `TIMEOUT`.
    """
    program = shutil.which(command[0])
    if program is None:
        raise BuildError(f"{command[0]} is missing: install Node 20 or newer with npm, or run through ./dev")
    try:
        done = subprocess.run([program, *command[1:]], cwd=folder, capture_output=True, text=True, timeout=TIMEOUT)
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"{' '.join(command[:2])} took longer than {TIMEOUT} s") from error
    if done.returncode:
        raise BuildError(f"{' '.join(command[:2])} failed:\n{(done.stderr or done.stdout)[-2000:]}")


def install(lock: Path, cache: Path) -> Path:
    """Install the packages that the lock file in `lock` pins into `cache`, once, and return their folder."""
    folder = cache / "node_modules"
    installed = cache / "package-lock.json"
    if folder.is_dir() and installed.is_file() and installed.read_bytes() == (lock / "package-lock.json").read_bytes():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(lock / name, cache / name)
    run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cache)
    return folder
