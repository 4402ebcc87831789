"""The file that knows who uses a device: whole or healed, and done without where the disk fails."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from platforms_device.kiosk import MakeClient
from satsuma.platforms.device import identity_file
from satsuma.platforms.device.identity_file import COPY, FILE, LOCK, IdentityFile
from wire import Wire


def keep(folder: Path, **items: str) -> None:
    file = IdentityFile(folder, print)
    with file.transaction():
        for key, value in items.items():
            file.set_item(key, value)


def kept(folder: Path, key: str = "id") -> str | None:
    file = IdentityFile(folder, lambda line: None)
    with file.transaction():
        return file.get_item(key)


@pytest.mark.parametrize(
    "broken",
    ["", "{", '{"format": 1, "check": 1, "items": {"id": "b"}}', "[]", "\x00" * 400, '{"items": 5, "check": 0}'],
)
def test_a_broken_file_is_healed_from_its_copy(folder: Path, broken: str) -> None:
    keep(folder, id="a")
    (folder / FILE).write_text(broken)
    warnings: list[str] = []
    file = IdentityFile(folder, warnings.append)
    with file.transaction():
        assert file.get_item("id") == "a"
    assert "healed" in warnings[0]
    (folder / COPY).unlink()
    assert kept(folder) == "a", "the file itself is whole again"


def test_a_lost_file_is_healed_too(folder: Path) -> None:
    keep(folder, id="a")
    (folder / FILE).unlink()
    assert kept(folder) == "a"
    assert (folder / FILE).exists()


def test_of_two_broken_files_a_new_device_is_made(folder: Path, make: MakeClient, wire: Wire) -> None:
    first = make()
    assert first.anonymous_id
    first.close()
    for name in (FILE, COPY):
        (folder / name).write_bytes(b"\xff\xfe")
    second = make()
    assert second.anonymous_id not in (None, first.anonymous_id)
    second.track("E")
    second.close()
    assert make().anonymous_id == second.anonymous_id


def test_the_file_is_never_half_written(folder: Path) -> None:
    """Killed at any moment while it writes, a process leaves a file that can be read, with one of its values."""
    script = (
        "import sys; from pathlib import Path; from satsuma.platforms.device.identity_file import IdentityFile\n"
        "file = IdentityFile(Path(sys.argv[1]), print)\n"
        "for number in range(10**9):\n"
        "    with file.transaction(): file.set_item('id', str(number) * 2000)\n"
        "    if number == 5: print('ready', flush=True)\n"
    )
    keep(folder, id="none")
    for _ in range(5):
        with subprocess.Popen([sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None and process.stdout.readline() == b"ready\n"
            process.kill()
        value = kept(folder)
        assert value is not None and value == value[: len(value) // 2000] * 2000


def test_only_the_user_may_read_it(folder: Path) -> None:
    keep(folder, id="a")
    assert [(folder / name).stat().st_mode & 0o077 for name in (FILE, COPY)] == [0, 0]


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Makes the disk full, and gives room again."""
    fsync, pwrite = os.fsync, os.pwrite
    full = False

    def check() -> None:
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", lambda descriptor: (check(), fsync(descriptor))[1])
    monkeypatch.setattr(os, "pwrite", lambda *given: (check(), pwrite(*given))[1])
    monkeypatch.setattr(identity_file, "WRITE_PAUSE", 0)

    def change(value: bool) -> None:
        nonlocal full
        full = value

    return change


def test_a_full_disk_costs_nothing_while_the_app_runs(
    make: MakeClient, wire: Wire, folder: Path, full_disk: Callable[[bool], None]
) -> None:
    full_disk(True)
    client = make()
    client.identify("u1")
    client.track("E")
    assert client.flush()
    assert [event["userId"] for event in wire.kept] == ["u1", "u1"]
    assert not (folder / FILE).exists() and not (folder / COPY).exists()
    full_disk(False)
    client.track("E")
    assert client.flush()
    client.close()
    again = make()
    assert (again.user_id, again.anonymous_id) == ("u1", client.anonymous_id)


def test_events_that_the_full_disk_did_not_take_are_told_of_at_the_end(
    make: MakeClient, wire: Wire, errors: list[Any], full_disk: Callable[[bool], None]
) -> None:
    wire.answers = [OSError("no network")] * 100
    full_disk(True)
    client = make()
    client.track("E", {"n": 1})
    client.close(0.3)
    assert [[event["properties"] for event in lost] for _, lost in errors] == [[{"n": 1}]]


def test_a_folder_that_is_a_file_or_read_only_is_survived(make: MakeClient, wire: Wire, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for folder in (tmp_path / "file", Path("/proc/satsuma")):
        client = make(folder=folder)
        client.identify("u1")
        client.track("E")
        assert client.flush()
        assert (client.user_id, client.anonymous_id) == ("u1", wire.kept[-1]["anonymousId"])
    assert len(wire.kept) == 4
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_that_can_only_be_read_still_tells_who_it_is(folder: Path, make: MakeClient, monkeypatch: Any) -> None:
    client = make()
    client.identify("u1")
    client.close()
    opened = os.open

    def read_only(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR):
            raise OSError(errno.EROFS, "Read-only file system")
        return opened(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", read_only)
    assert make().user_id == "u1"


def test_a_stopped_process_that_has_the_lock_holds_up_nobody(
    folder: Path, make: MakeClient, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity_file, "LOCK_PATIENCE", 0.1)
    script = (
        "import sys, fcntl; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX); print('x', flush=True); input()"
    )
    folder.mkdir()
    command = [sys.executable, "-c", script, str(folder / LOCK)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"x\n"
        client = make()
        for _ in range(20):
            client.track("E")
        assert client.flush(60)
        process.kill()
    assert len(wire.kept) == 20


def test_what_another_version_has_kept_beside_stays(folder: Path, make: MakeClient) -> None:
    keep(folder, something_new="5")
    client = make()
    client.identify("u1")
    client.close()
    assert kept(folder, "something_new") == "5"
    shutil.copytree(folder, folder.parent / "copy")
    assert make(folder=folder.parent / "copy").user_id == "u1"
