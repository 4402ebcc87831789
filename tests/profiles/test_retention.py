"""People who were not seen for longer than they are kept: gone, also from the file, while all others stay."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from profiles.people import START, People, body
from satsuma_server.identity.rules import ProfileSettings
from satsuma_server.log import Arrivals
from satsuma_server.log.sqlite import SqliteLog
from satsuma_server.privacy.erasure_check import find_in_files
from satsuma_server.profiles.projection import Profiles
from satsuma_server.profiles.store import expiry
from satsuma_server.profiles.store.expiry import Old
from satsuma_server.settings import Settings

DAY = 86_400_000


def expire(people: People, before: int, seq: int) -> int:
    """Do what the projection does; return how many identifiers are gone."""
    gone = 0
    for work in (people.store.expire, people.store.expire_moments):
        after: int | None = 0
        while after is not None:
            done = work(after, Old(before, seq))
            gone += done.count if work == people.store.expire else 0
            after = done.next
    people.store.clean()
    return gone


def count(people: People, table: str) -> int:
    return int(people.database.run(f"SELECT count(*) FROM {table}")[0][0])


def test_people_go_who_were_not_seen_since_and_nobody_else(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry, "NODES_A_PORTION", 3)
    monkeypatch.setattr(expiry, "MOST_REMOVED", 2)
    monkeypatch.setattr(expiry, "MOMENTS_A_PORTION", 2)
    people.see("identify", "gone", "gone-device", traits={"name": "Gone"})
    people.see("track", "gone", "gone-phone")
    people.see("identify", "came-back", "old-device", traits={"name": "Back"})
    people.see("page", None, "never-back")
    # Who shared a device, so that a refused link leads from somebody who goes to somebody who stays.
    people.see("track", "shares", "gone-device")
    people.see("identify", "known", "device")
    people.see("track", "came-back", "new-device", at=START + 9 * DAY)
    people.see("track", "shares", at=START + 9 * DAY)
    # Since then seen by the device alone.
    people.see("page", None, "device", at=START + 9 * DAY)
    # Imported: it happened long ago, and came just now.
    people.see("track", "imported", at=START - 900 * DAY)
    usage = people.ask.usage()

    assert expire(people, START + DAY, 9) == 4
    assert people.everybody() == {
        frozenset({"user_id:came-back", "anonymous_id:old-device", "anonymous_id:new-device"}),
        frozenset({"user_id:shares"}),
        frozenset({"user_id:known", "anonymous_id:device"}),
        frozenset({"user_id:imported"}),
    }
    assert people.profile("user_id", "came-back").traits == {"name": "Back"}
    # Numbers of tracked users name nobody, and stay.
    assert people.ask.usage() == usage
    # Of those who stay, no times of old visits are left.
    assert [seq for seq, _, _ in people.ask.timeline(people.profile("user_id", "came-back").number, 9, _end())] == [7]
    assert count(people, "moments") == 4
    for column in ("edges.left_node", "edges.right_node", "traits.node", "names.node"):
        table, _, name = column.partition(".")
        query = f"SELECT count(*) FROM {table} WHERE {name} NOT IN (SELECT number FROM nodes)"
        assert people.database.run(query) == [(0,)], column
    # Who comes again begins anew.
    people.see("track", "gone", "gone-device", at=START + 10 * DAY)
    assert people.ids("user_id", "gone") == {"user_id:gone", "anonymous_id:gone-device"}
    assert people.profile("user_id", "gone").traits == {}


def test_whole_profiles_go_whatever_their_order(make_people: Callable[..., People]) -> None:
    people = make_people()
    for number in range(40):
        people.see("identify", f"u{number}", f"a{number}", at=START + (number % 2) * 9 * DAY)
    assert expire(people, START + DAY, 40) == 40
    assert len(people.everybody()) == 20
    assert expire(people, START + DAY, 40) == 0


def test_nothing_of_them_stays_in_the_files_though_the_process_ended_in_between(tmp_path: Path) -> None:
    people = People(tmp_path)
    for number in range(300):
        name = f"marker-{number:04}" if number % 3 else f"stays-{number:04}"
        at = START if number % 3 else START + 9 * DAY
        people.see("identify", name, f"{name}-device", traits={"email": f"{name}@shop.example"}, at=at)
    assert find_in_files(tmp_path, ["marker-"])
    people.store.expire(0, Old(START + DAY, 300))
    people.store.close()
    # The process ended before the file was written anew, and nothing more is to be removed.
    again = People(tmp_path)
    assert expire(again, START + DAY, 300) == 0
    assert find_in_files(tmp_path, ["marker-"]) == []
    assert len(again.everybody()) == 100
    again.store.close()


def test_the_projection_takes_the_time_from_the_log(tmp_path: Path) -> None:
    now = time.time() * 1000

    def seen(number: int, user: str, age: float) -> tuple[float, bytes]:
        return now - age * DAY, body(number, "track", user, at=int(now - age * DAY))

    async def append(log: SqliteLog, *seen: tuple[float, bytes]) -> None:
        for at, line in seen:
            await log.append(Arrivals("web", at, [json.loads(line)["messageId"]], [line]))

    async def run() -> None:
        log = SqliteLog(tmp_path)
        imported: dict[str, Any] = {**json.loads(seen(4, "imported", 50)[1]), "receivedAt": "2999-01-01T00:00:00Z"}
        await append(log, seen(1, "ann", 40), seen(2, "bob", 40), seen(3, "bob", 2))
        await append(log, (now, json.dumps(imported).encode()))
        profiles = Profiles(Settings(tmp_path, profiles=ProfileSettings()), log)
        await profiles.start()
        while profiles.version == 0:
            await asyncio.sleep(0.01)
        assert await profiles.expire(now - 30 * DAY) == 1
        users = {one.key.value for profile in (await profiles.recent()).items for one in profile.identifiers}
        assert users == {"bob", "imported"}
        await profiles.stop()
        await log.close()

    asyncio.run(run())


def _end() -> Any:
    from satsuma_server.profiles.store.queries import Place

    return Place(2**62, 2**62)
