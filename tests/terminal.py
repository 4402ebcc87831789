"""An app in a terminal of its own (a pseudo-terminal), as somebody at its keyboard has it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|P[^\x1b]*\x1b\\|.)")
"""What moves the cursor and sets colours."""

PATIENCE = 60


class Terminal:
    """The screen and the keyboard of a running app."""

    def __init__(self, master: int, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self._master = master
        self._shown = ""
        self._changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def type(self, keys: str) -> None:
        """Press keys: text, or control characters."""
        os.write(self._master, keys.encode())

    def wait_for(self, text: str) -> None:
        """Wait until a text was shown since the last one that was waited for."""
        with self._changed:
            seen = self._changed.wait_for(lambda: text in self._plain(), PATIENCE)
            assert seen, f"{text!r} was not shown: {self._plain()[-2000:]!r}"
            self._shown = ""

    def wait_for_end(self) -> int:
        """Wait until the app ends; return its status."""
        return self.process.wait(PATIENCE)

    def _plain(self) -> str:
        return ESCAPES.sub("", self._shown)

    def _read(self) -> None:
        while True:
            try:
                text = os.read(self._master, 65_536).decode(errors="replace")
            except OSError:  # The app has ended.
                return
            with self._changed:
                self._shown += text
                self._changed.notify_all()


@contextmanager
def terminal(script: Path, *args: str) -> Iterator[Terminal]:
    """Run a Python script in a terminal of 80 columns and 24 lines."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    env = {**os.environ, "TERM": "xterm-256color", "NO_PROXY": "127.0.0.1", "COLUMNS": "80", "LINES": "24"}
    process = subprocess.Popen(
        [sys.executable, str(script), *args], stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True
    )
    os.close(slave)
    try:
        yield Terminal(master, process)
    finally:
        process.kill()
        process.wait(PATIENCE)
        os.close(master)
