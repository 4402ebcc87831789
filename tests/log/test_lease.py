"""One worker at a time follows a log on NATS, and another one goes on when it is gone."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import signal
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from log.test_collectors import AUTHORIZED, PATIENCE, TOKEN, send, until
from nats_servers import Cluster
from satsuma_server.errors import UnavailableError
from satsuma_server.log.jetstream import lease as module
from satsuma_server.log.jetstream.connection import Connection
from satsuma_server.log.jetstream.lease import Lease
from satsuma_server.log.jetstream.options import NatsSettings
from satsuma_server.testing import started


@pytest.fixture
def make(nats_server: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that makes the lease of a data folder, as another process would have it. Leases last a second."""
    for name, seconds in (("LIFE", 1.0), ("RENEW", 0.1), ("LAST", 0.6), ("LOOK", 0.05)):
        monkeypatch.setattr(module, f"{name}_SECONDS", seconds)
    options = NatsSettings(stream=f"test-{secrets.token_hex(4)}", replicas=1)

    def made(folder: str) -> Lease:
        (tmp_path / folder).mkdir(exist_ok=True)
        return Lease(Connection(nats_server.url, options), tmp_path / folder)

    return made


@pytest.mark.asyncio
async def test_a_second_worker_waits_until_the_first_gives_the_lease_up(make: Any) -> None:
    first, second = make("one"), make("two")
    await first.take()
    waiting = asyncio.create_task(second.take())
    await asyncio.sleep(2)  # Twice as long as a lease lasts that is not kept.
    assert second.is_waiting and not waiting.done()
    await first.release()
    async with asyncio.timeout(PATIENCE):
        await waiting
    assert second.from_another and not second.is_waiting
    await second.release()


@pytest.mark.asyncio
async def test_the_lease_of_a_dead_worker_passes_on_and_its_own_folder_has_it_back_at_once(make: Any) -> None:
    dead, again, other = make("one"), make("one"), make("two")
    await dead.take()
    kill(dead)
    await again.take()
    assert not again.from_another
    kill(again)
    async with asyncio.timeout(PATIENCE):
        await other.take()
    assert other.from_another
    await other.release()


@pytest.mark.asyncio
async def test_a_copied_folder_is_another_one(make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers with one id would take the lease from each other for ever."""
    monkeypatch.setattr(module.os, "_exit", lambda code: kill(first))
    first = make("one")
    await first.take()
    shutil.copytree(tmp_path / "one", tmp_path / "copy")
    copy = make("copy")
    waiting = asyncio.create_task(copy.take())
    await asyncio.sleep(2)  # Twice as long as a lease lasts that is not kept.
    assert copy.is_waiting and not waiting.done()
    await first.release()
    async with asyncio.timeout(PATIENCE):
        await waiting
    assert copy.from_another
    await copy.release()


@pytest.mark.asyncio
@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="no clock here goes on while a machine sleeps")
async def test_a_worker_whose_machine_has_slept_ends_at_once(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lease, ended, slept = make("one"), asyncio.Event(), 0
    loop, real = asyncio.get_running_loop(), time.clock_gettime
    monkeypatch.setattr(module.os, "_exit", lambda code: (kill(lease), loop.call_soon_threadsafe(ended.set)))
    monkeypatch.setattr(module, "RENEW_SECONDS", PATIENCE)
    monkeypatch.setattr(module, "LAST_SECONDS", PATIENCE / 2)
    monkeypatch.setattr(module.time, "clock_gettime", lambda clock: real(clock) + slept)
    await lease.take()
    assert not ended.is_set()
    slept = PATIENCE
    async with asyncio.timeout(PATIENCE / 4):
        await ended.wait()


def kill(lease: Lease) -> None:
    """Leave a lease as a process does that is killed."""
    assert lease._task
    lease._is_over.set()
    lease._task.cancel()


@pytest.mark.asyncio
async def test_who_can_not_keep_the_lease_ends_before_another_may_begin(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[float] = []
    lease, other = make("one"), make("two")
    monkeypatch.setattr(module.os, "_exit", lambda code: (ended.append(time.monotonic()), kill(lease)))
    await lease.take()

    async def away(*given: Any, **more: Any) -> bool:
        raise UnavailableError("the servers are away")

    monkeypatch.setattr(lease, "_write", away)
    async with asyncio.timeout(PATIENCE):
        await other.take()
    assert ended and ended[0] < time.monotonic()
    await other.release()


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_another_machine_goes_on_where_one_was_killed(nats_server: Cluster, tmp_path: Path) -> None:
    config = tmp_path / "satsuma.toml"
    config.write_text(
        f'log = "{nats_server.url}"\ntoken = "{TOKEN}"\n'
        f'[nats]\nstream = "test-{secrets.token_hex(4)}"\nreplicas = 1\n[[sources]]\nwrite_key = "shop"\n'
        f'[[destinations]]\nname = "lake"\ntype = "files"\npath = "{tmp_path / "lake"}"\ngather_seconds = 0\n'
        "[warehouse]\nseconds = 0.2\n"
    )

    def is_active(url: str) -> bool:
        return httpx.get(f"{url}/v1/worker", timeout=60).status_code == 200

    def destination(url: str) -> dict[str, Any]:
        told: list[dict[str, Any]] = httpx.get(f"{url}/v1/destinations", headers=AUTHORIZED, timeout=60).json()
        return told[0]

    def delivered() -> set[str]:
        files = [file for file in (tmp_path / "lake").rglob("*.ndjson*") if file.is_file()]
        return {json.loads(line)["messageId"] for file in files for line in _lines(file)}

    with ExitStack() as stack:
        told = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            serve = ("serve", "--config", str(config))
            told.append(stack.enter_context(started(tmp_path / name, *serve, env={"SATSUMA_WORKER": "1"})))
            if name == "one":
                until(lambda: is_active(told[0]["url"]))
                until(lambda: destination(told[0]["url"])["state"] == "running")
        assert send(told[0]["url"], "a", "b") == 200
        until(lambda: delivered() == {"a", "b"})
        until(lambda: "another worker is active" in (tmp_path / "two" / "stderr.txt").read_text())
        assert not is_active(told[1]["url"])

        first = told[0]["process"].pid
        workers = children(first)
        os.kill(first, signal.SIGSTOP)  # So that it doesn't start the worker again.
        for pid in (*workers, first):
            os.kill(pid, signal.SIGKILL)
        killed = time.monotonic()
        assert send(told[1]["url"], "b", "c", "d") == 200
        until(lambda: is_active(told[1]["url"]))
        print(f"\nanother worker was active after {time.monotonic() - killed:.1f} s")

        until(lambda: delivered() == {"a", "b", "c", "d"})
        person = f"{told[1]['url']}/v1/profiles/user_id:ann/events"
        until(lambda: httpx.get(person, headers=AUTHORIZED, timeout=60).raise_for_status().text.count("Paid") == 4)
        query = {"query": "select count(*) from shop.paid", "fresh": True}
        rows = httpx.post(f"{told[1]['url']}/v1/sql", json=query, headers=AUTHORIZED, timeout=60).json()["rows"]
        assert rows == [[4]]


def _lines(file: Path) -> list[bytes]:
    import gzip

    return gzip.decompress(file.read_bytes()).splitlines()
