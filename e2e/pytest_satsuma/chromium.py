"""How Chromium is started in tests, and how its pages are slowed down."""

from __future__ import annotations

import os
from typing import Any

from playwright.sync_api import BrowserContext, Page

QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)
"""Flags that keep the browser from connecting to anything but the site under test."""


def launch_args(given: dict[str, Any]) -> dict[str, Any]:
    """Return Playwright's launch arguments with ours added.

    ``SATSUMA_CHROMIUM`` names an installed browser where Playwright's own can't be downloaded.
    """
    args = [*given.get("args", ()), *QUIET]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # Chromium's sandbox refuses to run as root, which is usual in containers.
        args.append("--no-sandbox")
    executable = os.environ.get("SATSUMA_CHROMIUM")
    named = {"executable_path": executable} if executable and "executable_path" not in given else {}
    return {**given, **named, "args": args}


def throttled(context: BrowserContext, rate: float) -> BrowserContext:
    """Slow the processor down for every page of a context, as DevTools does: `rate` times."""

    def slow_down(page: Page) -> None:
        context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": rate})

    context.on("page", slow_down)
    return context
