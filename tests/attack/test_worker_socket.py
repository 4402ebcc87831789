"""The worker's own routes: behind a socket of the collector's user, and a secret that only the collector knows."""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from attack.conftest import wait_until
from attack.raw import ask, connect, request
from satsuma_server.errors import UnavailableError
from satsuma_server.log.sqlite import SqliteLog
from satsuma_server.privacy import RESOLVE
from satsuma_server.projections import bodies, proxy
from satsuma_server.projections.internal import InternalClient
from satsuma_server.projections.process import WorkerProcess
from satsuma_server.projections.table import A_FORM
from satsuma_server.settings import Settings
from satsuma_server.testing import Collector, running

ASKED = {"key": ["user_id", "ann", ""], "seq": 0, "reach": "verified"}
NOBODY = 65534
CONNECT = "import os, socket, sys; os.setuid(int(sys.argv[2])); socket.socket(socket.AF_UNIX).connect(sys.argv[1])"


@asynccontextmanager
async def worker(data: Path) -> AsyncIterator[WorkerProcess]:
    """A worker that answers the collector."""
    log = SqliteLog(data)
    process = WorkerProcess(Settings(data=data, accept_any_key=True))
    process.start()
    client = InternalClient(process.internal_socket, process.secret)
    try:
        async with asyncio.timeout(120):
            while True:
                try:
                    await client.ask(RESOLVE, ASKED)
                    break
                except UnavailableError:
                    await asyncio.sleep(0.05)
        yield process
    finally:
        await client.close()
        await process.stop()
        await log.close()


async def post(socket: Path, secret: str | None) -> int:
    headers = {} if secret is None else {"x-satsuma-secret": secret}
    async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=str(socket)), headers=headers) as client:
        return (await client.post(f"http://worker{RESOLVE}", json=ASKED)).status_code


def test_only_the_collector_is_answered(tmp_path: Path) -> None:
    async def attack() -> None:
        async with worker(tmp_path) as process:
            assert await post(process.internal_socket, process.secret) == 200
            assert await post(process.internal_socket, None) == 401
            assert await post(process.internal_socket, "guessed") == 401
            assert await post(process.public_socket, process.secret) == 404
            for socket in (process.public_socket, process.internal_socket):
                assert stat.S_IMODE(socket.stat().st_mode) == 0o600
                assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
            if os.getuid() == 0:
                command = [sys.executable, "-c", CONNECT, str(process.internal_socket), str(NOBODY)]
                assert subprocess.run(command, capture_output=True, check=False).returncode != 0
            shown = Path(f"/proc/{process.pid}/cmdline")
            if shown.exists():
                assert process.secret.encode() not in shown.read_bytes()
                assert process.secret.encode() not in Path(f"/proc/{process.pid}/environ").read_bytes()

    asyncio.run(attack())


@pytest.mark.parametrize("path", ["/v1/sql", "/v1/profiles/rebuild", "/v1/warehouse/load"])
def test_who_has_no_token_is_answered_before_the_body_is_read(attacked: Collector, path: str) -> None:
    with connect(attacked.url) as connection:
        connection.sendall(request(path, "POST", headers={"Content-Length": "1000"}))
        assert connection.recv(100).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("path", ["/v1/sql", "/console/login", "/console/warehouse/sql"])
def test_a_body_beyond_its_paths_bound_is_refused_unread(attacked: Collector, path: str) -> None:
    headers = {"Content-Length": str(1 << 20), "Authorization": f"Bearer {attacked.token}"}
    with connect(attacked.url) as connection:
        connection.sendall(request(path, "POST", headers=headers))
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_crowd_at_the_login_takes_no_room_from_who_holds_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxy, "MAX_BODIES_BYTES", 4 * A_FORM)
    monkeypatch.setattr(proxy, "MAX_STRANGERS_BYTES", A_FORM)
    with running(tmp_path, worker=True) as collector, contextlib.ExitStack() as crowd:
        for _ in range(8):
            connection = crowd.enter_context(connect(collector.url))
            connection.sendall(request("/console/login", "POST", b"x" * (A_FORM - 1), {"Content-Length": str(A_FORM)}))
        wait_until(lambda: ask(collector.url, "/console/login", "POST", b"x" * A_FORM).status == 429, "the crowd")
        answer = ask(
            collector.url, "/v1/sql", "POST", b"x" * A_FORM, headers={"Authorization": f"Bearer {collector.token}"}
        )
        assert answer.status in (400, 503)  # It is no query, or the worker is on its way: there is room for it.


def test_who_drips_a_body_to_the_worker_is_told_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.2)
    with running(tmp_path, worker=True) as collector, connect(collector.url) as connection:
        connection.sendall(request("/console/login", "POST", b"x", {"Content-Length": "9"}))
        assert connection.recv(100).startswith(b"HTTP/1.1 408 ")
