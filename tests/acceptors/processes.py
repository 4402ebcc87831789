"""The processes of a collector that was started with several, as the system sees them."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable

import psutil

ACCEPTOR, WRITER = "satsuma_server.acceptors.acceptor", "satsuma_server.acceptors.writer"
PATIENCE = 170
"""Seconds that a test waits for what should happen at once. Nothing is measured by it."""


def until[T](look: Callable[[], T | None], what: str) -> T:
    """Return what `look` finds, once it finds something."""
    end = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < end, f"{what} did not happen in time"
        time.sleep(0.02)
    return found


def running(process: subprocess.Popen[bytes], module: str) -> list[psutil.Process]:
    """Return the processes of a collector that run a module."""
    found = []
    for child in psutil.Process(process.pid).children():
        with contextlib.suppress(psutil.Error):
            if module in child.cmdline():
                found.append(child)
    return found


def kill(process: subprocess.Popen[bytes], module: str) -> None:
    """Kill one process that runs a module, and wait until another one has taken its place."""
    before = running(process, module)
    before[0].kill()
    until(
        lambda: len([one for one in running(process, module) if one.pid != before[0].pid]) == len(before),
        f"{module} ended and another one",
    )
