"""For ``satsuma-runtime record``: pages may tell the listener what Python has called, whatever their policy says."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser, BrowserContext

_new_context = Browser.new_context


def _open_context(self: Browser, **given: Any) -> BrowserContext:
    return _new_context(self, **{**given, "bypass_csp": True})


Browser.new_context = _open_context  # type: ignore[method-assign]
