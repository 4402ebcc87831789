"""The build: from npm's Pyodide and the SDK's sources to the files that a collector serves."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from satsuma import __version__ as version

from . import blocks, called, files, node, trim, wasm, wheel
from .errors import BuildError
from .minifier import minified
from .sources import Sources

PLAIN_FILES = ("pyodide.js", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip")
"""Pyodide as it is: for apps that run it themselves, and fetched where the memory image can't be restored."""

HEAP = 20 * 1024 * 1024
"""Bytes that the interpreter's memory starts with: the image must fit in."""

WASM_PAGE = 64 * 1024

UNSPLIT = "unsplit.wasm"
"""The module before it is split, which a recording build leaves beside the loader."""

QUICK = 3
"""The quality of compression of a build that only records."""

PARTS = {
    "/*ATTEMPT*/": "attempt.js",
    "/*AUTO_TRACK*/": "auto_track.js",
    "/*FACE*/": "face.js",
    "/*CONTEXT*/": "context.js",
    "/*FILES*/": "files.js",
    "/*GUARD*/": "guard.js",
    "/*INTRINSICS*/": "intrinsics.js",
    "/*MEND*/": "mend.js",
    "/*JOURNAL*/": "journal.js",
    "/*BEACON*/": "beacon.js",
    "/*EARLY*/": "early.js",
    "/*CALL_RECORD*/": "call_record.js",
    "/*REGISTRATION*/": "registration.js",
    "/*TRUST*/": "trust.js",
    "/*VALUES*/": "values.js",
}
"""What snippet and loader are put together of, by its mark."""

OPTION_MARKS = EARLY, SERVICE = "__WITH_EARLY__", "__WITH_SERVICE__"
SNIPPETS = {
    "snippet.js": (),
    "snippet_early.js": (EARLY,),
    "snippet_service.js": (SERVICE,),
    "snippet_early_service.js": (EARLY, SERVICE),
}
"""The snippet as most pages have it, and with what some options need before the loader is there, by their marks."""

HOST = ("worker/channel.js", "worker/predicted_state.js", "worker/host.js")
DESK = ("worker/channel.js", "worker/writes.js", "worker/page_mirror.js", "files.js", "attempt.js", "worker/desk.js")
"""Halves of a page whose Python runs elsewhere: the page's own, and the other one, beside the interpreter."""

PAGES = {
    "host.js": (*HOST, "worker/dedicated.js"),
    "service_host.js": (*HOST, "registration.js", "service/connection.js"),
    "plain.js": ("plain.js",),
}
"""Files that the loader adds to a page where it needs them, by the parts that they are made of."""

WORKERS = {
    "worker.js": ("worker/worker_main.js",),
    "service_worker.js": ("service/unsent.js", "service/sending.js", "service/service_main.js"),
}
"""Files in which a half is at work, by what it ends with: in a worker of one page, or in a service worker of all."""

PYTHON_WORKERS = "python-workers.js"
"""For pages of apps that run Python in workers of their own: their way to the page's analytics."""

OWN_SCRIPT = 'Reflect.getOwnPropertyDescriptor(Document.prototype, "currentScript").get.call(window.document)'
"""The script element that is running, read past whatever the page has put over the document's own property."""

PRELUDE = f"""const {{ Object, Array, Date, JSON, Promise, crypto, document, fetch, localStorage, sendBeacon,
setTimeout, clearTimeout }} = {OWN_SCRIPT}.intrinsics;
"""
"""What a script that the loader adds to a page begins with: the built-in objects as they were at first sight."""

PLAIN_PRELUDE = f"""const {{ Object, Array, Date, JSON, Promise, crypto, document, fetch, setTimeout, clearTimeout }} =
(typeof Document === "function" && {OWN_SCRIPT}?.intrinsics) || globalThis;
"""
"""The same for Pyodide's own scripts. Apps use these without our loader, too, and then have the page's objects."""

RUNTIME_MARK = re.compile(r"/\*RUNTIME\*/.*?/\*END\*/")
RUNTIME_NAME = "SATSUMA_RUNTIME"
"""What stands for this build's own facts while the loader is minified: a name that the minifier must leave."""

Say = Callable[[str], None]


def build(target: Path, cache: Path, say: Say, *, force: bool = False, record: str = "") -> dict[str, Any]:
    """Build the runtime into `target`, unless it is there already, and return its manifest.

    Args:
        target: folder that a collector serves; made anew.
        cache: folder for what is worth keeping: npm's packages and compressed files.
        say: takes one line of progress.
        force: build even where nothing has changed.
        record: the URL of a listener (``called.Listener``) that the interpreter tells what it calls; empty for none.

    Raises:
        BuildError: a tool is missing or failed.
    """
    sources = Sources.of_checkout()
    key = sources.key(f"python{sys.version_info[:2]}", record)
    found = files.manifest_of(target)
    if found is not None and found["key"] == key and not force:
        return found
    with TemporaryDirectory() as work:
        return _build(sources, key, target, cache, Path(work), say, record)


def _build(sources: Sources, key: str, target: Path, cache: Path, work: Path, say: Say, record: str) -> dict[str, Any]:
    say("fetching Pyodide")
    pyodide = node.install(sources.runtime, cache / "npm") / "pyodide"
    say("building the wheel of satsuma")
    pure = wheel.build_wheel(sources.sdk.parent, work)
    compiled = wheel.compile_wheel(pure)
    shutil.rmtree(target, ignore_errors=True)
    folder = target / key
    folder.mkdir(parents=True)
    for name in PLAIN_FILES:
        shutil.copyfile(pyodide / name, folder / name)
        if name.endswith(".js"):
            (folder / name).write_text(f"(()=>{{{PLAIN_PRELUDE}{(pyodide / name).read_text()}\n}})();\n")
    shutil.copyfile(compiled, folder / "satsuma.zip")
    shutil.copyfile(pure, folder / pure.name)
    trimmed = trim.trim(pyodide, cache, say)
    say("taking the memory image")
    image = write_python(sources, trimmed, pyodide, pure, work, folder, record)
    _write_loader(sources, target, folder, pyodide, image)
    say("compressing")
    scripts = [target / name for name in ("loader.js", *SNIPPETS, "service.js", PYTHON_WORKERS)]
    shipped = {path.name: path for path in [*sorted(folder.iterdir()), *scripts]}
    return files.write_manifest(target, key, shipped, cache / "compressed", QUICK if record else files.BEST)


def write_python(
    sources: Sources, trimmed: Path, pyodide: Path, sdk: Path, work: Path, folder: Path, record: str = ""
) -> dict[str, Any]:
    """Write the interpreter: its module, the memory that it starts with, and its glue with what starts it.

    Args:
        sources: the sources of the build.
        trimmed, pyodide: folders of the interpreter, cut down and whole.
        sdk: zip file of the SDK that it has imported.
        work: folder for what is left over.
        folder: for ``python.wasm``, ``python_rest.wasm``, ``memory.bin`` and ``python.js``.
        record: see `build`.

    Returns:
        What the loader must know: ``config`` (what the image holds of JavaScript's), ``pages`` (WebAssembly's, that
        the memory starts with) and ``blocks`` (of the two large files, by name).

    Raises:
        BuildError: the image could not be taken, or is larger than Python's memory.
    """
    node.run(["node", str(sources.runtime / "snapshot.mjs"), str(trimmed), str(sdk), str(work)], work)
    image = (work / "memory.bin").read_bytes()
    if len(image) > HEAP:
        raise BuildError(f"the memory image takes {len(image):,} bytes of {HEAP:,}: see what settle.py leaves")
    content, lying = blocks.packed(image)
    (folder / "memory.bin").write_bytes(content)
    module, rest = folder / "python.wasm", folder / "python_rest.wasm"
    module.write_bytes(wasm.without_data((trimmed / "pyodide.asm.wasm").read_bytes()))
    trim.drop_exports(pyodide, module)
    unsplit = module.read_bytes()
    parts = called.recording(unsplit) if record else called.parts(unsplit, sources.runtime)
    for path, part in zip((module, rest), parts, strict=True):
        path.write_bytes(part)
    glue = (
        (trimmed / "pyodide.asm.js").read_text().removesuffix("globalThis._createPyodideModule=_createPyodideModule;")
    )
    starting = (sources.js / "start.js").read_text()
    if record:
        (folder.parent / UNSPLIT).write_bytes(unsplit)
        starting = starting.replace("  return started;", f"{called.recorder(unsplit, record)}  return started;", 1)
    start = f"{glue}\n{minified(pyodide, starting)}"
    (folder / "python.js").write_text(f"(()=>{{{PRELUDE}{start}document.currentScript.startPython=startPython;}})();\n")
    worker = f"const startPython=(()=>{{{start}return startPython;}})();"
    for name, own in WORKERS.items():
        text = f"{worker}\n{minified(pyodide, _joined(sources.js, (*DESK, *own)), whole=True)}"
        # What a site's service worker has beside it has names of its own.
        (folder / name).write_text(f"(()=>{{{text}}})();\n" if name == "service_worker.js" else text)
    for name, made_of in PAGES.items():
        host = f"(()=>{{{PRELUDE}{_joined(sources.js, made_of)}}})();\n"
        (folder / name).write_text(minified(pyodide, host))
    config = json.loads((work / "image.json").read_text())
    hashed = {"memory.bin": lying, **{path.name: blocks.in_turn(path.read_bytes()) for path in (module, rest)}}
    return {"config": config, "pages": HEAP // WASM_PAGE, "blocks": hashed}


def _write_loader(sources: Sources, target: Path, folder: Path, pyodide: Path, image: dict[str, Any]) -> None:
    """Write loader and snippet, with the place of this very build, and its files' hashes, in the loader."""
    info = json.loads((pyodide / "pyodide-lock.json").read_text())["info"]
    hashes = {path.name: files.integrity(path.read_bytes()) for path in sorted(folder.iterdir())}
    about = {
        "folder": f"{folder.name}/",
        "version": f"satsuma-{version}",
        "lockInfo": info,
        "integrity": hashes,
        "image": image,
    }
    loader = RUNTIME_MARK.sub(RUNTIME_NAME, _with_parts(sources.js, "loader.js"), count=1)
    (target / "loader.js").write_text(_told(minified(pyodide, loader), about))
    # The snippet's language stays that of any browser: it hands the calls over where nothing newer runs.
    snippet = _with_parts(sources.js, "snippet.js")
    for name, marks in SNIPPETS.items():
        text = snippet
        for mark in OPTION_MARKS:
            text = text.replace(mark, "true" if mark in marks else "false")
        (target / name).write_text(minified(pyodide, text, ecma="5"))
    (target / PYTHON_WORKERS).write_text(minified(pyodide, (sources.js / "python_workers.js").read_text()))
    service = RUNTIME_MARK.sub(RUNTIME_NAME, (sources.js / "service" / "service.js").read_text(), count=1)
    (target / "service.js").write_text(_told(minified(pyodide, service), about))


def _told(loader: str, about: dict[str, Any]) -> str:
    """Return the minified loader with this build's facts in it, behind a mark by which they are found again."""
    if loader.count(RUNTIME_NAME) != 1:
        raise BuildError(
            f"the minified loader names {RUNTIME_NAME} {loader.count(RUNTIME_NAME)} times in place of once"
        )
    return loader.replace(RUNTIME_NAME, f"/*RUNTIME*/{json.dumps(about, separators=(',', ':'))}")


def _joined(folder: Path, names: Sequence[str]) -> str:
    return "\n".join((folder / name).read_text() for name in names)


def _with_parts(folder: Path, name: str) -> str:
    """Return a script with the parts that it names put in."""
    text = (folder / name).read_text()
    for mark, part in PARTS.items():
        text = text.replace(mark, (folder / part).read_text())
    return text
