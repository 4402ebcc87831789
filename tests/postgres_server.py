"""A Postgres server for tests: in a folder of its own, on a free port, and gone afterwards."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NOBODY = "nobody"
"""Whose server it is where the tests run as root, which Postgres refuses."""


def find_binaries() -> Path | None:
    """Return the folder of Postgres's programs: the newest that Debian has installed, or the one on PATH."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    found = versions[-1] if versions else shutil.which("initdb")
    return Path(found).parent if found else None


@contextmanager
def postgres_server() -> Iterator[str]:
    """Run a server; give the URL of its database. Skips the test where there is none to run."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("there is no Postgres here (Debian: apt-get install postgresql)")
    # Not below pytest's own folder, which only its user may enter; and a socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="satsuma-pg-"))
    user = {}
    if os.geteuid() == 0:
        shutil.chown(folder, NOBODY)
        user = {"user": NOBODY}
    data = folder / "data"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    def call(program: str, *args: str) -> None:
        done = subprocess.run(
            [binaries / program, *args], capture_output=True, text=True, cwd=folder, timeout=120, **user
        )
        assert done.returncode == 0, done.stdout + done.stderr

    try:
        call("initdb", "-D", str(data), "-U", "test", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='{folder}' -c fsync=off"
        call("pg_ctl", "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w", "start")
        yield f"postgresql://test:none@127.0.0.1:{port}/postgres"
    finally:
        if (data / "postmaster.pid").exists():
            call("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)
