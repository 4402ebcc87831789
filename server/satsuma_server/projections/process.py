"""Starts the second process, and starts it again whenever it ends."""

from __future__ import annotations

import logging
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

from satsuma_server.kept_process import KeptProcess
from satsuma_server.settings import Settings, settings_to_json

PUBLIC, INTERNAL = "public.sock", "internal.sock"
"""Sockets in the process's folder: for requests that are forwarded, and for those of the collector itself."""

logger = logging.getLogger("satsuma.worker")


class WorkerProcess:
    """The second process of one collector, on sockets that only processes of the same user can reach.

    Attributes:
        secret: what the collector shows on the internal socket. It is new at each start of the collector.
    """

    def __init__(self, settings: Settings) -> None:
        self.secret = secrets.token_urlsafe(32)
        # The folder has mode 0700, and a short name, since some systems allow only 104 characters for a socket's path.
        self._folder = Path(tempfile.mkdtemp(prefix="satsuma-"))
        command = [sys.executable, "-m", "satsuma_server.projections", str(self._folder)]
        told = settings_to_json(settings) + b"\n" + self.secret.encode() + b"\n"
        self._process = KeptProcess("worker", command, told, logger=logger, before=self._remove_sockets)

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
        return self._process.pid

    def start(self) -> None:
        """Start the process, in a task of the running event loop."""
        self._process.start()

    async def stop(self) -> None:
        """Stop the process, and wait until it has ended."""
        await self._process.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _remove_sockets(self) -> None:
        for socket in (self.public_socket, self.internal_socket):
            socket.unlink(missing_ok=True)
