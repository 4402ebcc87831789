"""Runs the second process: ``python -m satsuma_server.projections FOLDER``, with its sockets in the folder.

The first line of stdin has the settings as JSON, and the second line the secret that the collector will show. The
process ends when stdin is closed.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
from pathlib import Path

from starlette.applications import Starlette

from satsuma_server.http.serving import bind_private, make_server
from satsuma_server.log.opening import open_for_worker
from satsuma_server.log_lines import set_up
from satsuma_server.settings import settings_from_json

from .app import create_worker
from .internal import create_internal
from .process import INTERNAL, PUBLIC
from .table import guarded

GRACE_SECONDS = 15
"""How long a stop may take before the process is ended. Nothing is lost, since followers continue at their cursors."""

NICENESS = 10
"""The process's nice value, so that the collector, which takes events in, comes first where processors are busy."""

TURN_SECONDS = 0.0005
"""How long a thread may hold the GIL while another waits for it. DuckDB needs the GIL several times for each table that
is inserted, and would wait 5 milliseconds each time while the next batch is built."""


def main() -> None:
    """Serve until stdin is closed, which happens when the collector stops or is killed."""
    set_up()
    os.nice(NICENESS)
    tune()
    settings = settings_from_json(sys.stdin.readline())
    secret = sys.stdin.readline().strip()
    log = open_for_worker(settings.data, settings.log, settings.nats)
    asyncio.run(_serve(Path(sys.argv[1]), create_worker(settings, log), secret))


def tune() -> None:
    """Tune the interpreter for long computations in two threads."""
    sys.setswitchinterval(TURN_SECONDS)
    # Imported modules stay for ever, so the garbage collector need not examine them again.
    gc.freeze()


async def _serve(folder: Path, app: Starlette, secret: str) -> None:
    public, internal = make_server(guarded(app)), make_server(create_internal(app.state.parts, secret))
    loop = asyncio.get_running_loop()

    def stop() -> None:
        public.should_exit = internal.should_exit = True

    def wait() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(stop)
        if app.state.lease is not None and app.state.lease.is_waiting:
            os._exit(0)  # Nothing has begun.
        threading.Event().wait(GRACE_SECONDS)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
    # Both sockets refuse connections until the projections have started.
    serving = asyncio.create_task(public.serve(sockets=[bind_private(folder / PUBLIC)]))
    while not public.started and not serving.done():
        await asyncio.sleep(0.01)
    if public.started:
        await internal.serve(sockets=[bind_private(folder / INTERNAL)])
    await serving


if __name__ == "__main__":
    main()
