"""Rows that are older than they are kept: gone from the tables, from the file, and from the copy."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest
from satsuma_server.errors import BadRequestError, UnavailableError
from satsuma_server.log.maintenance import trim
from satsuma_server.log.shared import SharedLog
from satsuma_server.log.sqlite import SqliteLog
from satsuma_server.settings import Settings
from satsuma_server.times import parse_time
from satsuma_server.warehouse import FILE, FOLDER
from satsuma_server.warehouse.load import expire
from satsuma_server.warehouse.projection import WarehouseProjection
from warehouse.made import event, stored, warehouse
from warehouse.test_durability import fill
from warehouse.test_mirror import mirror, rows_here, rows_there

OLD = dict.fromkeys(("receivedAt", "timestamp", "sentAt", "originalTimestamp"), "2024-01-02T03:04:05.678Z")
SINCE = parse_time("2025-01-01T00:00:00Z") or 0.0
MARKER = "joe.visitor.7391@thissite.com"


def old(seq: int, kind: str = "track", **more: Any) -> dict[str, Any]:
    return event(seq, kind, **{**OLD, **more})


EVENTS = [
    old(1, "identify", userId="joe", traits={"email": MARKER}),
    old(2, "identify", userId="ann", traits={"plan": "free", "note": MARKER}),
    *[old(seq, properties={"note": f"{MARKER} {seq}"}) for seq in range(3, 60)],
    old(60, "group", userId="joe", groupId="g", traits={"note": MARKER}),
    # Imported: it happened long ago, and was received just now.
    event(61, timestamp=OLD["timestamp"], originalTimestamp=OLD["timestamp"]),
    event(62, "identify", userId="ann", traits={"plan": "paid"}),
]


def holds(folder: Path) -> list[str]:
    return [one.name for one in folder.rglob("*") if one.is_file() and MARKER.encode() in one.read_bytes()]


@pytest.fixture(autouse=True)
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expire, "ROWS_A_PORTION", 7)


def test_rows_go_by_the_time_they_were_received(tmp_path: Path) -> None:
    fill(tmp_path, EVENTS)

    async def work() -> None:
        log = SharedLog(tmp_path)
        part = WarehouseProjection(Settings(tmp_path), log)
        await part.load_all()
        assert holds(tmp_path / FOLDER)
        # Each track has a row in `tracks` and one in the table of its event.
        assert await part.expire(SINCE) == 2 + 2 * 57 + 1
        for table, seqs in (("tracks", [61]), ("tried", [61]), ("identifies", [62]), ("groups", [])):
            assert (await part.query(f"SELECT seq FROM demo.{table}")).rows == [[seq] for seq in seqs], table
        # As after a rebuild from a log that has only the newer events.
        assert (await part.query("SELECT id, plan FROM demo.users")).rows == [["ann", "paid"]]
        assert (await part.query("SELECT count(*) FROM demo.accounts")).rows == [[0]]
        assert holds(tmp_path / FOLDER) == []
        inode = (tmp_path / FOLDER / FILE).stat().st_ino
        assert await part.expire(SINCE) == 0
        # Where nothing was deleted, the file is not written anew.
        assert (tmp_path / FOLDER / FILE).stat().st_ino == inode
        await part.stop()
        await log.close()

    asyncio.run(work())
    assert holds(tmp_path / FOLDER) == []
    with warehouse(tmp_path / FOLDER) as made:
        assert made.ask("SELECT count(*) FROM _satsuma.message_ids") == [(2,)]
        made.loader.load(stored([event(63)]))
        assert made.ask("SELECT seq FROM demo.tracks ORDER BY seq") == [(61,), (63,)]


def test_the_file_is_written_anew_though_the_process_ended_before(tmp_path: Path) -> None:
    fill(tmp_path, EVENTS)

    async def work(*, is_first: bool) -> None:
        log = SharedLog(tmp_path)
        part = WarehouseProjection(Settings(tmp_path), log)
        await part.load_all()
        if is_first:
            while await part._expire_some(SINCE):
                pass
        else:
            assert await part.expire(SINCE) == 0
        await part.stop()
        await log.close()

    asyncio.run(work(is_first=True))
    assert holds(tmp_path / FOLDER)
    asyncio.run(work(is_first=False))
    assert holds(tmp_path / FOLDER) == []


def test_a_file_that_can_not_be_written_anew_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a full disk: the rows are gone, questions are answered, and nothing half-written takes room."""

    class Full:
        def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
            self._connection = connection

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: object) -> None:
            self._connection.close()

        def execute(self, statement: str) -> None:
            self._connection.execute(statement)
            if statement.startswith("COPY"):
                raise duckdb.IOException("no space left on device")

    with warehouse(tmp_path / FOLDER) as made:
        made.load(*EVENTS)
        while made.loader.expire(SINCE):
            pass
        connect = duckdb.connect
        with monkeypatch.context() as patch:
            patch.setattr(duckdb, "connect", lambda *args, **more: connect(*args, **more) if args else Full(connect()))
            with pytest.raises(duckdb.IOException):
                made.database.rewrite()
        assert made.ask("SELECT seq FROM demo.tracks") == [(61,)]
        assert not list((tmp_path / FOLDER).glob("*.new*"))


def test_rows_that_would_go_today_are_no_reason_to_refuse_a_rebuild(tmp_path: Path) -> None:
    fill(tmp_path, EVENTS[:60])
    fill(tmp_path, [event(61, "page")])

    async def work() -> None:
        log = SharedLog(tmp_path)
        part = WarehouseProjection(Settings(tmp_path, retention_days=10_000), log)
        await part.load_all()
        writer = SqliteLog(tmp_path)
        await writer.save_cursor("slow", 60)
        await writer._submit(task=trim(0, 1e15))
        await writer.close()
        with pytest.raises(BadRequestError, match="--even-without"):
            await part.rebuild()
        part._settings = Settings(tmp_path, retention_days=(time.time() * 1000 - SINCE) / 86_400_000)
        await part.rebuild()
        await part.stop()
        await log.close()

    asyncio.run(work())


def test_the_copy_in_another_database_loses_them_too(tmp_path: Path, postgres: str) -> None:
    with warehouse(tmp_path) as made:
        made.loader.load(stored([{**one, "source": "kept"} for one in EVENTS]))
        copy = mirror(made, tmp_path, postgres)
        copy.copy()
        while made.loader.expire(SINCE):
            pass
        copy.expire(SINCE)
        assert rows_there(postgres, made) == rows_here(made)
        assert len(rows_here(made)["tracks"]) == 1


def test_a_copy_that_was_down_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, EVENTS)
    asked: list[float] = []

    class Down:
        def expire(self, before: float) -> None:
            asked.append(before)
            if len(asked) == 1:
                raise UnavailableError("postgres can't be written")

    async def work() -> None:
        log = SharedLog(tmp_path)
        part = WarehouseProjection(Settings(tmp_path), log)
        await part.load_all()
        monkeypatch.setattr(part, "_mirror", Down())
        with pytest.raises(UnavailableError):
            await part.expire(SINCE)
        assert holds(tmp_path / FOLDER) == []
        assert await part.expire(SINCE + 1) == 0
        await part.expire(SINCE + 2)
        assert asked == [SINCE, SINCE + 1]
        monkeypatch.setattr(part, "_mirror", None)
        await part.stop()
        await log.close()

    asyncio.run(work())
