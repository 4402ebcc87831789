"""Drives an ordinary Firefox by WebDriver BiDi, which it speaks by itself: Playwright drives only builds of its own.

Source: W3C WebDriver BiDi, the commands ``session``, ``browsingContext``, ``script`` and ``storage``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from websockets.sync.client import ClientConnection, connect

NAMES = ("firefox", "firefox-esr")
START_SECONDS, ANSWER_SECONDS = 60, 60
LISTENING = re.compile(r"BiDi listening on (ws://\S+)")

PREFERENCES = {
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.region.network.url": "",
    "browser.safebrowsing.provider.google4.updateURL": "",
    "browser.safebrowsing.provider.mozilla.updateURL": "",
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.systemAddon.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "remote.active-protocols": 1,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "toolkit.telemetry.server": "",
}
"""Against connections of the browser's own."""


def find_firefox() -> str | None:
    """Return the path of Firefox, or None."""
    named = os.environ.get("SATSUMA_FIREFOX")
    return named or next((found for name in NAMES if (found := shutil.which(name))), None)


class Tab:
    """Firefox's one tab."""

    def __init__(self, connection: ClientConnection) -> None:
        """Begin a session."""
        self._connection = connection
        self._numbers = count(1)
        self.said: list[str] = []
        """Warnings and errors on the console, and exceptions that nobody caught."""
        self._ask("session.new", capabilities={})
        self._ask("session.subscribe", events=["log.entryAdded"])
        self._context = self._ask("browsingContext.getTree")["contexts"][0]["context"]

    def run_in_pages(self, function: str) -> None:
        """Call a JavaScript function in each page to come, before the page's own scripts."""
        self._ask("script.addPreloadScript", functionDeclaration=function)

    def visit(self, url: str) -> None:
        """Go to a page and stay until it has loaded."""
        self._ask("browsingContext.navigate", context=self._context, url=url, wait="complete")

    def evaluate(self, expression: str) -> Any:
        """Return what a JavaScript expression is, or comes to; it must have a form in JSON."""
        text = f"Promise.resolve({expression}).then((value) => JSON.stringify(value ?? null))"
        told = self._ask("script.evaluate", expression=text, target={"context": self._context}, awaitPromise=True)
        if told["type"] == "exception":
            raise RuntimeError(told["exceptionDetails"]["text"])
        return json.loads(told["result"]["value"])

    def clear_cookies(self) -> None:
        """Delete all cookies, as a visitor does in the browser's settings."""
        self._ask("storage.deleteCookies", partition={"type": "context", "context": self._context})

    def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._connection.send(json.dumps({"id": number, "method": method, "params": params}))
        until = time.monotonic() + ANSWER_SECONDS
        while True:
            told = json.loads(self._connection.recv(timeout=max(until - time.monotonic(), 0)))
            if told.get("id") == number:
                break
            self._hear(told)
        if told["type"] == "error":
            raise RuntimeError(f"{method}: {told['message']}")
        result: dict[str, Any] = told["result"]
        return result

    def _hear(self, event: dict[str, Any]) -> None:
        entry = event.get("params", {})
        if entry.get("level") in ("warn", "error"):
            self.said.append(f"{entry['level']}: {entry.get('text')}")


@contextmanager
def firefox(program: str) -> Iterator[Tab]:
    """Start a Firefox that has never been anywhere, without a window.

    Raises:
        RuntimeError: it did not start, or a command failed.
        TimeoutError: an answer did not come.
    """
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in PREFERENCES.items())
        Path(profile, "user.js").write_text("".join(lines))
        options = ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port=0", "about:blank"]
        said = Path(profile, "said")
        with said.open("w") as stderr:
            process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL, stderr=stderr)
        try:
            with connect(f"{_address(process, said)}/session", max_size=None) as connection:
                yield Tab(connection)
        finally:
            process.terminate()
            process.wait(START_SECONDS)


def _address(process: subprocess.Popen[bytes], said: Path) -> str:
    until = time.monotonic() + START_SECONDS
    while not (found := LISTENING.search(said.read_text())):
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"Firefox did not start: {said.read_text()}")
        time.sleep(0.05)
    return found[1]
