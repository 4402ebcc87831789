"""The text that is pasted into a page."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from satsuma_server.errors import AssetsError
from satsuma_server.settings import RUNTIME

MARK = re.compile("__(?:HOST|WRITE_KEY|OPTIONS)__")
"""What the build leaves to be filled in."""


def snippet(write_key: str, host: str = "", runtime: Path = RUNTIME, options: Mapping[str, Any] | None = None) -> str:
    """Return the snippet's JavaScript, without a script element around it.

    Args:
        write_key: the source.
        host: origin of the collector, as ``https://collector.example``; empty for the page's own.
        runtime: folder of the browser's files.
        options: of ``analytics.load``, as far as JSON holds them.

    Raises:
        AssetsError: the runtime isn't built.
    """
    values = {"__HOST__": host.rstrip("/"), "__WRITE_KEY__": write_key, "__OPTIONS__": dict(options or {})}
    return MARK.sub(lambda mark: _literal(values[mark[0]]), _template(runtime))


@cache
def _template(runtime: Path) -> str:
    try:
        return (runtime / "snippet.js").read_text()
    except OSError as error:
        raise AssetsError(f"the browser's files are not in {runtime}: run ./dev build") from error


def _literal(value: Any) -> str:
    """Return a JavaScript value that is also safe inside a script element."""
    return json.dumps(value).replace("<", "\\u003c")
