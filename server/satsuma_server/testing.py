"""Runs a real, fresh collector on a free port of this machine, for tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from .app import create_app
from .http.serving import listen, make_server, url_of
from .settings import Settings

START_SECONDS = 60

SATSUMA = [sys.executable, "-c", "from satsuma_server.cli import main; main()"]
"""The command line of ``satsuma``, run by this Python."""


@dataclass(frozen=True, slots=True)
class Collector:
    """A running collector.

    Attributes:
        url: its origin.
        token: the token that is needed to read its events.
    """

    url: str
    token: str

    def events(self, after: int = 0) -> list[dict[str, Any]]:
        """Return the events that it has stored, in order."""
        headers = {"Authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(f"{self.url}/v1/events?after={after}&limit=10000", headers=headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return [json.loads(line) for line in answer.read().splitlines()]

    def wait_for(
        self, enough: Callable[[list[dict[str, Any]]], bool], seconds: float = 30, after: int = 0
    ) -> list[dict[str, Any]]:
        """Wait until `enough` returns true for the stored events, and return them.

        Raises:
            AssertionError: it never did. The message says what was stored.
        """
        until = time.monotonic() + seconds
        while True:
            events = self.events(after)
            if enough(events):
                return events
            if time.monotonic() > until:
                told = [f"{event['type']} {event.get('event') or event.get('name') or ''}".strip() for event in events]
                raise AssertionError(f"after {seconds} s the collector has stored only: {told}")
            time.sleep(0.03)


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """Serve an ASGI app on a free port, in a thread; yield its URL."""
    listener = listen("127.0.0.1", 0)
    server = make_server(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        until = time.monotonic() + START_SECONDS
        while not server.started:
            if not thread.is_alive() or time.monotonic() > until:
                raise RuntimeError("the server did not start")
            time.sleep(0.005)
        yield url_of(listener)
    finally:
        server.should_exit = True
        thread.join(START_SECONDS)
        listener.close()


@contextmanager
def running(data: Path, *, token: str = "test-token", **settings: Any) -> Iterator[Collector]:  # noqa: S107
    """Run a collector. Unless the settings say otherwise, it accepts any write key and has no second process."""
    chosen = Settings(
        data=data, token=token, **{"accept_any_key": "write_keys" not in settings, "worker": False, **settings}
    )
    with serving(create_app(chosen)) as url:
        yield Collector(url, token)


@contextmanager
def started(
    folder: Path, *args: str, data: Path | None = None, env: dict[str, str] | None = None
) -> Iterator[dict[str, Any]]:
    """Run the command `satsuma` as a process. Once it is ready, yield the JSON that it prints, and the ``process``.

    Args:
        folder: folder for its output, and for its log unless `data` names another one.
        args: the verb and its options. The port is always a free one.
        env: additional environment variables. ``SATSUMA_WORKER`` is 0 unless they say otherwise.

    Raises:
        RuntimeError: the process ended, or was not ready in time.
    """
    ready, errors = folder / "ready.json", folder / "stderr.txt"
    ready.unlink(missing_ok=True)
    command = [*SATSUMA, *args, "--port", "0", "--data", str(data or folder / "data"), "--ready-file", str(ready)]
    more = {"SATSUMA_WORKER": "0", **(env or {})}
    # Into a file, because a full pipe that nobody reads would block a collector with many log lines.
    with errors.open("w") as stderr:
        process = subprocess.Popen(command, env={**os.environ, **more}, stdout=subprocess.DEVNULL, stderr=stderr)
    try:
        until = time.monotonic() + START_SECONDS
        while not (ready.exists() and ready.read_text()):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"satsuma {args[0]} did not start: {errors.read_text()}")
            time.sleep(0.02)
        yield {**json.loads(ready.read_text()), "process": process}
    finally:
        process.kill()
        process.wait()
