"""The SDK's wheel: what `micropip` installs, and what the snapshot is taken of."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .errors import BuildError

PYODIDE_PYTHON = (3, 13)
"""Python of the pinned Pyodide. Byte code is only valid for this one."""


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
    return next(wheel.parent.glob(f"*-cp{PYODIDE_PYTHON[0]}{PYODIDE_PYTHON[1]}-none-any.whl"))


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise BuildError(f"{' '.join(command[:4])} failed:\n{(done.stderr or done.stdout)[-2000:]}")
