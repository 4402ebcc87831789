"""Files of events, in a folder and in a storage of fsspec."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from pathlib import Path
from typing import Any

import fsspec
import pyarrow.parquet as pq
import pytest
from destinations.receiver import is_done, status, track, until, working, write
from satsuma_server.destinations.runner import Runner


def lake(path: str | Path, **more: Any) -> dict[str, Any]:
    return {"name": "crm", "type": "files", "path": str(path), "gather_seconds": 0, **more}


def test_a_folder_gets_whole_files_that_are_the_same_when_they_are_written_again(tmp_path: Path) -> None:
    (data := tmp_path / "data").mkdir()
    target = tmp_path / "lake"
    write(data, [track("1"), track("2", "bob")])
    with working(data, lake(target)) as worker:
        until(lambda: is_done(worker, 2))
        files = list(target.rglob("*.*"))
        worker.post("/v1/destinations/crm/replay", json={"seq": 1}).raise_for_status()
        until(lambda: status(worker)["counts"]["delivered"] == 4)
    assert list(target.rglob("*.*")) == files
    assert [file.parent.name for file in files] == ["date=2026-11-29"]
    events = [json.loads(line) for line in gzip.decompress(files[0].read_bytes()).splitlines()]
    assert [(event["messageId"], event["seq"], event["writeKey"]) for event in events] == [
        ("1", 1, "shop"),
        ("2", 2, "shop"),
    ]


def test_parquet_files_have_the_same_columns_whatever_the_events_have(tmp_path: Path) -> None:
    (data := tmp_path / "data").mkdir()
    odd = {"type": "identify", "messageId": "2", "userId": 42, "traits": {"n": [1]}, "timestamp": "never"}
    write(data, [track("1", properties={"total": 20})])
    with working(data, lake(tmp_path / "lake", format="parquet")) as worker:
        until(lambda: is_done(worker, 1))
        write(data, [odd])
        until(lambda: is_done(worker, 2))
    table = pq.read_table(tmp_path / "lake")
    rows = sorted(table.to_pylist(), key=lambda row: row["seq"])
    assert [row["userId"] for row in rows] == ["ann", "42"]
    assert json.loads(rows[0]["properties"]) == {"total": 20}
    assert json.loads(rows[1]["traits"]) == {"n": [1]}
    assert rows[0]["timestamp"].isoformat() == "2026-11-29T06:00:00+00:00"
    assert rows[1]["timestamp"] is None


def test_another_storage_and_one_that_is_not_there(tmp_path: Path) -> None:
    write(tmp_path, [track("1")])
    unknown = lake("unknown://bucket", name="unknown")
    with working(tmp_path, lake("memory://lake"), unknown) as worker:
        until(lambda: is_done(worker, 1))
        assert status(worker, "unknown")["state"] == "broken"
        assert "Protocol not known: unknown" in status(worker, "unknown")["problem"]
    storage = fsspec.filesystem("memory")
    assert len(storage.find("lake")) == 1


def test_a_disk_that_is_full_holds_the_events_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import satsuma_server.destinations.kinds.files as files

    (data := tmp_path / "data").mkdir()
    write(data, [track("1")])
    whole = files._write_durably

    def full(target: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "_write_durably", full)
    with working(data, lake(tmp_path / "lake")) as worker:
        until(lambda: "No space left" in (status(worker)["problem"] or ""))
        monkeypatch.setattr(files, "_write_durably", whole)
        until(lambda: is_done(worker, 1))
    assert len(list((tmp_path / "lake").rglob("*.ndjson.gz"))) == 1


def test_events_that_come_soon_after_each_other_share_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    came, gathers = threading.Event(), threading.Event()

    async def gather(runner: Runner) -> None:
        gathers.set()
        while not came.is_set():
            await asyncio.sleep(0.01)

    monkeypatch.setattr(Runner, "_gather", gather)
    (data := tmp_path / "data").mkdir()
    write(data, [track("1")])
    with working(data, lake(tmp_path / "lake", gather_seconds=2)) as worker:
        assert gathers.wait(60)
        write(data, [track("2")])
        came.set()
        until(lambda: is_done(worker, 2))
    assert len(list((tmp_path / "lake").rglob("*.ndjson.gz"))) == 1
