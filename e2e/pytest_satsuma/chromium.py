"""Arguments for starting Chromium in tests."""

from __future__ import annotations

import os
from typing import Any

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
