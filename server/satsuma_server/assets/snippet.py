"""The snippet, which is pasted into a page."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from satsuma_server.errors import AssetsError
from satsuma_server.settings import RUNTIME

MARK = re.compile("__(?:HOST|WRITE_KEY|OPTIONS|SOON)__")
"""The placeholders that the build leaves to be filled in."""

LARGE = ("memory.bin", "python.wasm")
"""Files of the runtime that are large enough to be requested before the loader has arrived."""


def snippet(
    write_key: str,
    host: str = "",
    runtime: Path = RUNTIME,
    options: Mapping[str, Any] | None = None,
    *,
    hints: bool = False,
) -> str:
    """Return the snippet's JavaScript, without a script element around it.

    Args:
        write_key: the write key of the source.
        host: origin of the collector, as ``https://collector.example``; empty for the page's own.
        runtime: folder of the browser's files.
        options: options of ``analytics.load``, as far as JSON can represent them.
        hints: whether the snippet preloads the files that the loader will need, unless Python comes late. Their names
            belong to the build in `runtime`, so this is not for a snippet that is pasted and stays, or for another
            collector.

    Raises:
        AssetsError: the runtime isn't built.
    """
    chosen = dict(options or {})
    early = bool(chosen.get("early"))
    values = {
        "__HOST__": host.rstrip("/"),
        "__WRITE_KEY__": write_key,
        "__OPTIONS__": chosen,
        "__SOON__": _large_files(runtime) if hints and not early else [],
    }
    template = _template(runtime, early=early, service=chosen.get("python") == "service")
    return MARK.sub(lambda mark: _literal(values[mark[0]]), template)


SERVICE_FILE = "/satsuma-service.js"
"""Where a page looks for its site's service worker, unless the option ``serviceWorker`` names another address."""


def service_url(write_key: str, host: str) -> str:
    """Return the address of the script that a site's service worker imports.

    Args:
        write_key: the write key of the source.
        host: origin of the collector.
    """
    return f"{host.rstrip('/')}/analytics.js/v1/{quote(write_key, safe='')}/service.js"


def service_line(write_key: str, host: str) -> str:
    """Return the line of JavaScript that a site serves for Python to live in its service worker; see `service_url`."""
    return f"importScripts({_literal(service_url(write_key, host))});"


def service(host: str, runtime: Path = RUNTIME) -> str:
    """Return the JavaScript that puts Python into a site's service worker.

    Args:
        host: where the collector is, as ``https://collector.example``.
        runtime: folder of the browser's files.

    Raises:
        AssetsError: the runtime isn't built.
    """
    return _text(runtime, "service.js").replace("__HOST__", _literal(host.rstrip("/")))


@cache
def _large_files(runtime: Path) -> list[str]:
    files = json.loads(_text(runtime, "manifest.json"))["files"]
    return [f"/analytics.js/runtime/{files[name]['path']}" for name in LARGE]


@cache
def _template(runtime: Path, *, early: bool, service: bool) -> str:
    """Return the snippet's text; what the two options need is a part of it only where they are asked for."""
    parts = ["snippet", *(["early"] if early else []), *(["service"] if service else [])]
    return _text(runtime, "_".join(parts) + ".js")


def _text(runtime: Path, name: str) -> str:
    try:
        return (runtime / name).read_text()
    except OSError as error:
        raise AssetsError(f"the browser's files are not in {runtime}: run ./dev build") from error


def _literal(value: Any) -> str:
    """Return a value as JavaScript that is also safe inside a script element."""
    return json.dumps(value).replace("<", "\\u003c")
