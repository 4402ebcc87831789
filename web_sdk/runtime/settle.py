"""Runs in Pyodide, for the build: imports the SDK, and leaves nothing behind that a page has no use for."""

import gc
import linecache
import sys
import unicodedata
import zipimport

import satsuma.platforms.browser.boot  # noqa: F401 (what the image is for)

FREE = 64 * 1024
"""Bytes of each size that are made and freed again, at most."""


def settle() -> None:
    """Drop caches, and overwrite what Python's allocator has freed: zeros cost nothing to send."""
    linecache.clearcache()
    sys.path_importer_cache.clear()
    # The page has no files: nothing may look for a module at run time that isn't here.
    sys.path.clear()
    for files in zipimport._zip_directory_cache.values():
        files.clear()
    # Their tables are taken away (tables.py, snapshot.mjs).
    del unicodedata.name, unicodedata.lookup, unicodedata.ucd_3_2_0, unicodedata._ucnhash_CAPI
    sys.modules.update(dict.fromkeys(f"_codecs_{name}" for name in ("cn", "hk", "iso2022", "jp", "kr", "tw")))
    gc.collect()
    overwrite()
    gc.collect()


def overwrite() -> None:
    """Fill with zeros what is free, but no memory that the allocator would have to ask for: that is zero already."""
    top = max(map(id, gc.get_objects()))
    made = []
    for size in range(48, 513, 16):
        for _ in range(FREE // size):
            made.append(bytes(size - sys.getsizeof(b"")))
            if id(made[-1]) > top:
                break


settle()
