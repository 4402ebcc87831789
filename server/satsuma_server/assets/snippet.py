"""The text that is pasted into a page."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from satsuma_server.errors import AssetsError
from satsuma_server.settings import RUNTIME


def snippet(write_key: str, host: str = "", runtime: Path = RUNTIME) -> str:
    """Return the snippet's JavaScript, without a script element around it.

    Args:
        write_key: the source.
        host: origin of the collector, as ``https://collector.example``; empty for the page's own.
        runtime: folder of the browser's files.

    Raises:
        AssetsError: the runtime isn't built.
    """
    text = _template(runtime)
    return text.replace("__HOST__", _literal(host.rstrip("/"))).replace("__WRITE_KEY__", _literal(write_key))


@cache
def _template(runtime: Path) -> str:
    try:
        return (runtime / "snippet.js").read_text()
    except OSError as error:
        raise AssetsError(f"the browser's files are not in {runtime}: run ./dev build") from error


def _literal(text: str) -> str:
    """Return a JavaScript string that is also safe inside a script element."""
    return json.dumps(text).replace("<", "\\u003c")
