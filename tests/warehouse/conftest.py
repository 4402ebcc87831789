from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

NOBODY = "nobody"
"""Who runs the server where the tests run as root: Postgres refuses to."""


def find(program: str) -> str | None:
    """Return where a program of Postgres's server is; Debian has them beside the path."""
    found = [
        shutil.which(program),
        *sorted(map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{program}")), reverse=True),
    ]
    return next((one for one in found if one), None)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A fresh Postgres, of this run alone; its URL."""
    initdb, server = find("initdb"), find("postgres")
    if initdb is None or server is None:
        pytest.skip("no Postgres here: apt-get install postgresql")
    user = NOBODY if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="satsuma-postgres-"))
    if user:
        shutil.chown(folder, user)
    data = folder / "data"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    made = [
        initdb,
        "--pgdata",
        str(data),
        "--username",
        "satsuma",
        "--auth",
        "trust",
        "--no-sync",
        "--encoding",
        "UTF8",
    ]
    subprocess.run(made, check=True, capture_output=True, user=user, cwd=folder)
    options = ["-p", str(port), "-k", str(folder), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([server, "-D", str(data), *options], stderr=log, user=user, cwd=folder)
    try:
        until = time.monotonic() + 30
        while not (data / "postmaster.pid").exists() or "ready" not in (data / "postmaster.pid").read_text():
            assert process.poll() is None and time.monotonic() < until, (folder / "log").read_text()
            time.sleep(0.05)
        yield f"postgresql://satsuma:none@127.0.0.1:{port}/postgres"
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)
