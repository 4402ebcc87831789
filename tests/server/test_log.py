"""The log: what is kept, in which order, how often, and what is left of a damaged file."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from satsuma_server.errors import BusyError, UnavailableError
from satsuma_server.log import Arrivals, Refused, Stored
from satsuma_server.log.database import FILE, connect
from satsuma_server.log.dedupe import RECENT, MessageIds
from satsuma_server.log.erasure import empty_wal
from satsuma_server.log.follower import Follower
from satsuma_server.log.maintenance import trim
from satsuma_server.log.reader import off_loop
from satsuma_server.log.sqlite import SqliteLog

DAY = 86_400_000


def arrivals(*ids: str, source: str = "demo", at: float | None = None) -> Arrivals:
    bodies = [b'{"messageId":"%s"}' % one.encode() for one in ids]
    return Arrivals(source, time.time() * 1000 if at is None else at, list(ids), bodies)


def with_log(data: Path, work: Callable[[SqliteLog], Awaitable[None]], **options: float) -> None:
    async def run() -> None:
        log = SqliteLog(data, **options)  # type: ignore[arg-type]
        try:
            await work(log)
        finally:
            await log.close()

    asyncio.run(run())


def test_events_are_read_in_order_with_numbers_that_go_on_after_a_restart(tmp_path: Path) -> None:
    async def first(log: SqliteLog) -> None:
        assert await log.append(arrivals("a", "b")) == 2
        assert await log.append(arrivals("c", source="other")) == 1

    async def second(log: SqliteLog) -> None:
        await log.append(arrivals("d"))
        stored = await log.read()
        assert [(one.seq, one.source) for one in stored] == [(1, "demo"), (2, "demo"), (3, "other"), (4, "demo")]
        assert [one.seq for one in await log.read(after=1, limit=2)] == [2, 3]

    with_log(tmp_path, first)
    with_log(tmp_path, second)


def test_the_write_ahead_log_stays_short_while_events_come_without_pause(tmp_path: Path) -> None:
    """A disk takes several times as long to make a file longer as to write over what it has."""
    pad = b'{"pad":"%s"}' % (b"x" * 500_000)

    async def send(log: SqliteLog, sender: str) -> None:
        for number in range(64):
            await log.append(Arrivals(sender, time.time() * 1000, [str(number)], [pad]))

    async def work(log: SqliteLog) -> None:
        await asyncio.gather(*(send(log, sender) for sender in "abcd"))
        assert (tmp_path / f"{FILE}-wal").stat().st_size < 64 << 20

    async def again(log: SqliteLog) -> None:
        assert log.last == 4 * 64
        assert len(await log.read(limit=10_000)) == 4 * 64

    with_log(tmp_path, work)
    with_log(tmp_path, again)


def test_a_message_is_kept_once_a_source_within_the_window(tmp_path: Path) -> None:
    async def work(log: SqliteLog) -> None:
        assert await log.append(arrivals("a", "a", "b")) == 2
        assert await log.append(arrivals("b", "c")) == 1
        assert await log.append(arrivals("a", source="other")) == 1

    async def again(log: SqliteLog) -> None:
        assert await log.append(arrivals("a", "b", "d")) == 1

    with_log(tmp_path, work)
    with_log(tmp_path, again)


def test_message_ids_are_found_in_every_run_until_they_leave_the_window() -> None:
    seen = MessageIds(window=1000, most=10 * RECENT)
    for part in range(5):
        seen.remember(range(part * RECENT, (part + 1) * RECENT), at=100.0 * part)
    assert not any(seen.unseen([0, RECENT - 1, RECENT, 3 * RECENT + 7, 5 * RECENT - 1]))
    assert seen.unseen([-1, 5 * RECENT, 5 * RECENT]) == [True, True, False]
    seen.remember(range(-RECENT, 0), at=5000.0)
    assert all(seen.unseen([0, 3 * RECENT]))


def test_message_ids_take_no_more_room_than_they_may() -> None:
    seen = MessageIds(window=1e12, most=3 * RECENT)
    for part in range(20):
        seen.remember(range(part * RECENT, (part + 1) * RECENT), at=float(part))
    assert len(seen) <= 3 * RECENT
    assert not any(seen.unseen([20 * RECENT - 1]))


def test_refused_events_are_kept_with_their_reason(tmp_path: Path) -> None:
    async def work(log: SqliteLog) -> None:
        await log.append(Arrivals("demo", 1.0, refused=[Refused(".event is missing", b"{\xff}")]))
        [letter] = await log.dead_letters()
        assert (letter.source, letter.reason, letter.raw) == ("demo", ".event is missing", b"{\xff}")

    with_log(tmp_path, work)


def test_a_log_that_falls_behind_asks_to_come_back(tmp_path: Path) -> None:
    async def work(log: SqliteLog) -> None:
        answers = await asyncio.gather(
            *(log.append(arrivals(*(f"{n}-{i}" for i in range(40)))) for n in range(5)), return_exceptions=True
        )
        assert [type(answer) for answer in answers if not isinstance(answer, int)] == [BusyError] * 3
        assert log.pending == 0
        assert await log.append(arrivals("later")) == 1

    with_log(tmp_path, work, max_pending=100)


def test_a_follower_goes_on_where_it_stopped_and_insists_on_what_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("satsuma_server.backoff.FIRST_SECONDS", 0.001)
    got: list[int] = []

    async def collect(log: SqliteLog, until: int, fail_first: bool) -> None:
        done = asyncio.Event()
        failures = [True] if fail_first else []

        async def handle(events: Sequence[Stored]) -> None:
            if failures:
                failures.pop()
                raise RuntimeError("not now")
            got.extend(event.seq for event in events)
            if got[-1] >= until:
                done.set()

        follower = Follower(log, "test", handle)
        follower.start()
        async with asyncio.timeout(60):
            await done.wait()
            while await log.cursor("test") < until:
                await asyncio.sleep(0.005)
        await follower.stop()

    async def first(log: SqliteLog) -> None:
        await log.append(arrivals("a", "b"))
        await collect(log, 2, fail_first=True)

    async def second(log: SqliteLog) -> None:
        follow = asyncio.create_task(collect(log, 3, fail_first=False))
        await asyncio.sleep(0)
        await log.append(arrivals("c"))
        await follow

    with_log(tmp_path, first)
    with_log(tmp_path, second)
    assert got == [1, 2, 3]


def test_a_follower_misses_nothing_that_comes_while_it_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(log: SqliteLog) -> None:
        read = log.read

        async def read_slowly(after: int, limit: int, most_bytes: int | None = None) -> list[Stored]:
            found = await read(after, limit, most_bytes)
            if log.last == 0:
                await log.append(arrivals("late"))
            return found

        monkeypatch.setattr(log, "read", read_slowly)
        async with asyncio.timeout(60):
            assert [event.seq for event in await anext(log.follow())] == [1]

    with_log(tmp_path, work)


def test_retention_removes_the_old_but_nothing_that_a_follower_has_not_seen(tmp_path: Path) -> None:
    now = time.time() * 1000

    async def work(log: SqliteLog) -> None:
        for name, age in (("old", 3), ("older", 2), ("new", 0)):
            await log.append(arrivals(name, at=now - age * DAY))
        await log.save_cursor("slow", 1)
        await log._submit(task=trim(DAY, now))
        assert [event.seq for event in await log.read()] == [2, 3]
        await log.save_cursor("slow", 3)
        await log._submit(task=trim(DAY, now))
        assert [event.seq for event in await log.read()] == [3]

    with_log(tmp_path, work)


def test_retention_removes_old_refused_events_too(tmp_path: Path) -> None:
    now = time.time() * 1000

    async def work(log: SqliteLog) -> None:
        for name, age in (("old", 3), ("new", 0)):
            refused = [Refused("not an event", f'"{name}"'.encode())]
            await log.append(Arrivals("s", now - age * DAY, refused=refused))
        await log._submit(task=trim(None, now))
        assert [letter.raw for letter in await log.dead_letters()] == [b'"old"', b'"new"']
        await log._submit(task=trim(DAY, now))
        assert [letter.raw for letter in await log.dead_letters()] == [b'"new"']

    with_log(tmp_path, work)


def test_nothing_of_old_events_stays_in_the_files_not_even_of_the_newest(tmp_path: Path) -> None:
    now = time.time() * 1000

    def held(name: str) -> list[str]:
        return [one.name for one in tmp_path.iterdir() if name.encode() in one.read_bytes()]

    async def work(log: SqliteLog) -> None:
        for number in range(200):
            block = arrivals(*(f"marker-{number}-{one}" for one in range(number % 40 + 1)), at=now - 3 * DAY)
            block.bodies = [body[:-1] + b',"pad":"%s"}' % (b"marker" * 50) for body in block.bodies]
            await log.append(block)
            refused = [Refused("is wrong", b"marker" * number)]
            await log.append(Arrivals("s", now - 3 * DAY, refused=refused))
            if number == 100:
                last = log.last
        await log._submit(task=trim(DAY, now))
        assert await log.read() == []
        # Nobody has come since: the place of the newest event is known all the same, and the next one is behind it.
        before = log.last
        await log.append(arrivals("young"))
        assert [event.seq for event in await log.read(after=last)] == [before + 1]
        await log._submit(task=trim(DAY, now))
        await off_loop(lambda: empty_wal(tmp_path / FILE))
        assert held("marker") == []
        assert held("young")

    with_log(tmp_path, work)

    async def again(log: SqliteLog) -> None:
        assert [event.body for event in await log.read()] == [b'{"messageId":"young"}']

    with_log(tmp_path, again)


@pytest.mark.parametrize("where", ["last page", "in a block"])
def test_a_damaged_log_loses_no_more_than_what_is_damaged(tmp_path: Path, where: str) -> None:
    async def fill(log: SqliteLog) -> None:
        for number in range(20):
            block = arrivals(*(f"{number}-{one}" for one in range(50)))
            block.bodies = [body[:-1] + b',"pad":"%s"}' % (b"x" * 500) for body in block.bodies]
            await log.append(block)

    with_log(tmp_path, fill)
    path = tmp_path / FILE
    with connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size - 4096 if where == "last page" else size // 8192 * 4096)
        file.write(b"\xa5" * 4096)
    with connect(path) as connection:
        connection.execute("UPDATE state SET value = 'open'")

    async def look(log: SqliteLog) -> None:
        stored = await log.read(limit=10_000)
        # One page may hold the heads of a few blocks.
        assert 700 <= len(stored) < 1000
        assert len({event.seq for event in stored}) == len(stored)
        assert await log.append(arrivals("after")) == 1
        assert (await log.read(after=stored[-1].seq))[-1].body == b'{"messageId":"after"}'

    with_log(tmp_path, look)


def test_a_file_that_is_no_log_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("my novel\n" * 1000)
    with pytest.raises(UnavailableError, match="not a log"):
        SqliteLog(tmp_path)
    assert (tmp_path / FILE).read_text().startswith("my novel")
