"""A folder with Pyodide from npm and wheels from PyPI, as a site serves it that asks no CDN for anything."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterable
from email.parser import Parser
from pathlib import Path
from typing import Any
from zipfile import ZipFile

STAND_IN = '''"""Stands in for a package of which there is no wheel for Pyodide in a registry."""


class _Made(type):
    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _made(name)


def _made(name):
    return _Made(name, (), {"__module__": __name__, "__setstate__": lambda self, state: None})


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return _made(name)


__path__ = []
'''


def lay_out(target: Path, pyodide: Path, wheels: Iterable[Path]) -> Path:
    """Copy Pyodide and these wheels into a folder, and write the lock file that names them all; return the folder."""
    target.mkdir(parents=True)
    for file in pyodide.iterdir():
        if file.is_file():
            shutil.copy(file, target)
    info = json.loads((pyodide / "pyodide-lock.json").read_text())["info"]
    copied = [Path(shutil.copy(wheel, target)) for wheel in wheels]
    names = {_normal(wheel.name.partition("-")[0]) for wheel in copied}
    packages = {entry["name"]: entry for entry in (_entry(wheel, names) for wheel in copied)}
    (target / "pyodide-lock.json").write_text(json.dumps({"info": info, "packages": packages}))
    return target


def _entry(wheel: Path, names: set[str]) -> dict[str, Any]:
    """Return what a lock file says of a wheel. It depends on those of `names` that it requires."""
    with ZipFile(wheel) as content:
        files = content.namelist()
        [metadata] = [name for name in files if name.endswith(".dist-info/METADATA")]
        told = Parser().parsestr(content.read(metadata).decode())
    tops = {name.partition("/")[0].removesuffix(".py") for name in files if name.endswith(".py")}
    needed = [line for line in told.get_all("Requires-Dist") or [] if "extra ==" not in line]
    wanted = (_normal(re.split(r"[^\w.-]", line, maxsplit=1)[0]) for line in needed)
    return {
        "name": _normal(told["Name"]),
        "version": told["Version"],
        "file_name": wheel.name,
        "install_dir": "site",
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "package_type": "package",
        "imports": sorted(tops),
        "depends": [name for name in wanted if name in names],
        "unvendored_tests": False,
    }


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def write_stand_in(folder: Path, name: str, module: str, version: str, *requires: str) -> Path:
    """Write the wheel of a package whose module has every name and does nothing."""
    return _write(folder, name, version, {f"{module}/__init__.py": STAND_IN}, requires)


def without_extension_module(folder: Path, site: Path, name: str, module: str) -> Path:
    """Write the wheel of an installed package that can do without its extension module.

    Args:
        site: the ``site-packages`` in which it is installed.
    """
    files = {str(file.relative_to(site)): file.read_text() for file in (site / module).glob("*.py")}
    [metadata] = site.glob(f"{name}-*.dist-info")
    return _write(folder, name, metadata.name.removesuffix(".dist-info").partition("-")[2], files)


def _write(folder: Path, name: str, version: str, files: dict[str, str], requires: Iterable[str] = ()) -> Path:
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {other}" for other in requires]
    about = f"{name}-{version}.dist-info"
    files = {
        **files,
        f"{about}/METADATA": "\n".join(lines) + "\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: satsuma\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/RECORD": "",
    }
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with ZipFile(wheel, "w") as content:
        for path, text in files.items():
            content.writestr(path, text)
    return wheel
