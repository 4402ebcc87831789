"""Runs ASGI apps on sockets: several in one process, with one graceful stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from satsuma_server.errors import SettingsError

from .timeouts import TimeLimitedProtocol

ALLOCATIONS = 50_000
"""How many more objects there are before Python looks for garbage that refers to itself, which events never do."""

TURN_SECONDS = 0.0005
"""How long one thread may keep the interpreter from another that wants it. The log's thread asks for it several times a
commit, and everybody waits for the commit; Python's own 5 ms made that wait three times as long as its work."""

DRAIN_SECONDS = 10
"""How long requests under way may take once a stop is asked for."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        # Several servers share one process: whoever starts them hears the signals for all.
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # An app may have answers under way that never end by themselves.
        leave = getattr(getattr(self.config.app, "state", None), "leave", None)
        if leave is not None:
            leave()
        await super().shutdown(sockets)


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one.

    Raises:
        SettingsError: the port is taken or may not be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP, since asyncio switches Nagle's delay off for what says so, and for nothing else.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"port {port} of {host} can't be used ({error.strerror}): choose another with --port"
        ) from error
    listener.listen(2048)
    return listener


def bind_private(path: Path) -> socket.socket:
    """Return a socket in the file system that only this user may connect to. It doesn't listen yet."""
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        bound.bind(str(path))
    finally:
        os.umask(before)
    return bound


def url_of(listener: socket.socket) -> str:
    """Return the URL that a browser on this machine reaches a listening socket at."""
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def make_server(app: ASGIApp) -> uvicorn.Server:
    """Return a server for one app, not yet running."""
    config = uvicorn.Config(
        app,
        http=TimeLimitedProtocol,
        ws="none",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        timeout_keep_alive=75,
    )
    return _Server(config)


def run(apps: Sequence[tuple[ASGIApp, socket.socket]], ready: Callable[[], None]) -> None:
    """Serve apps until SIGINT or SIGTERM, on the fastest event loop that is there; see `serve`.

    The process is theirs: what is there when they start is not looked at for garbage again.
    """
    sys.setswitchinterval(TURN_SECONDS)
    gc.freeze()
    gc.set_threshold(ALLOCATIONS, *gc.get_threshold()[1:])
    factory = make_server(apps[0][0]).config.get_loop_factory()
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(serve(apps, ready))


async def serve(apps: Sequence[tuple[ASGIApp, socket.socket]], ready: Callable[[], None]) -> None:
    """Serve apps until SIGINT or SIGTERM; `ready` is called once all of them answer."""
    servers = [make_server(app) for app, _ in apps]

    def stop() -> None:
        for server in servers:
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop)
    running = [
        asyncio.create_task(server.serve(sockets=[listener]))
        for server, (_, listener) in zip(servers, apps, strict=True)
    ]
    while not all(server.started for server in servers):
        if any(task.done() for task in running):
            stop()
            break
        await asyncio.sleep(0.01)
    else:
        ready()
    await asyncio.gather(*running)
