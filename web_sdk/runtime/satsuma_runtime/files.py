"""The files of a built runtime: compressed beside themselves, with a manifest that lists them."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import brotli
import zstandard

MANIFEST_VERSION = 1
MANIFEST = "manifest.json"

TYPES = {
    ".bin": "application/octet-stream",
    ".js": "text/javascript",
    ".wasm": "application/wasm",
    ".zip": "application/zip",
    ".whl": "application/zip",
}
"""Media types by ending."""

BEST = 11
BROTLI_QUALITY = {"pyodide.asm.wasm": 9}
"""By name; 11 elsewhere. At 11 a wasm takes half a minute: worth it for what each first visit loads, and only there."""


ZSTD = zstandard.ZstdCompressionParameters.from_level(19, window_log=20)
"""A window of 1 MB: browsers take 8 (RFC 9659), for 2 % fewer bytes, but fill as much of fresh memory at each visit."""


def integrity(content: bytes) -> str:
    """Return the Subresource Integrity value of `content`."""
    return "sha256-" + base64.b64encode(hashlib.sha256(content).digest()).decode()


def compress(path: Path, cache: Path, best: int = BEST) -> dict[str, int]:
    """Write ``.zst``, ``.br`` and ``.gz`` beside `path`; return their sizes in bytes.

    Each is made once per content, and kept in `cache`.
    """
    content = path.read_bytes()
    quality = min(best, BROTLI_QUALITY.get(path.name, BEST))
    made: dict[str, tuple[str, Callable[[], bytes]]] = {
        "zstd": ("zst", partial(zstandard.ZstdCompressor(compression_params=ZSTD).compress, content)),
        "br": ("br", partial(brotli.compress, content, quality=quality, lgwin=24)),
        "gzip": ("gz", partial(gzip.compress, content, compresslevel=9, mtime=0)),
    }
    sizes = {}
    for encoding, (ending, make) in made.items():
        kept = cache / f"{hashlib.sha256(content).hexdigest()}.q{quality}w{ZSTD.window_log}.{ending}"
        if not kept.is_file():
            cache.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(make())
        packed = kept.read_bytes()
        path.with_name(f"{path.name}.{ending}").write_bytes(packed)
        sizes[encoding] = len(packed)
    return sizes


def write_manifest(root: Path, key: str, files: dict[str, Path], cache: Path, best: int = BEST) -> dict[str, Any]:
    """Compress `files` (logical name to path below `root`) and write the manifest of them."""
    with ThreadPoolExecutor() as pool:
        sizes = dict(zip(files, pool.map(lambda path: compress(path, cache, best), files.values()), strict=True))
    manifest = {
        "version": MANIFEST_VERSION,
        "key": key,
        "loader": "loader.js",
        "snippet": "snippet.js",
        "files": {
            name: {
                "path": path.relative_to(root).as_posix(),
                "bytes": path.stat().st_size,
                "integrity": integrity(path.read_bytes()),
                "type": TYPES[path.suffix],
                "encodings": sizes[name],
            }
            for name, path in files.items()
        },
    }
    # Last, so that a build that broke off is never taken for a whole one.
    (root / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
    return manifest


def manifest_of(root: Path) -> dict[str, Any] | None:
    """Return the manifest of a built runtime, or None where there is no whole one."""
    try:
        manifest: dict[str, Any] = json.loads((root / MANIFEST).read_text())
        whole = all((root / entry["path"]).is_file() for entry in manifest["files"].values())
    except (OSError, ValueError, KeyError):
        return None
    return manifest if whole and manifest.get("version") == MANIFEST_VERSION else None
