"""Runs in Pyodide, for the build: imports the SDK, and leaves nothing behind that a page has no use for."""

import gc
import linecache
import sys

import satsuma.platforms.browser.boot  # noqa: F401 (what the image is for)

FREE = 64 * 1024
"""Bytes of each size that are made and freed again."""


def settle() -> None:
    """Drop caches, and overwrite what Python's allocator has freed: zeros cost nothing to send."""
    linecache.clearcache()
    sys.path_importer_cache.clear()
    # The page has no files: nothing may look for a module at run time that isn't here.
    sys.path.clear()
    # Their tables are taken away (tables.py).
    sys.modules.update(dict.fromkeys(f"_codecs_{name}" for name in ("cn", "hk", "iso2022", "jp", "kr", "tw")))
    gc.collect()
    head = sys.getsizeof(b"")
    made = [[bytes(size - head) for _ in range(FREE // size)] for size in range(48, 513, 16)]
    made.clear()
    gc.collect()


settle()
