"""Keeps a device's ids and traits in one file, as the core's localStorage.

- A write is all or nothing: a new file takes the old one's place. A copy is written after it.
- A file that is broken is healed from its copy. Of two broken files nothing can be had, and the device is a new one.
- Processes of one app share the file. Each call holds a lock, reads what another process has changed, and writes.
- Where the disk is full or read-only, values are kept in memory, and written as soon as the disk takes them.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from satsuma.platforms.cpython.recorded_storage import RecordedStorage

from .file_lock import FileLock

FILE, COPY, LOCK = "identity.json", "identity.copy.json", "identity.lock"

FORMAT = 1
"""Version of the file's format. A later one must be able to read this."""

MOST_BYTES = 1024 * 1024
"""The largest file that is read. Ids and traits have about 60 KB at most."""

LOCK_PATIENCE = 10.0
"""Seconds to wait for another process. Each holds the lock for milliseconds, and longer only on a busy disk."""

WRITE_PAUSE = 5.0
"""Seconds after a failed write before the next try."""

Items = dict[str, str]
Mark = tuple[int, int, int] | None
"""What tells one file from the next that takes its place: its number, size and time; None where there is none."""


class IdentityFile(RecordedStorage):
    """The items of the file, as a `KeyValueArea`. Use it in one thread."""

    def __init__(self, folder: Path, warn: Callable[[str], None]) -> None:
        """Take the folder, which is made where it is missing.

        Args:
            warn: called with one line about what is wrong.
        """
        super().__init__({})
        self._folder = folder
        self._warn = warn
        self._lock = FileLock(folder / LOCK)
        self._lock_patience = LOCK_PATIENCE
        self._read_mark: Mark = (0, 0, 0)
        self._healing = False
        self._write_again_at = 0.0

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the lock, with the items as the newest process has left them, and write what the block changes.

        It never raises: without the disk the items are those in memory.
        """
        locked = self._acquire()
        try:
            self._follow()
            yield
            self.save()
        finally:
            if locked:
                self._lock.release()

    def forked(self) -> None:
        """Let go of the parent's lock, in a forked process."""
        self._lock.release()

    def _acquire(self) -> bool:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            locked = self._lock.acquire(self._lock_patience)
        except OSError:
            return False  # A folder that can't be written has nobody who writes.
        # A process that is stopped while it holds the lock must not slow down each call of this one.
        self._lock_patience = LOCK_PATIENCE if locked else 0
        return locked

    def _follow(self) -> None:
        mark = self._mark()
        if mark == self._read_mark:
            return
        found = self._read(FILE)
        if found is None:
            found = self._read(COPY)
            self._healing = found is not None
            if mark is not None:
                what = (
                    "is healed from its copy" if found is not None else "has no copy that can be read: new ids are made"
                )
                self._warn(f"{self._folder / FILE} can't be read, and {what}.")
        self._items = found or {}
        for key, value in self.changes.items():
            if value is None:
                self._items.pop(key, None)
            else:
                self._items[key] = value
        self._read_mark = mark

    def _mark(self) -> Mark:
        try:
            found = os.stat(self._folder / FILE)  # noqa: PTH116 - it is asked for at each call, and Path is slower
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns

    def _read(self, name: str) -> Items | None:
        try:
            with (self._folder / name).open("rb") as file:
                text = file.read(MOST_BYTES + 1).decode()
            held = json.loads(text)
            items = held["items"]
            checked = held["check"] == _check(items)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        return dict(items) if checked else None

    def save(self) -> None:
        """Write what has changed, if anything has; without the disk it stays in memory."""
        if not (self.changes or self._healing) or time.monotonic() < self._write_again_at:
            return
        text = json.dumps({"format": FORMAT, "check": _check(self._items), "items": self._items}, ensure_ascii=True)
        try:
            self._write(FILE, text, surely=True)
            self._write(COPY, text, surely=False)  # A power cut can't break both: the file is on the disk already.
        except OSError as error:
            self._write_again_at = time.monotonic() + WRITE_PAUSE
            self._warn(
                f"{self._folder / FILE} can't be written ({error.strerror}): ids are kept in memory until it can."
            )
            return
        self.changes.clear()
        self._healing = False
        self._read_mark = self._mark()

    def _write(self, name: str, text: str, *, surely: bool) -> None:
        path, new = self._folder / name, self._folder / f"{name}.new"
        try:
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(text)
                file.flush()
                if surely:
                    os.fsync(file.fileno())
            new.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                new.unlink()
            raise


def _check(items: Items) -> int:
    """Return a checksum of items.

    Raises:
        TypeError, AttributeError: they are no items.
    """
    if not all(isinstance(value, str) for value in items.values()):
        raise TypeError
    return zlib.crc32(json.dumps(items, sort_keys=True).encode())
