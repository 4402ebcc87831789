"""WebKit: the browser of `webkit_browser`, which the system's Python runs on a screen that nobody sees."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from .driver import Context, Cookie, DriverError, Page, Request, Said, function_of
from .names import names_lead_here

ANSWER_SECONDS = 60
BROWSER = Path(__file__).with_name("webkit_browser.py")
SYSTEM_PYTHON = "/usr/bin/python3"
LIBRARY = "import gi; gi.require_version('WebKit2', '4.1')"
PACKAGES = "xvfb python3-gi gir1.2-webkit2-4.1"

QUIET = {
    "GDK_BACKEND": "x11",
    "GTK_A11Y": "none",
    "LIBGL_ALWAYS_SOFTWARE": "1",
    "NO_AT_BRIDGE": "1",
    "WEBKIT_DISABLE_COMPOSITING_MODE": "1",
}
"""No graphics card, no desktop."""


def missing() -> str | None:
    """Return why WebKit can't be started on this machine; None where it can."""
    told = f"there is no WebKitGTK (Debian: apt-get install {PACKAGES})"
    if shutil.which("Xvfb") is None or not Path(SYSTEM_PYTHON).exists():
        return told
    return told if subprocess.run([SYSTEM_PYTHON, "-c", LIBRARY], capture_output=True).returncode else None


class WebKitContext(Context):
    """One process of WebKitGTK's browser."""

    engine = "webkit"

    def __init__(self, line: socket.socket, end: ExitStack) -> None:
        super().__init__()
        self._line = line
        self._end = end
        self._rest = b""
        self._number = 0
        self._offline = False
        self._requests: dict[int, Request] = {}

    def ask(self, command: str, **arguments: Any) -> Any:
        """Give a command and return its result.

        Raises:
            DriverError: it failed, or was not answered in time.
        """
        self._number += 1
        number, until = self._number, time.monotonic() + ANSWER_SECONDS
        self._line.sendall(json.dumps([number, command, arguments]).encode() + b"\n")
        while True:
            told = self._read(until)
            if told is None:
                raise DriverError(f"{command}: no answer")
            if told[0] == number:
                break
            self._hear(told)
        if told[2] is not None:
            raise DriverError(f"{command}: {told[2]}")
        return told[1]

    def wait(self, seconds: float) -> None:
        """Hear what the browser tells, for so long."""
        until = time.monotonic() + seconds
        while (told := self._read(until)) is not None:
            self._hear(told)

    def _read(self, until: float) -> list[Any] | None:
        """Return the next line; None where none comes in time."""
        while b"\n" not in self._rest:
            self._line.settimeout(max(until - time.monotonic(), 0.001))
            try:
                more = self._line.recv(1 << 16)
            except TimeoutError:
                return None
            if not more:
                raise DriverError("the browser has gone")
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\n")
        told: list[Any] = json.loads(line)
        return told

    def _hear(self, told: list[Any]) -> None:
        _, event, (number, *detail) = told
        if event == "said":
            self.tell("console", Said(*json.loads(number)))
        elif event == "request":
            self._requests[number] = Request(*detail)
            self.tell(event, self._requests[number])
        elif number in self._requests:
            self.tell(event, self._requests.pop(number))

    def new_page(self) -> WebKitPage:
        return WebKitPage(self, self.ask("open"))

    def add_init_script(self, script: str) -> None:
        self.ask("script", script=script, tab=None)

    def block_cookies(self) -> None:
        self.ask("block_cookies")

    def set_offline(self, offline: bool) -> None:
        """Take the network away. Pages are not told of it: ``navigator.onLine`` stays true."""
        if offline != self._offline:
            self._offline = offline
            self.ask("offline", offline=offline)

    def clear_storage(self, origin: str) -> None:
        self.ask("clear_storage")

    def close(self) -> None:
        self.pages.clear()
        self._end.close()

    def _all_cookies(self) -> list[Cookie]:
        found: list[Cookie] = self.ask("cookies")
        return found

    def _add_cookie(self, cookie: Cookie) -> None:
        self.ask("add_cookie", cookie=cookie)

    def _delete_cookie(self, cookie: Cookie) -> None:
        self.ask("delete_cookie", cookie=cookie)


class WebKitPage(Page):
    """One tab of WebKitGTK's browser."""

    context: WebKitContext

    def __init__(self, context: WebKitContext, tab: int) -> None:
        super().__init__(context)
        self._tab = tab

    @property
    def url(self) -> str:
        return "about:blank" if self._closed else str(self.context.ask("url", tab=self._tab))

    def _go(self, url: str, until_loaded: bool) -> None:
        self.context.ask("goto", tab=self._tab, url=url, until_loaded=until_loaded)

    def wait_for_timeout(self, milliseconds: float) -> None:
        self.context.wait(milliseconds / 1000)

    def add_init_script(self, script: str) -> None:
        self.context.ask("script", script=script, tab=self._tab)

    def kill(self) -> None:
        self.context.ask("kill", tab=self._tab)

    def _close(self, run_before_unload: bool) -> None:
        self.context.ask("close", tab=self._tab, ask=run_before_unload)

    def _call(self, script: str, argument: str) -> str:
        body = f"return ({function_of(script)})(text);"
        return str(self.context.ask("call", tab=self._tab, body=body, argument=argument))


class WebKit:
    """What starts devices, on one screen."""

    def __init__(self, display: str, proxy: str) -> None:
        self._display = display
        self._proxy = proxy

    def new_context(self) -> WebKitContext:
        """Start a browser that was never anywhere; it ends when it is closed."""
        with ExitStack() as stack:
            folder = stack.enter_context(TemporaryDirectory(ignore_cleanup_errors=True))
            ours, theirs = socket.socketpair()
            command = [SYSTEM_PYTHON, str(BROWSER), str(theirs.fileno()), self._proxy]
            home = {"HOME": folder, "XDG_CACHE_HOME": folder, "XDG_DATA_HOME": folder, "XDG_RUNTIME_DIR": folder}
            environment = {**os.environ, **QUIET, **home, "DISPLAY": self._display}
            process = subprocess.Popen(command, env=environment, pass_fds=[theirs.fileno()], stderr=subprocess.DEVNULL)
            theirs.close()
            stack.callback(process.wait, ANSWER_SECONDS)
            stack.callback(process.terminate)
            stack.callback(ours.close)
            return WebKitContext(ours, stack.pop_all())


@contextmanager
def webkit(local_names: bool = False) -> Iterator[WebKit]:
    """Start the screen.

    Args:
        local_names: all names lead to this machine.
    """
    with ExitStack() as stack:
        proxy = stack.enter_context(names_lead_here()) if local_names else ""
        yield WebKit(stack.enter_context(_screen()), proxy)


@contextmanager
def _screen() -> Iterator[str]:
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1400x1000x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as screen:
        assert screen.stdout is not None
        try:
            yield f":{screen.stdout.readline().decode().strip()}"
        finally:
            screen.terminate()
