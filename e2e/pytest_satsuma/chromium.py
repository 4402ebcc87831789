"""How a Chromium is started for tests."""

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
"""A test browser talks to the site under test and to nobody else."""


def launch_args(given: dict[str, Any]) -> dict[str, Any]:
    """Return Playwright's launch arguments with ours added.

    ``SATSUMA_CHROMIUM`` names an installed browser where Playwright's own can't be downloaded.
    """
    args = [*given.get("args", ()), *QUIET]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # Chromium's sandbox refuses to run as root, as containers often do.
        args.append("--no-sandbox")
    executable = os.environ.get("SATSUMA_CHROMIUM")
    named = {"executable_path": executable} if executable and "executable_path" not in given else {}
    return {**given, **named, "args": args}
