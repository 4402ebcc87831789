"""Killed in the middle of a load, asked to forget, given a disk that is full: nothing twice, nothing lost."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
from satsuma_server.errors import BadRequestError
from satsuma_server.log import Arrivals, Stored
from satsuma_server.log.maintenance import trim
from satsuma_server.log.shared import SharedLog
from satsuma_server.log.sqlite import SqliteLog
from satsuma_server.settings import Settings
from satsuma_server.warehouse import CURSOR, FILE, FOLDER
from satsuma_server.warehouse.load.loader import Loader
from satsuma_server.warehouse.projection import WarehouseProjection
from warehouse.made import event, warehouse

EVENTS, KILLS = 3_000, 3
CHILD = """
import asyncio, sys
from pathlib import Path
from satsuma_server.log.shared import SharedLog
from satsuma_server.settings import Settings
from satsuma_server.warehouse import projection
projection.MOST_EVENTS = 100
async def main():
    folder = Path(sys.argv[1])
    warehouse = projection.WarehouseProjection(Settings(folder), SharedLog(folder))
    print("open", flush=True)
    await warehouse.load_all()
asyncio.run(main())
"""


def fill(folder: Path, events: list[dict[str, object]]) -> None:
    async def work() -> None:
        log = SqliteLog(folder)
        bodies = [json.dumps({name: value for name, value in one.items() if name != "seq"}).encode() for one in events]
        await log.append(Arrivals("demo", 1.0, [str(one["messageId"]) for one in events], bodies))
        await log.close()

    asyncio.run(work())


def mixed(total: int) -> list[dict[str, object]]:
    chance = Random(3)
    made = []
    for seq in range(1, total + 1):
        own = {chance.choice("abcd"): chance.choice([seq, seq / 2, "text", None])}
        kind = chance.choice(["track", "identify", "page"])
        made.append(event(seq, kind, userId=f"u{seq % 50}", event=f"E{seq % 7}", properties=own, traits=own))
    return made


def test_a_load_that_is_killed_again_and_again_leaves_each_event_once(tmp_path: Path) -> None:
    fill(tmp_path, mixed(EVENTS))
    chance = Random(5)
    for _ in range(KILLS):
        with subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"open\n"
            try:
                # However fast this machine is: some kills come early, some late, and one may come after the end.
                child.wait(chance.uniform(0.05, 0.6))
            except subprocess.TimeoutExpired:
                child.kill()
        with warehouse(tmp_path / FOLDER) as made:
            cursor = made.loader.cursor
            for table in ("tracks", "identifies", "pages"):
                if ("demo", table) in made.loader.catalog.tables:
                    [(rows, ids, last)] = made.ask(f"SELECT count(*), count(DISTINCT id), max(seq) FROM demo.{table}")
                    assert rows == ids
                    assert last is None or last <= cursor
    subprocess.run([sys.executable, "-c", CHILD, str(tmp_path)], check=True, capture_output=True)
    with warehouse(tmp_path / FOLDER) as made:
        after_kills = made.everything()
        assert made.ask("SELECT count(*) FROM _satsuma.message_ids") == [(EVENTS,)]
    with warehouse(tmp_path / "undisturbed") as made:
        made.load(*mixed(EVENTS))
        assert made.everything() == after_kills


def test_a_file_left_by_a_crash_after_a_column_became_wider_can_be_opened(tmp_path: Path) -> None:
    child = """
import os, sys
from pathlib import Path
from warehouse.made import Made, event
made = Made(Path(sys.argv[1]))
for seq, value in enumerate([3, 4.5, "text"], 1):
    made.load(event(seq, properties={"n": value}))
os._exit(1)
"""
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    subprocess.run([sys.executable, "-c", child, str(tmp_path)], env=env)
    assert (tmp_path / f"{FILE}.wal").exists()
    with warehouse(tmp_path) as made:
        assert made.ask("SELECT n FROM demo.tried ORDER BY seq") == [("3",), ("4.5",), ("text",)]


@pytest.mark.parametrize("what", ["no database", "damaged pages"])
def test_a_damaged_file_is_put_aside_and_built_anew(tmp_path: Path, what: str) -> None:
    with warehouse(tmp_path) as made:
        made.load(event(1))
    file = tmp_path / FILE
    whole = file.read_bytes()
    file.write_bytes(b"my novel " * 9000 if what == "no database" else whole[:12288] + b"\xa5" * (len(whole) - 12288))
    with warehouse(tmp_path) as made:
        assert made.loader.cursor == 0
        made.load(event(1))
        assert made.ask("SELECT count(*) FROM demo.tried") == [(1,)]
        assert (tmp_path / "warehouse.damaged-1.duckdb").exists()
        copy = made.database.copy()
        made.database.rewrite()
        assert not (tmp_path / "warehouse.damaged-1.duckdb").exists()
        assert not copy.exists(), "a backup that was killed has left it"


def test_a_file_that_another_has_is_left_alone(tmp_path: Path) -> None:
    with warehouse(tmp_path) as made:
        made.load(event(1))
        child = "import sys; from pathlib import Path; from satsuma_server.warehouse.database import Database;"
        child += "Database(Path(sys.argv[1]))"
        done = subprocess.run([sys.executable, "-c", child, str(tmp_path)], capture_output=True, text=True)
        assert "UnavailableError" in done.stderr
        assert made.ask("SELECT count(*) FROM demo.tried") == [(1,)]
    assert not (tmp_path / "warehouse.damaged-1.duckdb").exists()


def test_a_load_that_fails_is_done_again_as_if_nothing_had_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with warehouse(tmp_path) as made:
        made.load(event(1, properties={"n": 1}))
        with monkeypatch.context() as patch:
            patch.setattr("satsuma_server.warehouse.load.loader.set_state", lambda *_, **__: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                made.load(event(2, "identify", userId="u", traits={"x": 1}), event(3, properties={"n": "text"}))
        assert made.loader.cursor == 1
        assert made.ask("SELECT count(*) FROM demo.tried") == [(1,)]
        made.load(event(2, "identify", userId="u", traits={"x": 1}), event(3, properties={"n": "text"}))
        assert made.ask("SELECT n FROM demo.tried ORDER BY seq") == [("1",), ("text",)]
        assert made.ask("SELECT x FROM demo.users") == [(1,)]


def test_a_portion_that_fails_while_the_next_is_built_goes_in_again_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, mixed(500))
    monkeypatch.setattr("satsuma_server.warehouse.projection.MOST_EVENTS", 100)
    build, put = Loader.build, Loader.put
    is_third_built = threading.Event()
    builds, puts = count(1), count(1)

    def note(self: Loader, events: Sequence[Stored]) -> Any:
        portion = build(self, events)
        if next(builds) == 3:
            is_third_built.set()
        return portion

    def fail_once(self: Loader, portion: Any) -> None:
        if next(puts) == 2:
            assert is_third_built.wait(60), "nothing was built while this one went in"
            raise ZeroDivisionError
        put(self, portion)

    monkeypatch.setattr(Loader, "build", note)
    monkeypatch.setattr(Loader, "put", fail_once)

    async def work() -> None:
        log = SharedLog(tmp_path)
        part = WarehouseProjection(Settings(tmp_path), log)
        await part.load_all()
        assert (await part.status()).cursor == 500
        await part.stop()
        await log.close()

    asyncio.run(work())
    with warehouse(tmp_path / FOLDER) as made:
        disturbed = made.everything()
    with warehouse(tmp_path / "undisturbed") as made:
        made.load(*mixed(500))
        assert made.everything() == disturbed


def test_whoever_asks_to_forget_waits_for_a_portion_and_not_for_the_whole_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, mixed(500))
    monkeypatch.setattr("satsuma_server.warehouse.projection.MOST_EVENTS", 100)
    build = Loader.build
    is_built, may_go_on = threading.Event(), threading.Event()

    def wait(self: Loader, events: Sequence[Stored]) -> Any:
        portion = build(self, events)
        is_built.set()
        assert may_go_on.wait(60)
        return portion

    monkeypatch.setattr(Loader, "build", wait)

    async def work() -> None:
        log = SharedLog(tmp_path)
        part = WarehouseProjection(Settings(tmp_path), log)
        loading = asyncio.create_task(part.load_all())
        await asyncio.to_thread(is_built.wait, 60)
        forgetting = asyncio.create_task(part.forget(["u1"], []))
        await asyncio.sleep(0)
        may_go_on.set()
        await forgetting
        assert (await part.status()).cursor == 100
        await loading
        assert (await part.status()).cursor == 500
        await part.stop()
        await log.close()

    asyncio.run(work())


SECRET = "joe.visitor.7391@thissite.com"


def test_whoever_is_forgotten_is_gone_from_the_file(tmp_path: Path) -> None:
    fill(
        tmp_path,
        [
            event(1, "identify", userId="joe", anonymousId="phone", traits={"email": SECRET}),
            event(2, userId=None, anonymousId="phone", properties={"note": SECRET}),
            event(3, "alias", userId="joe2", previousId="joe", anonymousId=None),
            # Another one, who has used Joe's phone once.
            event(4, "identify", userId="ann", anonymousId="desk", traits={"plan": "free"}),
            event(5, "identify", userId="ann", anonymousId="phone", traits={"plan": "paid"}),
            event(6, userId="ann", anonymousId="desk"),
        ],
    )
    files = tmp_path / FOLDER

    def is_anywhere() -> bool:
        return any(SECRET.encode() in one.read_bytes() for one in files.rglob("*") if one.is_file())

    async def work() -> None:
        log = SharedLog(tmp_path)
        part = WarehouseProjection(Settings(tmp_path), log)
        await part.load_all()
        assert (await part.query(f"SELECT count(*) FROM demo.users WHERE email = '{SECRET}'")).rows == [[1]]
        assert is_anywhere()
        assert await part.forget(["joe"], ["phone"]) == 4
        assert (await part.query("SELECT id, plan FROM demo.users")).rows == [["ann", "paid"]]
        devices = await part.query("SELECT anonymous_id FROM demo.identifies ORDER BY seq")
        assert devices.rows == [["desk"], [None]]
        assert (await part.query("SELECT event FROM demo.tracks")).rows == [["tried"]]
        assert (await part.query("SELECT count(*) FROM demo.aliases")).rows == [[0]]
        assert not is_anywhere()
        await part.stop()
        await log.close()

    asyncio.run(work())
    assert not is_anywhere()
    assert sorted(one.name for one in files.iterdir()) == [FILE]


def test_what_the_log_no_longer_has_is_not_lost_by_a_rebuild(tmp_path: Path) -> None:
    fill(tmp_path, [event(seq) for seq in range(1, 6)])
    fill(tmp_path, [event(seq) for seq in range(6, 11)])

    async def work() -> None:
        log = SharedLog(tmp_path)
        part = WarehouseProjection(Settings(tmp_path), log)
        await part.load_all()
        writer = SqliteLog(tmp_path)
        await writer.save_cursor("slow", 9)
        await writer._submit(task=trim(0, 1e15))
        await writer.close()
        assert (await log.read(0))[0].seq == 6
        with pytest.raises(BadRequestError, match="--even-without"):
            await part.rebuild()
        assert (await part.status()).cursor == 10
        await part.rebuild(even_without=True)
        await part.load_all()
        assert (await part.query("SELECT min(seq), count(*) FROM demo.tracks")).rows == [[6, 5]]
        assert (await part.status()).lag == 0
        assert await log.cursor(CURSOR) == 10
        await part.stop()
        await log.close()

    asyncio.run(work())


def test_what_can_not_be_read_is_told_of_and_does_not_stop_the_rest(tmp_path: Path) -> None:
    with warehouse(tmp_path) as made:
        bad = [{**event(1), "timestamp": 7}, {**event(2), "context": [1]}, {"type": "track", "seq": 3}]
        made.load(*bad, event(4))
        assert made.ask("SELECT seq FROM demo.tracks") == [(4,)]
        assert [(one.what, one.count) for one in made.loader.notices()] == [("unreadable", 3)]
        # Nor where nothing else comes with it.
        made.load({**event(5), "timestamp": 7})
        assert made.loader.cursor == 5
        assert [(one.what, one.count) for one in made.loader.notices()] == [("unreadable", 4)]
