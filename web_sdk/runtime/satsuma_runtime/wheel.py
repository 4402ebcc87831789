"""The SDK's wheel: what `micropip` installs, and what the snapshot is taken of."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from .errors import BuildError

PYODIDE_PYTHON = (3, 13)
"""Python of the pinned Pyodide. Byte code is only valid for this one."""

NO_TIME = (1980, 1, 1, 0, 0, 0)
"""Time of every file in a zip file: the earliest that the format knows."""

REPRODUCIBLE = {"SOURCE_DATE_EPOCH": "315532800", "PYTHONHASHSEED": "0"}
"""With it byte code carries its source's hash in place of its time, and the same sources give the same bytes."""


def build_wheel(project: Path, target: Path) -> Path:
    """Build the pure wheel of `project` into `target` and return it.

    Raises:
        BuildError: hatchling failed.
    """
    _run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)], project)
    return next(target.glob("*-py3-none-any.whl"))


def compile_wheel(wheel: Path) -> Path:
    """Return `wheel` with byte code in place of source, or `wheel` itself where this Python is not Pyodide's.

    Raises:
        BuildError: pyodide-build failed.
    """
    if sys.version_info[:2] != PYODIDE_PYTHON:
        return wheel
    pyodide = Path(sys.executable).with_name("pyodide")
    _run([str(pyodide), "py-compile", "--silent", "--keep", str(wheel)], wheel.parent)
    compiled = next(wheel.parent.glob(f"*-cp{PYODIDE_PYTHON[0]}{PYODIDE_PYTHON[1]}-none-any.whl"))
    _forget_times(compiled)
    return compiled


def _forget_times(archive: Path) -> None:
    """Write a zip file anew, without the times at which its files were made."""
    with ZipFile(archive) as found:
        files = [(name, found.read(name)) for name in found.namelist()]
    with ZipFile(archive, "w", ZIP_DEFLATED) as written:
        for name, content in files:
            written.writestr(ZipInfo(name, NO_TIME), content, ZIP_DEFLATED)


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ, **REPRODUCIBLE})
    if done.returncode:
        raise BuildError(f"{' '.join(command[:4])} failed:\n{(done.stderr or done.stdout)[-2000:]}")
