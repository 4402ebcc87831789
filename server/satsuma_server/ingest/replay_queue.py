"""Gives beacons with early calls to the replay process, one after the other, with a bound for those that wait."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import threading
import weakref
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from satsuma_server.errors import BadRequestError, BusyError, UnavailableError

from .replay_process import Job, Made, from_line, to_line

MOST_WAITING = 64
"""The most bodies that wait. Each is at most as long as a beacon."""

MOST_WAITING_A_SOURCE = 16
"""The most bodies of one source that wait, so that a source that is attacked leaves room for the others."""

LONGEST_SECONDS = 30
"""Seconds after which a process without an answer is considered to hang. The work for a body is limited by processor
time, in the process itself, so that on a busy machine a usual body only takes longer."""

PIPES: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
COMMAND = (sys.executable, "-m", "satsuma_server.ingest.replay_process")


class Replayer:
    """The replay process, which is started when it is first needed. Use it from one event loop only."""

    def __init__(self) -> None:
        self._waiting: Counter[str] = Counter()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="satsuma-replay")
        self._process: subprocess.Popen[bytes] | None = None
        self._stop: Callable[[], object] = lambda: None

    async def make(self, job: Job, source: str) -> Made:
        """Make the calls in a body of this source.

        Raises:
            BusyError: too many other bodies wait.
            BadRequestError: the body takes more time or memory than that of any real page.
            UnavailableError: the process can't be started.
        """
        if self._waiting[source] >= MOST_WAITING_A_SOURCE or self._waiting.total() >= MOST_WAITING:
            raise BusyError("too many pages have been left at once: try again in a second")
        self._waiting[source] += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._make, job)
        finally:
            self._waiting[source] -= 1
            if not self._waiting[source]:
                del self._waiting[source]

    def warm_up(self) -> None:
        """Start the process and wait for nothing; one that can't be started is tried again when it is needed."""
        self._thread.submit(self._running)

    def close(self) -> None:
        """End the process after the current body. It is started again if it is needed."""
        self._thread.submit(self._end).result()

    def _make(self, job: Job) -> Made:
        process = self._running()
        watch = threading.Timer(LONGEST_SECONDS, process.kill)
        watch.start()
        try:
            line = _ask(process, to_line(job))
        finally:
            watch.cancel()
        if not line:
            self._end()
            raise BadRequestError("takes more time or memory than a page's calls may take", path=".calls")
        return from_line(line, Made)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._end()
        try:
            # In a session of its own, so that signals from the collector's terminal don't reach it.
            process = subprocess.Popen(
                COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise UnavailableError(f"calls of pages that were left can't be made now: {error}") from error
        self._process, self._stop = process, weakref.finalize(self, _stop, process)
        return process

    def _end(self) -> None:
        self._stop()
        self._process = None


def _ask(process: subprocess.Popen[bytes], line: bytes) -> bytes:
    """Return the answer to a line; empty where the process ends before it answers."""
    assert process.stdin is not None and process.stdout is not None
    with contextlib.suppress(OSError):
        process.stdin.write(line)
        process.stdin.flush()
    answer = process.stdout.readline()
    return answer if answer.endswith(b"\n") else b""


def _stop(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    process.kill()
    process.wait()
