"""Starts the child process that audits, and reads its report."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
from pathlib import Path

import msgspec

from satsuma_server.audit import Report
from satsuma_server.errors import UnavailableError
from satsuma_server.settings import Settings, settings_to_json

FOLDER = "health"
"""The folder, in the data folder, with the database of an audit that runs. It has copies of events."""

MINUTES = 30
"""How long an audit may take before it is ended."""


async def audit_in_child(settings: Settings) -> Report:
    """Return the report of an audit that runs in a process of its own. It is ended where the caller is cancelled.

    Raises:
        UnavailableError: the process failed, or took too long. The message has the last line that it wrote.
    """
    folder = settings.data / FOLDER
    remove_copies(settings.data)
    folder.mkdir(mode=0o700)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "satsuma_server.health",
        str(folder),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(60 * MINUTES):
            written, complaints = await process.communicate(settings_to_json(settings) + b"\n")
    except TimeoutError:
        raise UnavailableError(f"the audit was not done within {MINUTES} minutes: lower health.most_events") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        remove_copies(settings.data)
    if process.returncode:
        last = complaints.decode(errors="replace").strip().rpartition("\n")[2]
        raise UnavailableError(f"the audit failed: {last[:500] or f'status {process.returncode}'}")
    return msgspec.json.decode(written, type=Report)


def remove_copies(data: Path) -> None:
    """Remove what an audit that was killed has left in the data folder."""
    shutil.rmtree(data / FOLDER, ignore_errors=True)
