"""A disk that takes no more: 503 until there is room again, and never a 200 for what isn't kept."""

from __future__ import annotations

import resource
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from satsuma_server.app import create_app
from satsuma_server.settings import Settings
from satsuma_server.testing import SATSUMA, Collector, running, serving, started

SECONDS = 60
PAD = "x" * 10_000
BALLAST_BYTES = 5 << 20
"""More than half of the disk: what the write-ahead log holds must find room once more, in the log itself."""

SERVE = ("serve", "--accept-any-key", "--token", "t")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB, most of it taken by a file named ballast."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"a small disk can't be mounted here: {mounted.stderr.strip()}")
    (disk / "ballast").write_bytes(b"\0" * BALLAST_BYTES)
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


class Sender:
    """Posts events and remembers what was acknowledged."""

    def __init__(self, url: str, acknowledged: list[str]) -> None:
        self.client = httpx.Client(base_url=url, trust_env=False, timeout=SECONDS)
        self.acknowledged = acknowledged
        self._made = len(acknowledged) * 1000

    def post(self, count: int = 1, pad: str = "") -> bool:
        """Post a batch; tell whether it was acknowledged. Any other answer has to be a proper 503."""
        self._made += count
        ids = [f"m{number}" for number in range(self._made - count, self._made)]
        batch = [{"type": "page", "userId": "u", "messageId": one, "properties": {"pad": pad}} for one in ids]
        answer = self.client.post("/v1/batch", json={"batch": batch})
        if answer.status_code == 200:
            assert answer.json() == {"success": True}
            self.acknowledged += ids
            return True
        assert answer.status_code == 503, answer.text
        assert int(answer.headers["retry-after"]) > 0
        assert answer.json()["success"] is False
        assert "the log can't write" in answer.json()["error"]["message"]
        return False

    def health(self) -> tuple[int, str]:
        answer = self.client.get("/v1/health")
        return answer.status_code, answer.json()["status"]


def until(true: Callable[[], bool]) -> None:
    """Ask again and again: upkeep may make a little room, or need a moment to, between two answers."""
    end = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < end


def check_kept(url: str, acknowledged: list[str]) -> None:
    counts = Counter(event["messageId"] for event in Collector(url, "t").events())
    assert set(acknowledged) <= counts.keys()
    assert set(counts.values()) == {1}


def test_a_full_disk_is_told_of_and_got_over_without_a_restart(small_disk: Path, tmp_path: Path) -> None:
    acknowledged: list[str] = []
    with started(tmp_path, *SERVE, data=small_disk / "data") as told:
        sender = Sender(told["url"], acknowledged)
        until(lambda: not sender.post(40, PAD))
        until(lambda: not sender.post())
        until(lambda: sender.health() == (503, "unavailable"))
        check_kept(told["url"], acknowledged)
        filled = len(acknowledged)
        (small_disk / "ballast").unlink()
        until(sender.post)
        assert all(sender.post(10, PAD) for _ in range(5))
        assert sender.health() == (200, "ready")
        check_kept(told["url"], acknowledged)
    with running(small_disk / "data", token="t") as again:
        check_kept(again.url, acknowledged)
        assert len(acknowledged) == filled + 51


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux can bound the files of another process")
def test_a_file_that_may_not_grow_is_told_of_and_got_over_without_a_restart(tmp_path: Path) -> None:
    acknowledged: list[str] = []
    with started(tmp_path, *SERVE) as told:
        sender = Sender(told["url"], acknowledged)
        assert sender.post(10)
        unbound = resource.prlimit(told["process"].pid, resource.RLIMIT_FSIZE)
        resource.prlimit(told["process"].pid, resource.RLIMIT_FSIZE, (1, unbound[1]))
        assert not any(sender.post(number) for number in (1, 10, 100))
        assert sender.health() == (503, "unavailable")
        check_kept(told["url"], acknowledged)
        resource.prlimit(told["process"].pid, resource.RLIMIT_FSIZE, unbound)
        assert sender.post(10)
        assert sender.health() == (200, "ready")
        check_kept(told["url"], acknowledged)
    with running(tmp_path / "data", token="t") as again:
        check_kept(again.url, acknowledged)
        assert len(acknowledged) == 20


def test_a_log_that_has_become_read_only_is_unavailable(tmp_path: Path) -> None:
    app = create_app(Settings(tmp_path, token="t", accept_any_key=True, worker=False))
    with serving(app) as url:
        sender = Sender(url, [])
        assert sender.post()
        # A file system with an open log can't be remounted; SQLite's own switch gives its very answer.
        app.state.log._writing.execute("PRAGMA query_only=1")
        assert not sender.post()
        assert sender.health() == (503, "unavailable")
        app.state.log._writing.execute("PRAGMA query_only=0")
        assert sender.post()
        check_kept(url, sender.acknowledged)


def test_a_folder_that_is_read_only_from_the_start_is_one_clear_line(small_disk: Path) -> None:
    with running(small_disk / "data") as collector:
        assert Sender(collector.url, []).post()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    for folder in ("data", "new"):
        command: list[Any] = [*SATSUMA, *SERVE, "--port", "0", "--data", small_disk / folder]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
        assert done.returncode == 1
        assert "can't be opened" in done.stderr
        assert "Traceback" not in done.stderr
