"""Starts the second process, and starts it again whenever it ends."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import shutil
import sys
import tempfile
import time
from pathlib import Path

from satsuma_server.backoff import Backoff
from satsuma_server.settings import Settings, settings_to_json

STEADY_SECONDS = 60
"""A process that ran for so long was healthy, so the waits before restarts begin again with the shortest one."""

STOP_SECONDS = 20

PUBLIC, INTERNAL = "public.sock", "internal.sock"
"""Sockets in the process's folder: for requests that are forwarded, and for those of the collector itself."""

logger = logging.getLogger("satsuma.worker")


class WorkerProcess:
    """The second process of one collector, on sockets that only processes of the same user can reach.

    Attributes:
        secret: what the collector shows on the internal socket. It is new at each start of the collector. The process
            gets it by stdin, because command lines are visible to everybody and environments are inherited.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.secret = secrets.token_urlsafe(32)
        # The folder has mode 0700, and a short name, since some systems allow only 104 characters for a socket's path.
        self._folder = Path(tempfile.mkdtemp(prefix="satsuma-"))
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def public_socket(self) -> Path:
        """The socket for requests that are forwarded."""
        return self._folder / PUBLIC

    @property
    def internal_socket(self) -> Path:
        """The socket for the collector's own requests."""
        return self._folder / INTERNAL

    @property
    def pid(self) -> int | None:
        """The process id while it runs; None otherwise."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the process, in a task of the running event loop."""
        self._task = asyncio.create_task(self._keep_up(), name="satsuma-worker")

    async def stop(self) -> None:
        """Stop the process, and wait until it has ended."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._process is not None and self._process.returncode is None:
            await self._end(self._process)
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _keep_up(self) -> None:
        backoff = Backoff()
        while True:
            began = time.monotonic()
            self._process = await self._spawn()
            code = await self._process.wait()
            logger.error("the worker ended; starting it again", extra={"code": code})
            if time.monotonic() - began > STEADY_SECONDS:
                backoff.reset()
            await backoff.wait()

    async def _spawn(self) -> asyncio.subprocess.Process:
        for socket in (self.public_socket, self.internal_socket):
            socket.unlink(missing_ok=True)
        command = [sys.executable, "-m", "satsuma_server.projections", str(self._folder)]
        process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE, start_new_session=True)
        assert process.stdin is not None
        process.stdin.write(settings_to_json(self._settings) + b"\n" + self.secret.encode() + b"\n")
        return process

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
