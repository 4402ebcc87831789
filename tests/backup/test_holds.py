"""While a backup is made, retention removes nothing from the log; and a backup that was killed holds it no longer."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from satsuma_server.backup.creation import create
from satsuma_server.errors import UnavailableError
from satsuma_server.log import Arrivals, holds
from satsuma_server.log.database import FILE
from satsuma_server.log.maintenance import trim
from satsuma_server.log.sqlite import SqliteLog
from satsuma_server.settings import Settings
from satsuma_server.status import read_cursors

DAY = 86_400_000

BACKUP = """
import asyncio, sys, threading
from pathlib import Path
from satsuma_server.backup.creation import create
from satsuma_server.settings import Settings

def copy_warehouse(target):
    print("copying", flush=True)
    threading.Event().wait()

asyncio.run(create(Settings(Path(sys.argv[1])), None, Path(sys.argv[2]), copy_warehouse))
"""


async def fill(log: SqliteLog) -> None:
    """Store an event of long ago, and one that is newer."""
    for id, at in (("old", 1.0), ("new", time.time() * 1000)):
        await log.append(Arrivals("demo", at, [id], [b'{"messageId":"%s"}' % id.encode()]))


async def seqs_after_trimming(log: SqliteLog, now: float) -> list[int]:
    await log._submit(task=trim(DAY, now))
    return [event.seq for event in await log.read()]


def test_a_killed_backup_holds_the_log_no_longer(tmp_path: Path) -> None:
    async def run() -> None:
        log = SqliteLog(tmp_path / "data")
        await fill(log)
        with subprocess.Popen(
            [sys.executable, "-c", BACKUP, str(tmp_path / "data"), str(tmp_path / "copy")], stdout=subprocess.PIPE
        ) as backup:
            assert backup.stdout is not None
            assert await asyncio.to_thread(backup.stdout.readline) == b"copying\n"
            backup.kill()
        now = time.time() * 1000
        assert await seqs_after_trimming(log, now) == [1, 2]
        assert await read_cursors(log) == {}, "a backup is no follower that lags"
        assert await seqs_after_trimming(log, now + holds.HOLD_SECONDS * 1000 + 1) == [2]
        await log.close()

    asyncio.run(run())


def test_what_a_backup_of_an_earlier_version_has_left_holds_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        log = SqliteLog(tmp_path)
        await fill(log)
        await log.save_cursor("backup", 0)
        assert await seqs_after_trimming(log, time.time() * 1000) == [2]
        await log.close()

    asyncio.run(run())


def test_a_long_backup_holds_the_log_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holds, "RENEW_SECONDS", 0.01)
    data = tmp_path / "data"

    def hold() -> int:
        with contextlib.closing(sqlite3.connect(data / FILE)) as connection:
            return int(connection.execute("SELECT seq FROM cursors WHERE name = 'backup'").fetchone()[0])

    def copy_warehouse(_: Path) -> None:
        before, until = hold(), time.monotonic() + 60
        while hold() == before:
            assert time.monotonic() < until, "it was not renewed"
            time.sleep(0.01)

    async def run() -> None:
        log = SqliteLog(data)
        await fill(log)
        await create(Settings(data), None, tmp_path / "copy", copy_warehouse)
        assert hold() == holds.BEYOND
        assert await seqs_after_trimming(log, time.time() * 1000) == [2]
        await log.close()

    asyncio.run(run())


def test_a_backup_that_slept_longer_than_it_held_the_log_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holds, "HOLD_SECONDS", -1.0)

    async def run() -> None:
        log = SqliteLog(tmp_path / "data")
        await fill(log)
        with pytest.raises(UnavailableError, match="retention may have removed"):
            await create(Settings(tmp_path / "data"), None, tmp_path / "copy", lambda _: None)
        assert not (tmp_path / "copy" / "manifest.json").exists()
        await log.close()

    asyncio.run(run())
