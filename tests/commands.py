"""The command `satsuma` as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SATSUMA = [sys.executable, "-c", "from satsuma_server.cli import main; main()"]


@contextmanager
def started(
    folder: Path, *args: str, data: Path | None = None, env: dict[str, str] | None = None
) -> Iterator[dict[str, Any]]:
    """Run the command until it says that it is ready; give what it says, and the process."""
    ready, errors = folder / "ready.json", folder / "stderr.txt"
    ready.unlink(missing_ok=True)
    command = [*SATSUMA, *args, "--port", "0", "--data", str(data or folder / "data"), "--ready-file", str(ready)]
    # Into a file: a pipe that nobody reads would stop a collector that has much to complain about.
    with errors.open("w") as stderr:
        process = subprocess.Popen(command, env={**os.environ, **(env or {})}, stdout=subprocess.DEVNULL, stderr=stderr)
    try:
        until = time.monotonic() + 20
        while not (ready.exists() and ready.read_text()):
            assert process.poll() is None, errors.read_text()
            assert time.monotonic() < until
            time.sleep(0.02)
        yield {**json.loads(ready.read_text()), "process": process}
    finally:
        process.kill()
        process.wait()
