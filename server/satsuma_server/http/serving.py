"""Runs ASGI apps on sockets, several in one process, and stops them together and gracefully."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Coroutine, Generator, Sequence
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from satsuma_server.errors import SettingsError

from .timeouts import TimeLimitedProtocol, raise_descriptors

ALLOCATIONS = 50_000
"""How many new objects there must be before Python's garbage collector looks for reference cycles. Events have none."""

TURN_SECONDS = 0.0005
"""How long a thread may hold the GIL while another waits for it. The log's thread needs the GIL several times for each
commit, and all senders wait for the commit. With Python's default of 5 ms it waited three times as long as it
worked."""

DRAIN_SECONDS = 10
"""How long requests may still take once the process was asked to stop."""

GRACE_SECONDS = 25
"""How long a process that has no parent any more may take to end after that."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        # Several servers share this process, so `serve` handles the signals for all of them.
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Some answers never end by themselves, such as live feeds: the app is told to end them.
        leave = getattr(getattr(self.config.app, "state", None), "leave", None)
        if leave is not None:
            leave()
        await super().shutdown(sockets)


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 chooses a free port.

    Raises:
        SettingsError: the port is taken or may not be used.
    """
    return _listen(host, port)


def listen_for_each(host: str, port: int, processes: int) -> list[socket.socket]:
    """Return a listening socket on the same port for each of several processes. Raises the errors of `listen`.

    The system gives each connection to one of the sockets by a hash of its addresses. Where it can't do that, it is the
    same socket for all.
    """
    if sys.platform != "linux":
        return [listen(host, port)] * processes
    # A socket that shares its port would be given one that another program has shared, too.
    with _listen(host, port) as probe:
        port = probe.getsockname()[1]
    return [_listen(host, port, socket.SO_REUSEPORT) for _ in range(processes)]


def _listen(host: str, port: int, *options: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is given explicitly, because asyncio sets TCP_NODELAY only on sockets that say they are TCP.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        for option in (socket.SO_REUSEADDR, *options):
            listener.setsockopt(socket.SOL_SOCKET, option, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"port {port} of {host} can't be used ({error.strerror}): choose another with --port"
        ) from error
    listener.listen(2048)
    return listener


def bind_private(path: Path) -> socket.socket:
    """Return a Unix socket that only this user may connect to. It doesn't listen yet."""
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        bound.bind(str(path))
    finally:
        os.umask(before)
    return bound


def url_of(listener: socket.socket) -> str:
    """Return the URL at which a browser on this machine reaches a listening socket."""
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
        proxy_headers=False,  # uvicorn would believe X-Forwarded-For of every program on this machine.
        timeout_graceful_shutdown=DRAIN_SECONDS,
        timeout_keep_alive=75,
    )
    return _Server(config)


def run(apps: Sequence[tuple[ASGIApp, socket.socket]], ready: Callable[[], None]) -> None:
    """Serve apps until SIGINT or SIGTERM, on the fastest event loop that is installed; see `serve`.

    It also tunes the garbage collector for the whole process: objects that exist at the start are not examined again.
    """
    run_tuned(serve(apps, ready))


def run_tuned(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that serves, in a process tuned for it."""
    sys.setswitchinterval(TURN_SECONDS)
    raise_descriptors()
    gc.freeze()
    gc.set_threshold(ALLOCATIONS, *gc.get_threshold()[1:])
    factory = uvicorn.Config(_nothing).get_loop_factory()
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(work)


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None: ...


async def serve(
    apps: Sequence[tuple[ASGIApp, socket.socket]], ready: Callable[[], None], *, of_parent: bool = False
) -> None:
    """Serve apps until SIGINT or SIGTERM.

    Args:
        apps: the apps, each with its listening socket.
        ready: is called once all of them answer.
        of_parent: serve until stdin is closed instead, which happens when the process that has started this one wants
            it to end, or is killed.
    """
    servers = [make_server(app) for app, _ in apps]

    def stop() -> None:
        for server in servers:
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        # A service manager may signal all processes at once. Those that others need have to end after them.
        loop.add_signal_handler(name, (lambda: None) if of_parent else stop)
    if of_parent:
        threading.Thread(target=_wait_for_parent, args=(loop, stop), daemon=True).start()
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


def _wait_for_parent(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    sys.stdin.read()
    with contextlib.suppress(RuntimeError):  # The loop has ended by itself.
        loop.call_soon_threadsafe(stop)
    threading.Event().wait(DRAIN_SECONDS + GRACE_SECONDS)
    os._exit(1)
