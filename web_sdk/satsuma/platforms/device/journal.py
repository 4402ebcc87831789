"""The offline queue: events without an answer, on disk, so that they outlive the process and weeks without a network.

Each process has a folder of its own with segments: files to which events are appended, one JSON text a line. A segment
begins with a number, which tells up to which byte its events have an answer; a segment without any other is removed.
The folder has a lock for as long as its process lives. What a dead process has left is taken over by the next one.

Lines are handed to the system at once, so that a process may die at any moment. They are not forced onto the disk: a
power cut may cost the last seconds.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .file_lock import FileLock

SEGMENT_BYTES = 128 * 1024
"""Bytes after which the next segment is begun."""

HEADER_BYTES = 16
"""15 digits and a line feed: where the first event without an answer begins."""

MOST_OWNERS = 1000
"""The most folders of dead processes that are looked at in one go."""

OWNER_LOCK = "lock"
ENDING = ".ndjson"

Event = dict[str, Any]


@dataclass(slots=True)
class Segment:
    """One file.

    Attributes:
        size: its bytes.
        open_events: where each event without an answer begins, in order.
        descriptor: of the open file; None where it can't be opened.
    """

    path: Path
    descriptor: int | None
    size: int = HEADER_BYTES
    open_events: dict[int, None] = field(default_factory=dict)

    def close(self) -> None:
        descriptor, self.descriptor = self.descriptor, None
        if descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def remove(self) -> None:
        self.close()
        with contextlib.suppress(OSError):
            self.path.unlink()


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event is on disk."""

    segment: Segment
    start: int


class Journal:
    """The offline queue of one process. Its methods may be called in any thread, and never raise."""

    def __init__(self, folder: Path, most_bytes: int, warn: Callable[[str], None]) -> None:
        """Take the folder of all processes; nothing is written before the first event.

        Args:
            most_bytes: the most bytes on disk, of this process and of what it takes over.
            warn: called with one line about what is wrong.
        """
        self._folder = folder
        self._most_bytes = most_bytes
        self._warn = warn
        self._guard = threading.Lock()
        self._name = f"{time.time_ns() // 1000:017d}-{os.urandom(4).hex()}"
        self._owner_lock: FileLock | None = None
        self._segments: list[Segment] = []
        self._current: Segment | None = None
        self._count = 0

    @property
    def _own(self) -> Path:
        return self._folder / self._name

    def append(self, text: str) -> Place | None:
        """Write an event's JSON; return its place, None where the disk doesn't take it."""
        line = text.encode() + b"\n"
        with self._guard:
            try:
                return self._append(line)
            except OSError as error:
                self._warn(f"Events can't be kept on disk ({error.strerror}) and wait in memory.")
                return None

    def settle(self, place: Place) -> None:
        """Record that an event has its answer, or was dropped."""
        with self._guard:
            segment = place.segment
            segment.open_events.pop(place.start, None)
            if segment.open_events:
                self._write_header(segment)
            elif segment in self._segments:
                self._forget(segment)

    def clear(self) -> None:
        """Remove all events of this process."""
        with self._guard:
            for segment in self._segments[:]:
                self._forget(segment)

    def take_over(self) -> tuple[list[tuple[Event, str, Place]], int]:
        """Take over what dead processes have left.

        Returns:
            Each event with its JSON and its place, in order; and the number of lines that were dropped, because they
            can't be read or are too much.
        """
        with self._guard:
            try:
                return self._take_over()
            except OSError:
                return [], 0  # No folder, or one that can't be written: whoever can will take them over.

    def forked(self) -> None:
        """Let go of the parent's files, in a forked process."""
        for segment in self._segments:
            segment.close()
        if self._owner_lock is not None:
            self._owner_lock.release()

    def close(self) -> None:
        """Leave everything to the next process."""
        with self._guard:
            for segment in self._segments:
                segment.close()
            lock, self._owner_lock = self._owner_lock, None
            if lock is not None:
                lock.release()
                if not self._segments:
                    shutil.rmtree(self._own, ignore_errors=True)

    # Writing

    def _append(self, line: bytes) -> Place | None:
        if self._size() + len(line) > self._most_bytes + SEGMENT_BYTES:
            return None
        segment = self._current
        if segment is None or segment.size + len(line) > SEGMENT_BYTES:
            segment = self._begin()
        assert segment.descriptor is not None
        start = segment.size
        try:
            written = os.pwrite(segment.descriptor, line, start) if hasattr(os, "pwrite") else _write(segment, line)
            if written < len(line):
                raise OSError(28, "no space left")
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(segment.descriptor, start)
            raise
        segment.size += len(line)
        segment.open_events[start] = None
        return Place(segment, start)

    def _begin(self) -> Segment:
        self._claim()
        self._count += 1
        path = self._own / f"{self._name}-{self._count:06d}{ENDING}"
        segment = Segment(path, os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600))
        try:
            _overwrite(segment, 0, _header(HEADER_BYTES))
        except OSError:
            segment.remove()
            raise
        self._segments.append(segment)
        self._current = segment
        return segment

    def _claim(self) -> None:
        """Make this process's folder, and lock it."""
        if self._owner_lock is not None:
            return
        with self._alone():
            self._own.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = FileLock(self._own / OWNER_LOCK)
            lock.acquire(1)
            self._owner_lock = lock

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes from looking at folders that are just made or taken over."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(self._folder / OWNER_LOCK)
        lock.acquire(1)
        try:
            yield
        finally:
            lock.release()

    def _write_header(self, segment: Segment) -> None:
        if segment.descriptor is not None:
            with contextlib.suppress(OSError):
                # Should this fail, events are sent twice, which the collector notices.
                _overwrite(segment, 0, _header(next(iter(segment.open_events))))

    def _forget(self, segment: Segment) -> None:
        segment.remove()
        self._segments.remove(segment)
        if segment is self._current:
            self._current = None

    def _size(self) -> int:
        return sum(segment.size for segment in self._segments)

    # Taking over

    def _take_over(self) -> tuple[list[tuple[Event, str, Place]], int]:
        if not self._folder.is_dir():
            return [], 0
        found: list[tuple[Event, str, Place]] = []
        dropped = 0
        with self._alone():
            owners = sorted(path for path in self._folder.iterdir() if path.is_dir() and path != self._own)[
                :MOST_OWNERS
            ]
        for owner in owners:
            for path in self._inherit(owner):
                events, unread = self._open(path)
                found += events
                dropped += unread
        return self._within_bounds(found, dropped)

    def _inherit(self, owner: Path) -> list[Path]:
        """Move a dead process's segments into this one's folder; return their paths, in order."""
        self._claim()
        moved = []
        lock = FileLock(owner / OWNER_LOCK)
        with self._alone():
            try:
                if not lock.acquire():
                    return []
                for path in sorted(owner.glob(f"*{ENDING}")):
                    moved.append(path.replace(self._own / path.name))
                shutil.rmtree(owner, ignore_errors=True)
            except OSError:
                return moved
            finally:
                lock.release()
        return moved

    def _open(self, path: Path) -> tuple[list[tuple[Event, str, Place]], int]:
        try:
            descriptor = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
        except OSError:
            return [], 0
        segment = Segment(path, descriptor)
        with os.fdopen(os.dup(descriptor), "rb") as file:
            content = file.read(2 * SEGMENT_BYTES)
        segment.size = len(content)
        start, events, unread = _begin_of(content), [], 0
        for line in content[start:].splitlines(keepends=True):
            event = _event(line)
            if event is None:
                unread += 1
            else:
                segment.open_events[start] = None
                events.append((event, line.decode().rstrip("\n"), Place(segment, start)))
            start += len(line)
        if events:
            self._segments.append(segment)
        else:
            segment.remove()
        return events, unread

    def _within_bounds(
        self, found: list[tuple[Event, str, Place]], dropped: int
    ) -> tuple[list[tuple[Event, str, Place]], int]:
        """Remove the oldest segments of what is too much."""
        while self._size() > self._most_bytes and len(self._segments) > 1:
            oldest = self._segments[0]
            kept = [one for one in found if one[2].segment is not oldest]
            dropped += len(found) - len(kept)
            found = kept
            self._forget(oldest)
        return found, dropped


def _header(start: int) -> bytes:
    return b"%015d\n" % start


def _begin_of(content: bytes) -> int:
    header = content[: HEADER_BYTES - 1]
    start = int(header) if header.isdigit() else HEADER_BYTES
    return start if HEADER_BYTES <= start <= len(content) else HEADER_BYTES


def _event(line: bytes) -> Event | None:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None  # The process died while it wrote this line.
    return event if isinstance(event, dict) else None


def _overwrite(segment: Segment, start: int, content: bytes) -> None:
    assert segment.descriptor is not None
    os.lseek(segment.descriptor, start, os.SEEK_SET)
    os.write(segment.descriptor, content)


def _write(segment: Segment, content: bytes) -> int:
    assert segment.descriptor is not None
    os.lseek(segment.descriptor, segment.size, os.SEEK_SET)
    return os.write(segment.descriptor, content)
