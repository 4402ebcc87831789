"""A lock on a file that processes share. The system frees it when its process ends, however it ends."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path

PAUSE = 0.01
"""Seconds between two tries."""

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class FileLock:
    """The lock of one process. It is not for several threads of it."""

    def __init__(self, path: Path) -> None:
        """Take the file, which is made with the first `acquire`."""
        self._path = path
        self._descriptor: int | None = None

    def acquire(self, timeout: float = 0) -> bool:
        """Lock; return False where another process has the lock for so long.

        Args:
            timeout: seconds to wait.

        Raises:
            OSError: the file can't be opened for writing.
        """
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        limit = time.monotonic() + timeout
        while True:
            try:
                _lock(descriptor)
            except OSError:
                if time.monotonic() >= limit:
                    os.close(descriptor)
                    return False
                time.sleep(PAUSE)
            else:
                self._descriptor = descriptor
                return True

    def release(self) -> None:
        """Free the lock, if this process has it. In a forked process, the parent's lock stays the parent's."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            # Closing frees the lock, but for a process that was forked and has the descriptor too.
            with contextlib.suppress(OSError):
                os.close(descriptor)
