"""Hands an app's calls over to the core, which has a thread and an event loop of its own.

The app waits neither for the disk nor for plugins. Calls are made in the order in which the app made them.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from satsuma.errors import SatsumaError
from satsuma.platforms.cpython.error_reporter import ErrorReporter

from .core import Core, Known, Work

AT_ONCE = 100
"""Calls that are made in one go, before the event loop does other things."""

MOST_NOTES = 10_000
"""Calls that may wait for the core. It takes thousands of them a second, unless the disk hangs."""

AWAKE = 0.02
"""Seconds for which the thread looks for calls by itself after it has made some. Waking it costs the app as much as all
the rest of a call."""

MOST_SIZE = 8 * 1024 * 1024
"""Bytes of calls that may wait for the core."""

Build = Callable[[asyncio.AbstractEventLoop], Core]

_inherited: list[asyncio.AbstractEventLoop] = []
"""Event loops of the process that this one was forked from. They share its selector, and are never closed here."""


@dataclass(slots=True)
class Note:
    """Something for the core to do.

    Attributes:
        name: of the call.
        size: bytes that it keeps in memory.
    """

    name: str
    work: Work
    size: int


class CoreThread:
    """The thread. It starts with the first note."""

    def __init__(self, build: Build, complaints: ErrorReporter, known: Known | None = None) -> None:
        """Start without a thread.

        Args:
            build: makes the core, in its thread.
            complaints: reports calls without an event.
            known: who uses the device, if an earlier core has told it.
        """
        self._build = build
        self._complaints = complaints
        self._lock = threading.Lock()
        self._notes: deque[Note] = deque()
        self._size = 0
        self._awake = False
        self._behind = False
        self._closed = False
        self._core: Core | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._known = known

    def note(self, note: Note, *, urgent: bool = False) -> None:
        """Have the core do something soon.

        Args:
            urgent: whether somebody waits for it.

        Raises:
            SatsumaError: too much waits already, or the client is closed.
        """
        with self._lock:
            self._check(note)
            self._notes.append(note)
            self._size += note.size
            sleeps = urgent or not self._awake
            self._awake = self._behind = True
            loop = self._start()
        if sleeps:
            loop.call_soon_threadsafe(self._work)

    def _check(self, note: Note) -> None:
        if self._closed:
            raise SatsumaError("the client was closed before the call")
        if len(self._notes) >= MOST_NOTES or self._size + note.size > MOST_SIZE:
            raise SatsumaError(f"{len(self._notes)} calls wait already: does the disk hang?")

    def ask(self, name: str, work: Work, timeout: float) -> Any:
        """Have the core do something after all calls so far; return what it says.

        Raises:
            TimeoutError: it took longer than `timeout` seconds.
            SatsumaError: the client is closed.
        """
        if threading.current_thread() is self._thread and self._core is not None:
            return work(self._core)
        answer: Future[Any] = Future()

        def tell(core: Core) -> None:
            try:
                answer.set_result(work(core))
            except Exception as error:
                answer.set_exception(error)

        self.note(Note(name, tell, 0), urgent=True)
        return answer.result(timeout)

    def known(self, timeout: float, start_timeout: float) -> Known:
        """Return who uses the device, after all calls so far.

        Args:
            timeout: seconds after which it is who used it before those calls.
            start_timeout: the same for the first answer, before which nobody is known.
        """
        if self._behind or self._core is None:
            patience = start_timeout if self._known is None else timeout
            with suppress(TimeoutError, SatsumaError):
                known: Known = self.ask("known", Core.known, patience)
                return known
        return self._known or Known()

    def close(self, timeout: float) -> None:
        """Make all calls so far, and end; calls after it are refused. It takes `timeout` seconds at most."""
        with self._lock:
            ended, self._closed = self._closed, True
            thread, loop = self._thread, self._loop
        if thread is None or loop is None or thread is threading.current_thread():
            return
        if not ended:
            loop.call_soon_threadsafe(self._end)
        thread.join(timeout)

    def forked(self) -> Known | None:
        """Leave the loop to the process that this one was forked from; return who used the device there."""
        if self._loop is not None:
            _inherited.append(self._loop)
        return self._known

    # In the thread

    def _start(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            # A plugin that is registered sees the calls after it, and an event goes as far as it can at once.
            self._loop.set_task_factory(asyncio.eager_task_factory)
            self._thread = threading.Thread(target=self._run, args=(self._loop,), name="satsuma-device", daemon=True)
            try:
                self._thread.start()
            except RuntimeError as error:
                self._thread = self._loop = None
                raise SatsumaError("the interpreter is shutting down") from error
        return self._loop

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
            # Calls that wait for the user's consent, and whatever plugins have begun.
            left = asyncio.all_tasks(loop)
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        finally:
            loop.close()

    def _end(self) -> None:
        assert self._loop is not None
        while self._notes:
            self._work()
        self._loop.stop()

    def _work(self) -> None:
        """Do what was noted, and look again soon; sleep once nothing is noted any more."""
        assert self._loop is not None
        if self._timer is not None:
            self._timer.cancel()
        done = self._do_notes() if self._notes else 0
        with self._lock:
            self._behind = bool(self._notes)
            self._awake = done > 0
        if self._awake:
            self._timer = self._loop.call_later(0 if self._behind else AWAKE, self._work)

    def _next(self) -> Note | None:
        with self._lock:
            if not self._notes:
                return None
            note = self._notes.popleft()
            self._size -= note.size
            return note

    def _do_notes(self) -> int:
        """Do what was noted, and write the file once for all of it; return how much it was."""
        assert self._loop is not None
        done = 0
        try:
            if self._core is None:
                self._core = self._build(self._loop)
            with self._core.exclusively():
                while done < AT_ONCE and (note := self._next()) is not None:
                    self._do(note, self._core)
                    done += 1
                self._known = self._core.known()
        except Exception as error:
            # Without a core nothing can be done, and nobody must wait for it.
            note = self._next()
            self._complaints.refused(note.name if note else "start", error)
            done += 1
        return done

    def _do(self, note: Note, core: Core) -> None:
        try:
            note.work(core)
        except Exception as error:
            self._complaints.refused(note.name, error)
