"""Engines other than Chromium, behind one seam: `driver`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from . import firefox, webkit
from .driver import Context, DriverError, Page, left_out

__all__ = ["CHROMIUM", "ENGINES", "Context", "DriverError", "Page", "left_out", "missing", "starter"]

CHROMIUM = "chromium"
ENGINES = (CHROMIUM, "firefox", "webkit")


def missing(engine: str) -> str | None:
    """Return why an engine can't be started on this machine; None where it can."""
    checks: dict[str, Callable[[], str | None]] = {"firefox": firefox.missing, "webkit": webkit.missing}
    return checks[engine]() if engine in checks else None


def starter(engine: str) -> Callable[[bool], AbstractContextManager[Any]]:
    """Return what starts an engine, with all names leading to this machine or not.

    Each ``new_context()`` of it is a `Context` that was never anywhere.
    """
    starters: dict[str, Callable[[bool], AbstractContextManager[Any]]] = {
        "firefox": firefox.firefox,
        "webkit": webkit.webkit,
    }
    return starters[engine]
