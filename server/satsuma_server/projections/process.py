"""Starts the worker, and starts it again when it ends."""

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
"""A worker that ran for so long ended by some accident: how often others ended before no longer counts."""

STOP_SECONDS = 20

PUBLIC, INTERNAL = "public.sock", "internal.sock"
"""Sockets in the worker's folder: for what is passed on to it, and for what only the collector asks."""

logger = logging.getLogger("satsuma.worker")


class WorkerProcess:
    """The worker of one collector, on sockets that only this user's processes reach.

    Attributes:
        secret: what the collector shows on the internal one. A new one for each start of the collector; the worker has
            it from stdin, since everybody on the machine sees command lines, and children inherit environments.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.secret = secrets.token_urlsafe(32)
        # Of mode 0700, and of a short name: a socket's path may have 104 characters on some systems.
        self._folder = Path(tempfile.mkdtemp(prefix="satsuma-"))
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def public_socket(self) -> Path:
        """Where it answers what is passed on."""
        return self._folder / PUBLIC

    @property
    def internal_socket(self) -> Path:
        """Where it answers the collector itself."""
        return self._folder / INTERNAL

    @property
    def pid(self) -> int | None:
        """Its number while it runs."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start it, in a task of the running loop."""
        self._task = asyncio.create_task(self._keep_up(), name="satsuma-worker")

    async def stop(self) -> None:
        """Stop it, and wait until it has."""
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
