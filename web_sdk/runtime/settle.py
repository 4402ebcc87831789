"""Runs in Pyodide, for the build: imports the SDK, and leaves nothing behind that a page has no use for."""

import asyncio
import builtins
import gc
import heapq
import json
import linecache
import sys
import unicodedata
import zipimport
from collections.abc import Iterator
from contextlib import suppress
from types import FunctionType, ModuleType

import satsuma.platforms.browser.boot  # noqa: F401 (what the image is for)

DROPPED = ("site", "_sitebuiltins")
"""Modules that have done what they are for as the interpreter starts."""

HOLLOW = (
    "_frozen_importlib_external", "zipimport", "importlib.util", "importlib._abc", "importlib.abc", "codecs", "os",
    "posixpath", "genericpath",
)  # fmt: skip
"""Modules that stay for what asks for their names: there are no files to work on."""

KEPT = {
    "spec_from_loader", "getenv", "_Environ", "split", "splitext", "basename", "dirname", "join", "normcase",
    "_get_sep", "_splitext", "lookup", "getencoder", "getdecoder", "CodecInfo", "Codec", "_get_exports_list", "fspath",
    "getincrementaldecoder", "getincrementalencoder", "getreader", "getwriter",
    "IncrementalDecoder", "IncrementalEncoder",
    "BufferedIncrementalDecoder", "BufferedIncrementalEncoder", "MetaPathFinder", "Loader",
}  # fmt: skip
"""Functions and classes of these that do something all the same."""


def settle() -> None:
    """Drop caches and whatever no page can use."""
    linecache.clearcache()
    sys.path_importer_cache.clear()
    # The page has no files: nothing may look for a module at run time that isn't here.
    sys.path.clear()
    sys.path_hooks.clear()
    sys.meta_path[:] = [one for one in sys.meta_path if one.__module__ != "_frozen_importlib_external"]
    for files in zipimport._zip_directory_cache.values():
        files.clear()
    # Their tables are taken away (tables.py, snapshot.mjs).
    del unicodedata.name, unicodedata.lookup, unicodedata.ucd_3_2_0, unicodedata._ucnhash_CAPI
    sys.modules.update(dict.fromkeys(f"_codecs_{name}" for name in ("cn", "hk", "iso2022", "jp", "kr", "tw")))
    drop()
    for name in HOLLOW:
        for function in functions_of(sys.modules[name]):
            hollow(function)
    strip()
    gc.collect()


def drop() -> None:
    """Forget what served the start, what a person asks for at a prompt, and what has been made anew in C."""
    for name in DROPPED:
        sys.modules.pop(name, None)
    for name in ("exit", "quit", "copyright", "credits", "license", "help"):
        vars(builtins).pop(name, None)
    del sys.__interactivehook__, heapq.__about__, sys.modules["_heapq"].__about__
    for module in (asyncio.tasks, asyncio.futures, asyncio.events, json.encoder, json.decoder, json.scanner):
        for name in [name for name in vars(module) if name.startswith(("_Py", "_py_", "py_"))]:
            delattr(module, name)


def functions_of(module: ModuleType) -> Iterator[FunctionType]:
    """Yield the functions of a module and of its classes that are made there and not `KEPT`."""
    for name, value in vars(module).items():
        if name in KEPT:
            continue
        inside = vars(value).values() if isinstance(value, type) else (value,)
        for one in inside:
            function = getattr(one, "__func__", one)
            if isinstance(function, FunctionType) and function.__globals__ is vars(module):
                yield function


def absent(*args: object, **named: object) -> None:
    raise NotImplementedError("Satsuma's interpreter comes without this function, which no page can use")


def hollow(function: FunctionType) -> None:
    """Leave a function's name, and an error where it is called."""
    if not function.__code__.co_freevars:
        function.__code__ = absent.__code__
        function.__defaults__ = function.__kwdefaults__ = None


def strip() -> None:
    """Take docstrings, annotations and lines from all functions, classes and modules."""
    for one in gc.get_objects():
        if isinstance(one, FunctionType):
            one.__doc__ = None
            one.__annotations__ = None
            if one.__code__.co_linetable:
                one.__code__ = bare(one.__code__)  # noqa: F821 (bare.py's)
        elif isinstance(one, type | ModuleType) and vars(one).get("__doc__"):
            with suppress(TypeError):  # A type of C's keeps its own.
                one.__doc__ = None


settle()
