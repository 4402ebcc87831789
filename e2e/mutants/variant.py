"""A browser runtime of the SDK as it would be with a fault in it: the built one, with another memory image."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from mutants.mutants import Mutant
from satsuma_runtime import trim
from satsuma_runtime.build import SNIPPETS, write_python
from satsuma_runtime.files import MANIFEST, TYPES, integrity
from satsuma_runtime.sources import Sources

MARK = "/*RUNTIME*/"
CHECKOUT = Path(__file__).parents[2]
CACHE = CHECKOUT / ".cache" / "runtime"
PYODIDE = CACHE / "npm" / "node_modules" / "pyodide"
OWN = ("python.wasm", "python_rest.wasm", "memory.bin", "python.js", "worker.js", "service_worker.js", "satsuma.zip")
TOLD = ("loader.js", "service.js")
"""Scripts that know which build they belong to."""

BUILT = CHECKOUT / "server" / "satsuma_server" / "assets" / "runtime"


def build_variant(mutant: Mutant, target: Path) -> Path:
    """Build the runtime with a fault into `target`, and return it. Nothing is compressed: it is read from here once.

    Raises:
        AssertionError: the source has changed, so that the mutant means nothing any more.
        BuildError: the image couldn't be taken.
    """
    sources = Sources.of_checkout()
    about = _facts((BUILT / "loader.js").read_text())[1]
    folder = target / mutant.name
    folder.mkdir(parents=True)
    for path in (BUILT / about["folder"]).iterdir():
        if path.suffix in TYPES and path.name not in OWN:
            (folder / path.name).symlink_to(path)
    _write_archive(sources, mutant, folder / "satsuma.zip")
    work = target / "work"
    work.mkdir()
    trimmed = trim.trim(PYODIDE, CACHE, lambda _: None)
    about["image"] = write_python(sources, trimmed, PYODIDE, folder / "satsuma.zip", work, folder)
    about["integrity"] |= {name: integrity((folder / name).read_bytes()) for name in OWN}
    about["folder"] = f"{folder.name}/"
    for name in TOLD:
        before, _, after = _facts((BUILT / name).read_text())
        (target / name).write_text(before + json.dumps(about) + after)
    for name in SNIPPETS:
        (target / name).symlink_to(BUILT / name)
    _write_manifest(target, folder)
    return target


def _facts(script: str) -> tuple[str, dict[str, Any], str]:
    """Return what a script is told of its build, and what is before and behind that."""
    start = script.index(MARK) + len(MARK)
    about, end = json.JSONDecoder().raw_decode(script, start)
    return script[:start], about, script[end:]


def _write_archive(sources: Sources, mutant: Mutant, archive: Path) -> None:
    left = dict(mutant.faults)
    with zipfile.ZipFile(archive, "w") as packed:
        for path in sources.modules():
            name = path.relative_to(sources.sdk).as_posix()
            packed.writestr(
                f"satsuma/{name}", left.pop(name).put_into(path.read_text()) if name in left else path.read_text()
            )
    assert not left, f"{mutant.name}: there are no modules {sorted(left)}"


def _write_manifest(target: Path, folder: Path) -> None:
    paths = [*folder.iterdir(), *(target / name for name in (*TOLD, *SNIPPETS))]
    files = {
        path.name: {"path": path.relative_to(target).as_posix(), "type": TYPES[path.suffix]}
        for path in paths
        if path.suffix in TYPES
    }
    (target / MANIFEST).write_text(json.dumps({"version": 1, "key": folder.name, "files": files}))
