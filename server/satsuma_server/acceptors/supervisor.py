"""Starts the writer and the acceptors, and starts each again when it ends."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from satsuma_server.kept_process import KeptProcess
from satsuma_server.settings import Settings, settings_to_json

from . import HTTP_SOCKET, WRITER_SOCKET

WRITER_STOP_SECONDS = 40
"""How long the writer may take to end: it waits for the second process, too."""

logger = logging.getLogger("satsuma.acceptors")


def supervise(settings: Settings, listeners: Sequence[socket.socket], ready: Callable[[], None]) -> bool:
    """Take requests until SIGINT or SIGTERM, with an acceptor for each listening socket.

    The sockets stay open here. So connections to an acceptor that has ended wait until it was started again.

    Args:
        settings: the settings of the collector.
        listeners: the listening sockets.
        ready: is called once all processes are ready.

    Returns:
        Whether the processes became ready. One that didn't has told why.
    """
    return asyncio.run(_Supervisor(settings, listeners).run(ready))


class _Supervisor:
    def __init__(self, settings: Settings, listeners: Sequence[socket.socket]) -> None:
        # The folder has mode 0700, and a short name, since some systems allow only 104 characters for a socket's path.
        self._folder = Path(tempfile.mkdtemp(prefix="satsuma-"))
        self._listeners = listeners
        told = settings_to_json(settings) + b"\n"
        run = [sys.executable, "-m"]
        self._writer = KeptProcess(
            "writer",
            [*run, "satsuma_server.acceptors.writer", str(self._folder)],
            told,
            logger=logger,
            before=self._remove_sockets,
            tells=True,
            stop_seconds=WRITER_STOP_SECONDS,
        )
        self._acceptors = [
            KeptProcess(
                "acceptor",
                [*run, "satsuma_server.acceptors.acceptor", str(self._folder), str(listener.fileno())],
                told,
                logger=logger,
                tells=True,
                descriptors=[listener.fileno()],
            )
            for listener in listeners
        ]

    async def run(self, ready: Callable[[], None]) -> bool:
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, stopping.set)
        stopped = asyncio.create_task(stopping.wait())
        starting = asyncio.create_task(self._start())
        try:
            await asyncio.wait((starting, stopped), return_when=asyncio.FIRST_COMPLETED)
            if starting.done() and not starting.result():
                return False
            if starting.done():
                ready()
                await stopped
            return True
        finally:
            starting.cancel()
            for listener in self._listeners:
                listener.close()  # Otherwise, new connections would wait for nobody.
            # The acceptors first: what they have taken is still stored and answered.
            await asyncio.gather(*(acceptor.stop() for acceptor in self._acceptors))
            await self._writer.stop()
            shutil.rmtree(self._folder, ignore_errors=True)

    async def _start(self) -> bool:
        self._writer.start()
        if not await self._writer.started():
            return False
        for acceptor in self._acceptors:
            acceptor.start()
        return all([await acceptor.started() for acceptor in self._acceptors])

    def _remove_sockets(self) -> None:
        for name in (WRITER_SOCKET, HTTP_SOCKET):
            (self._folder / name).unlink(missing_ok=True)


def say_ready() -> None:
    """Tell the supervisor that this process is ready. What is printed afterwards goes to stderr."""
    print("ready", flush=True)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
