"""The child process: ``python -m satsuma_server.health FOLDER``, which puts its database into the folder.

It reads the settings as JSON in one line of stdin, and writes the report as JSON to stdout.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import msgspec

from satsuma_server.audit import Report
from satsuma_server.log.opening import open_for_reading
from satsuma_server.settings import Settings, settings_from_json

from .auditor import audit_log

NICENESS = 15
"""The process's nice value: the collector and the second process, which has 10, come first."""


def main() -> None:
    """Audit once."""
    os.nice(max(0, NICENESS - os.nice(0)))
    settings = settings_from_json(sys.stdin.readline())
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(_audit(settings, Path(sys.argv[1])))))


async def _audit(settings: Settings, folder: Path) -> Report:
    log = open_for_reading(settings.data, settings.log, settings.nats)
    try:
        await log.ready()
        return await audit_log(settings, log, folder)
    finally:
        await log.close()


if __name__ == "__main__":
    main()
