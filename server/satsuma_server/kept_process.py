"""A process of ours that is started again whenever it ends, and ends with the process that has started it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence

from .backoff import Backoff

STEADY_SECONDS = 60
"""A process that ran for so long was healthy, so the waits before restarts begin again with the shortest one."""

STOP_SECONDS = 20
"""How long a process may take to end, unless it is given longer."""


class KeptProcess:
    """One process. Its stdin is closed when it has to end, which also happens when this process is killed."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        told: bytes,
        *,
        logger: logging.Logger,
        before: Callable[[], None] = lambda: None,
        tells: bool = False,
        descriptors: Sequence[int] = (),
        stop_seconds: float = STOP_SECONDS,
    ) -> None:
        """Describe the process, without starting it.

        Args:
            name: what log lines call it.
            command: the program and its arguments.
            told: what it reads from stdin, because command lines are visible to everybody and environments are
                inherited.
            logger: where its ends are told.
            before: is done before each start.
            tells: whether it writes a line to stdout once it is ready.
            descriptors: open files that it inherits.
            stop_seconds: how long it may take to end before it is killed.
        """
        self._name = name
        self._command = command
        self._told = told
        self._logger = logger
        self._before = before
        self._tells = tells
        self._descriptors = descriptors
        self._stop_seconds = stop_seconds
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._first: asyncio.Future[bool] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs; None otherwise."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the process, in a task of the running event loop."""
        self._first = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._keep_up(), name=f"satsuma-{self._name}")

    async def started(self) -> bool:
        """Wait until the process, which `start` has started and which tells, is ready; False where it ended before."""
        assert self._first is not None
        return await asyncio.shield(self._first)

    async def stop(self) -> None:
        """Stop the process, and wait until it has ended."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._process is not None and self._process.returncode is None:
            await self._end(self._process)

    async def _keep_up(self) -> None:
        backoff = Backoff()
        while True:
            began = time.monotonic()
            self._process = await self._spawn()
            if self._process.stdout is not None:
                self._note(ready=bool(await self._process.stdout.readline()))
            code = await self._process.wait()
            self._logger.error("the %s ended; starting it again", self._name, extra={"code": code})
            if time.monotonic() - began > STEADY_SECONDS:
                backoff.reset()
            await backoff.wait()

    def _note(self, *, ready: bool) -> None:
        if self._first is not None and not self._first.done():
            self._first.set_result(ready)

    async def _spawn(self) -> asyncio.subprocess.Process:
        self._before()
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE if self._tells else None,
            start_new_session=True,
            pass_fds=self._descriptors,
        )
        assert process.stdin is not None
        process.stdin.write(self._told)
        return process

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(self._stop_seconds):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
