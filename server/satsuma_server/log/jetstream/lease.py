"""One worker at a time: a lease in the log's second stream, which passes to another worker seconds after one has died.

A lease is one message. Who holds it writes it again and again, each time under the condition that its last writing is
still the newest. Who waits takes it over when it has not changed for `LIFE_SECONDS` by the own clock, so clocks of
machines are never compared. A holder that could not write for a shorter time ends its process: before anybody else may
begin.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import logging
import os
import secrets
import threading
import time
from pathlib import Path
from typing import Any

from satsuma_server.errors import UnavailableError

from .connection import Connection, RefusalError
from .options import WORKER_ID

LIFE_SECONDS = 10.0
"""How long a lease lasts that is not written again."""

RENEW_SECONDS = 2.0
LAST_SECONDS = 7.0
"""How long after its last success a holder goes on without another one."""

LOOK_SECONDS = 0.5
logger = logging.getLogger("satsuma.worker")


class Lease:
    """The right to be the worker that is active.

    Attributes:
        is_waiting: whether another worker has it.
        from_another: whether the worker before this one had another data folder, or there was none.
    """

    def __init__(self, connection: Connection, data: Path) -> None:
        """Take the connection, and the data folder, whose worker gets the lease back at once after a restart."""
        self._connection = connection
        self._subject = connection.subjects.state("worker")
        self._stream = connection.subjects.state_stream
        self._folder = _folder_id(data)
        self._holder = secrets.token_hex(8)
        self._seq = 0
        self._until = float("inf")
        self._task: asyncio.Task[None] | None = None
        self._is_over = threading.Event()
        self.is_waiting = False
        self.from_another = True

    async def take(self) -> None:
        """Wait until the lease is this worker's, and keep it from then on."""
        seen, since = -1, 0.0
        while True:
            with contextlib.suppress(UnavailableError):
                at, told = await self._newest()
                if at != seen:
                    seen, since = at, _now()
                is_own = told.get("folder") == self._folder
                if is_own or told.get("holder") is None or _now() - since > LIFE_SECONDS:
                    began = _now()
                    if await self._write(at):
                        self._until = began + LAST_SECONDS
                        self.from_another, self.is_waiting = not is_own, False
                        break
                elif not self.is_waiting:
                    self.is_waiting = True
                    logger.warning("another worker is active; this one waits until that one has ended")
            await asyncio.sleep(LOOK_SECONDS)
        # A thread, since a loop that is at work for too long must not outlive the lease.
        threading.Thread(target=self._watch, name="satsuma-lease", daemon=True).start()
        self._task = asyncio.create_task(self._renew(), name="satsuma-lease")

    async def release(self) -> None:
        """Give the lease to whoever waits."""
        self._is_over.set()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            with contextlib.suppress(UnavailableError):
                await self._write(self._seq, holder=None)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            began = _now()
            try:
                is_kept = await self._write(self._seq)
                if not is_kept:
                    # The answer to an earlier writing may have been lost.
                    at, told = await self._newest()
                    is_kept = told.get("holder") == self._holder
                    self._seq = at
            except UnavailableError:
                continue
            if not is_kept:
                self._end("another worker has the lease")
            self._until = began + LAST_SECONDS

    def _watch(self) -> None:
        while not self._is_over.wait(LOOK_SECONDS / 2):
            if _now() > self._until:
                self._end("the lease could not be kept")

    def _end(self, reason: str) -> None:
        logger.error("this worker ends, so that another one may begin", extra={"reason": reason})
        os._exit(1)

    async def _newest(self) -> tuple[int, dict[str, Any]]:
        """Return the seq of the lease as it is, and what it tells; 0 and nothing where there is none."""
        try:
            found = await self._connection.newest(self._subject, self._stream)
        except RefusalError as refusal:
            raise UnavailableError(f"the lease can't be read: {refusal}") from None
        return (found["seq"], json.loads(base64.b64decode(found["data"]))) if found else (0, {})

    async def _write(self, after: int, **changed: None) -> bool:
        """Write the lease if the newest one is still that of a seq; tell whether it was."""
        told = {"holder": self._holder, "folder": self._folder, **changed}
        condition = {"Nats-Expected-Last-Subject-Sequence": str(after)}
        try:
            answer = await self._connection.publish(self._subject, json.dumps(told).encode(), condition)
        except RefusalError:
            return False
        self._seq = int(answer["seq"])
        return True


def _now() -> float:
    """Return seconds of a clock that goes on while the machine sleeps, where the system has one.

    The lease of a worker on a machine that slept is another's by now, and it has to find that out at once.
    """
    boot_time = getattr(time, "CLOCK_BOOTTIME", None)  # Linux only.
    return time.monotonic() if boot_time is None else time.clock_gettime(boot_time)


def _folder_id(data: Path) -> str:
    """Return what tells a data folder from all others; a copy of one gets an id of its own.

    The file's inode is part of the id, since a copied file has another one.

    Raises:
        UnavailableError: the folder can't be written.
    """
    path = data / WORKER_ID
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("a+") as file:
            inode = f" {os.fstat(file.fileno()).st_ino}"
            file.seek(0)
            kept = file.read()
            if not kept.endswith(inode):
                kept = secrets.token_hex(16) + inode
                file.truncate(0)
                file.write(kept)
        return kept
    except OSError as error:
        raise UnavailableError(f"{path} can't be written: {error}") from error
