"""Configures the collector's own log lines, which are JSON and have no personal data.

No line has an address, an id, a trait or a body: lines are about what happens to the collector, not to a visitor.
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
        as_json: whether lines are JSON; None for JSON unless standard error is a terminal.
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
    # At the level of info, httpx would log the URL of every request with its parameters.
    logging.getLogger("httpx").setLevel(logging.WARNING)
