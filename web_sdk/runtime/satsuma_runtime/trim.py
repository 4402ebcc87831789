"""The interpreter cut down to what a page of ours can reach: once per Pyodide, kept in the cache."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from . import glue, node, wasm

FEATURES = (
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-exception-handling",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
)
"""What Pyodide's module is compiled for."""

PASSES = ("--remove-unused-module-elements", "--remove-unused-types", "--strip-debug")

MINIFIER = ("--ecma", "2020", "--compress", "pure_getters=true,keep_fargs=false", "--mangle")

COPIED = ("package.json", "pyodide.mjs", "pyodide-lock.json", "python_stdlib.zip")


def trim(pyodide: Path, cache: Path, say: Callable[[str], None]) -> Path:
    """Return a folder with a Pyodide that boots as `pyodide` does, less what can't be reached without dynamic linking.

    Raises:
        BuildError: a tool failed, or this Pyodide is another one than `glue` was made for.
    """
    folder = cache / f"trimmed-{_key(pyodide)}"
    if (folder / "package.json").is_file():
        return folder
    say("trimming the interpreter")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    text, loader = ((pyodide / name).read_text() for name in ("pyodide.asm.js", "pyodide.mjs"))
    whole, used = folder / "whole.wasm", folder / "pyodide.asm.wasm"
    whole.write_bytes(wasm.keep_exports((pyodide / "pyodide.asm.wasm").read_bytes(), glue.exports_used(text)))
    _optimize(pyodide, whole, used)
    whole.unlink()
    used.write_bytes(wasm.without_docstrings(used.read_bytes()))
    plain = folder / "plain.js"
    plain.write_text(glue.trimmed(text, loader, wasm.import_names(used.read_bytes())))
    minify(pyodide, plain, folder / "pyodide.asm.js")
    plain.unlink()
    # package.json last: a folder that has it is whole.
    for name in reversed(COPIED):
        shutil.copyfile(pyodide / name, folder / name)
    return folder


def drop_exports(pyodide: Path, module: Path) -> None:
    """Take from a module what only the build asked for, and what that alone kept alive."""
    kept = set(wasm.export_names(module.read_bytes())) - glue.FIRST_BOOT | {"malloc", "free"}
    module.write_bytes(wasm.keep_exports(module.read_bytes(), kept))
    _optimize(pyodide, module, module)


def minify(pyodide: Path, source: Path, target: Path) -> None:
    """Write `source` without what has no use and without long names."""
    terser = pyodide.parent / "terser" / "bin" / "terser"
    node.run(["node", str(terser), str(source), *MINIFIER, "--output", str(target)], pyodide)


def _optimize(pyodide: Path, module: Path, target: Path) -> None:
    program = pyodide.parent / "binaryen" / "bin" / "wasm-opt"
    node.run(["node", str(program), *FEATURES, *PASSES, str(module), "--output", str(target)], pyodide)


def _key(pyodide: Path) -> str:
    digest = hashlib.sha256()
    lock = pyodide.parent.parent / "package-lock.json"
    for path in (lock, *(Path(str(module.__file__)) for module in (glue, wasm)), Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
