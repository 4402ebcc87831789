"""``python -m satsuma_server.worker SOCKET``: settings come as JSON in one line of stdin; its end is the process's."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
from pathlib import Path

from satsuma_server.log.shared import SharedLog
from satsuma_server.logs import set_up
from satsuma_server.serving import make_server
from satsuma_server.settings import settings_from_json

from .app import create_worker

GRACE_SECONDS = 15
"""How long a stop may take before the process ends anyway: nothing is lost, since followers resume at their cursors."""

NICENESS = 10
"""How much the worker stands back where processors are short: events are taken first, and looked at then."""

TURN_SECONDS = 0.0005
"""How long a thread of ours may keep the interpreter from others that ask for it. DuckDB asks several times for each
table that goes in, and would wait 5 milliseconds each time while the next portion is built."""


def main() -> None:
    """Serve until stdin ends, as it does when the collector stops or is killed."""
    set_up()
    os.nice(NICENESS)
    tune()
    settings = settings_from_json(sys.stdin.readline())
    asyncio.run(_serve(Path(sys.argv[1]), create_worker(settings, SharedLog(settings.data))))


def tune() -> None:
    """Set the interpreter up for much work in two threads."""
    sys.setswitchinterval(TURN_SECONDS)
    # What was imported stays: no collection has to look at it again.
    gc.freeze()


async def _serve(socket: Path, app: object) -> None:
    server = make_server(app, uds=str(socket))  # type: ignore[arg-type]
    loop = asyncio.get_running_loop()

    def wait() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(setattr, server, "should_exit", True)
        threading.Event().wait(GRACE_SECONDS)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
    await server.serve()


if __name__ == "__main__":
    main()
