"""The collector's own log lines: JSON, and without personal data.

No line holds an address, an id, a trait or a body: a line tells what happened to the collector, not to a visitor.
"""

from __future__ import annotations

import logging
import sys

from pythonjsonlogger.json import JsonFormatter
from rich.logging import RichHandler


def set_up(level: str = "info", *, as_json: bool | None = None) -> None:
    """Send log lines to standard error.

    Args:
        level: ``debug``, ``info``, ``warning`` or ``error``.
        as_json: None for JSON wherever nobody is looking (standard error is no terminal).
    """
    handler: logging.Handler
    if as_json or (as_json is None and not sys.stderr.isatty()):
        handler = logging.StreamHandler()
        fields = {"asctime": "at", "levelname": "level", "name": "logger"}
        handler.setFormatter(JsonFormatter("%(asctime)s %(levelname)s %(name)s %(message)s", rename_fields=fields))
    else:
        handler = RichHandler(show_path=False, rich_tracebacks=True)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # httpx tells the address of every request, with its parameters.
    logging.getLogger("httpx").setLevel(logging.WARNING)
