"""Pyodide's JavaScript, without what only dynamic linking needs: some 3,600 exports, OpenGL, SDL and their like.

The interpreter of a page loads no library, so nothing can ask for a symbol by its name at run time. What the glue
itself names, and what the trimmed module imports, stays. The changes are plain substitutions in the very text that the
lock file pins; each must be found, so that another Pyodide fails the build instead of a page. A minifier then drops
what has no use any more.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from .errors import BuildError

EXPORT = re.compile(r'var (\w+)=(?:Module\["\w+"\]=)?wasmExports\["(\w+)"\]')
READ = re.compile(r'wasmExports(?:\["|\.)(\w+)')
PUBLISHED = re.compile(r"(?<![\w$])(?:Module|[a-z])\.(\w+)")

FIRST_BOOT = {"__wasm_call_ctors", "__wasm_apply_data_relocs", "main", "__main_argc_argv", "sbrk", "malloc", "free"}
"""Exports that only the build uses, where the interpreter starts without a memory image."""

BOOTSTRAP = (
    r"(?<=API\.finalizeBootstrap=function\()(?P<image>\w)(?P<head>,\w\)\{\w&&\w+\(\);)let\[\w,\w\]="
    r'API\.rawRun\("import _pyodide_core"\);.*?API\.importlib=API\.runPythonInternal\("import importlib; importlib"\);'
)
STARTED = (
    r'\g<image>\g<head>\g<image>||API.rawRun("import _pyodide_core");'
    'API.importlib=API._pyodide._base.import_module("importlib");'
    'API.runPythonInternal_dict=API.importlib.import_module("builtins").dict();'
)
"""What Pyodide's bootstrap begins with, and what it does instead."""

PACKAGES = (
    r"(?<=API\.finalizeBootstrap=function\()(?P<image>\w)(?P<before>,.*?)"
    r'(?P<loader>API\.package_loader=\w\("pyodide\._package_loader"\)),'
    r'(?P<base>API\.pyodide_base=\w\("_pyodide\._base"\)),'
    r'(?P<places>API\.sitepackages=.*?\.join\(":"\)\))'
)
UNPACKED = r"\g<image>\g<before>\g<base>,\g<image>||(\g<loader>,\g<places>)"
"""What the bootstrap does for packages that are yet to come, and that only the build needs, to unpack the SDK."""

ANSWERS = "Module.spare={malloc:_malloc,free:_free,sbrk:wasmExports.sbrk};"
"""Ways into the allocator, for the build."""


def exports_used(glue: str) -> set[str]:
    """Return the names of the module's exports that the glue does more with than hand them on."""
    defined = dict(EXPORT.findall(glue))
    rest = EXPORT.sub("", glue)
    words = set(re.findall(r"[\w$]+", re.sub(r'Module\["\w+"\]', "", rest)))
    return {name for variable, name in defined.items() if variable in words} | set(READ.findall(rest)) | FIRST_BOOT


def trimmed(glue: str, loader: str, imports: Collection[str]) -> str:
    """Return the glue, ready to be minified.

    Args:
        glue: ``pyodide.asm.js``.
        loader: ``pyodide.mjs``, which uses some of what the glue publishes.
        imports: what the trimmed module imports.

    Raises:
        BuildError: this is another glue than the one that the substitutions were made for.
    """
    spoken_of = set(PUBLISHED.findall(glue)) | set(PUBLISHED.findall(loader))

    def unless_used(kept: str) -> object:
        return lambda found: found[0] if found[1] in spoken_of else found.expand(kept)

    def imported(found: re.Match[str]) -> str:
        entries = (entry for entry in found[1].split(",") if entry.partition(":")[0].strip() in imports)
        return f"var wasmImports={{{','.join(entries)}}};"

    steps: tuple[tuple[str, object, int], ...] = (
        (r'(?<![\w$.])[\w$]+\.sig="[a-z]*";', "", 1000),
        (r'Module\["(\w+)"\]=wasmExports\["', unless_used('wasmExports["'), 1000),
        (r'(?<==)Module\["(\w+)"\]=(?=\d)', unless_used(""), 100),
        (r'(?<=[;}])Module\["(\w+)"\]=\w+;', unless_used(""), 1000),
        (r"var wasmImports=\{(.*?)\};", imported, 1),
        # Indirect, so that the minifier may rename: in a page nothing calls it, and a strict policy forbids it.
        (r"(?<![\w$.])eval\(", "(0,eval)(", 1),
        # With a memory image there is nothing to construct, to relocate, or to be copied in.
        (r'(__RELOC_FUNCS__\.push)\((wasmExports\["__wasm_apply_data_relocs"\])\)', r"\2&&\1(\2)", 1),
        (r'wasmExports\["__wasm_call_ctors"\]\(\)', 'wasmExports["__wasm_call_ctors"]?.()', 1),
        (r'Module\["INITIAL_MEMORY"\]\|\|', "", 1),
        # WebKit's own errors, as a failed fetch rejects with, have no stack; Python could not be told of one.
        (r'(?<=\()(?=hasProperty\(obj,"stack"\)\|\|constructorName===)', 'typeTag==="[object Error]"||', 1),
        # A page looks up no symbol by name, so that none needs a place in the function table.
        (r"updateGOT\(relocated,replace\);(?=return relocated)", "", 1),
        (r"addFunction\(inst\.exports\.f\)", "wasmTable.grow(1,inst.exports.f)", 1),
        (r"preInit\(\);run\(\);", f"{ANSWERS}preInit();run();", 1),
        # Modules by import_module: Python's parser and compiler, which a page has no other use for, stay uncompiled.
        (BOOTSTRAP, STARTED, 1),
        (PACKAGES, UNPACKED, 1),
        (r'API\.runPythonInternal\("import (\w+); \1\.__dict__"\)', r'API.importlib.import_module("\1").__dict__', 2),
    )
    for pattern, by, least in steps:
        glue, found = re.subn(pattern, by, glue)  # type: ignore[call-overload]
        if found < least:
            raise BuildError(f"Pyodide's glue has changed: {pattern} is found {found} times; mend {__name__}")
    return glue
