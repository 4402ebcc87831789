"""What every log promises, whatever it is kept in."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from log.places import Embedded, OnNats, Place
from satsuma_server.errors import BusyError, UnavailableError
from satsuma_server.log import WITHHELD, Arrivals, EventLog, Refused, Stored
from satsuma_server.log.follower import Follower
from satsuma_server.log.holds import BACKUP

pytestmark = pytest.mark.asyncio

KINDS = ["embedded", "nats"]
LARGE = "x" * 30_000
DAY = 86_400_000
PATIENCE = 60
"""Seconds that a test waits for what should happen at once. Nothing is measured by it."""


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "embedded":
        return Embedded(tmp_path / "log")
    return OnNats(request.getfixturevalue("nats_server"), f"test-{secrets.token_hex(4)}")


@asynccontextmanager
async def opened(place: Place, **options: Any) -> AsyncIterator[EventLog]:
    log = place.open(**options)
    try:
        yield log
    finally:
        await log.close()


def event(id: str, person: str = "ann", **more: Any) -> bytes:
    return json.dumps({"messageId": id, "userId": person, **more}).encode()


def arrivals(*ids: str, source: str = "demo", content: str = "a", **more: Any) -> Arrivals:
    """Return events with these messageIds; the same `content` makes them the same events."""
    bodies = [event(id, content=content, **more) for id in ids]
    return Arrivals(source, time.time() * 1000, [*ids], bodies, hashes=[content * 8 + "0" * 8] * len(ids))


async def ids_in(log: EventLog, after: int = 0) -> list[str]:
    return [json.loads(one.body)["messageId"] for one in await everything(log, after)]


async def everything(log: EventLog, after: int = 0) -> list[Stored]:
    found: list[Stored] = []
    while part := await log.read(found[-1].seq if found else after):
        found += part
    return found


class Forget:
    """Erases the events of one person, and takes their name out of the events of others."""

    def __init__(self, person: str) -> None:
        self._person = person.encode()

    def may_concern(self, block: bytes) -> bool:
        return self._person in block

    def redact(self, source: str, body: bytes) -> bytes:
        if self._person not in body:
            return body
        read = json.loads(body)
        if read["userId"].encode() == self._person:
            return b""
        return json.dumps({**read, "anonymousId": None}).encode()

    def names(self, text: bytes) -> bool:
        return self._person in text


# Acknowledged is stored


async def test_what_is_acknowledged_is_there_for_whoever_opens_the_log_next(place: Place) -> None:
    async with opened(place) as log:
        first, second = arrivals("a", "b"), arrivals("ü☃", source='o"ther\nsource')
        assert await log.append(first) == 2
        assert await log.append(second) == 1
        assert [one.body for one in await log.read()] == [*first.bodies, *second.bodies]
    async with opened(place) as log:
        stored = await log.read()
        assert [one.body for one in stored] == [*first.bodies, *second.bodies]
        assert [one.source for one in stored] == ["demo", "demo", 'o"ther\nsource']
        assert log.last in (0, stored[-1].seq)
        assert await log.append(arrivals("c")) == 1
        assert log.last > stored[-1].seq


async def test_a_request_may_have_thousands_of_events(place: Place) -> None:
    async with opened(place) as log:
        ids = [f"m{number}" for number in range(2_500)]
        assert await log.append(arrivals(*ids)) == 2_500
        assert await ids_in(log) == ids


async def test_a_full_log_says_so_and_takes_the_same_again_once_there_is_room(place: Place) -> None:
    async with opened(place) as log:
        assert await log.append(arrivals("before")) == 1
        await place.fill_up(log)
        large = [f"large{number}" for number in range(60)]
        with pytest.raises(UnavailableError):
            await log.append(arrivals(*large, pad=LARGE))
        assert await ids_in(log) == ["before"]
        await place.make_room(log)
        assert await log.append(arrivals(*large, pad=LARGE)) == 60
        assert await ids_in(log) == ["before", *large]


async def test_whatever_was_acknowledged_in_a_walk_with_faults_is_stored_once(place: Place) -> None:
    chance = random.Random(7)
    acknowledged: set[str] = set()

    async def send(log: EventLog, *ids: str) -> None:
        try:
            await log.append(arrivals(*ids, pad=LARGE))
        except (BusyError, UnavailableError):
            return
        acknowledged.update(ids)

    for round in range(3):
        async with opened(place, max_pending=300) as log:
            for part in range(4):
                full = part == chance.randrange(4)
                if full:
                    await place.fill_up(log)
                # Some come twice, as from a sender that got no answer, and some at once.
                names = [f"{round}.{part}.{number}" for number in range(20)]
                again = chance.sample([*acknowledged], min(5, len(acknowledged)))
                groups = itertools.batched([*names, *again, *names[:5]], 3)
                await asyncio.gather(*(send(log, *group) for group in groups))
                if full:
                    await place.make_room(log)
    async with opened(place) as log:
        found = await ids_in(log)
    assert len(found) == len(set(found))
    assert acknowledged <= set(found)
    assert len(acknowledged) > 100


async def test_a_log_that_falls_behind_asks_to_come_back(place: Place) -> None:
    async with opened(place, max_pending=100) as log:
        groups = [[f"{group}-{number}" for number in range(40)] for group in range(5)]
        answers = await asyncio.gather(*(log.append(arrivals(*ids)) for ids in groups), return_exceptions=True)
        assert [type(one) for one in answers] == [int, int, BusyError, BusyError, BusyError]
        assert log.pending == 0
        assert len(await ids_in(log)) == 80
        assert await log.append(arrivals("later")) == 1


async def test_a_closed_log_acknowledges_nothing(place: Place) -> None:
    async with opened(place) as log:
        await log.append(arrivals("a"))
    with pytest.raises(UnavailableError):
        await log.append(arrivals("b"))


async def test_a_log_that_takes_writes_says_so(place: Place) -> None:
    async with opened(place) as log:
        await log.append(arrivals("a"))
        last = log.last
        await log.check()
        assert (await ids_in(log), log.last) == (["a"], last)


# Once, and in order


async def test_an_event_is_kept_once_for_each_source(place: Place) -> None:
    async with opened(place) as log:
        assert await log.append(arrivals("a", "a", "b")) == 2
        assert await log.append(arrivals("b", "c")) == 1
        assert await log.append(arrivals("a", source="other")) == 1
        assert await ids_in(log) == ["a", "b", "c", "a"]
    async with opened(place) as log:
        assert await log.append(arrivals("a", "b", "d")) == 1
        assert await ids_in(log) == ["a", "b", "c", "a", "d"]


async def test_another_event_under_a_known_message_id_is_kept_under_its_own(place: Place) -> None:
    async with opened(place) as log:
        assert await log.append(arrivals("a", content="a")) == 1
        assert await log.append(arrivals("a", content="b")) == 1
    async with opened(place) as log:
        assert await log.append(arrivals("a", content="b")) == 0
        assert await ids_in(log) == ["a", f"a.{'b' * 8}{'0' * 8}"]


async def test_an_event_from_which_something_was_removed_is_kept_once(place: Place) -> None:
    async with opened(place) as log:
        for content in ("a", "b"):
            one = arrivals("a", content=content)
            one.redacted = {0}
            await log.append(one)
        again = arrivals("a", content="a")
    async with opened(place) as log:
        assert await log.append(again) == 0


async def test_events_of_a_source_are_stored_in_the_order_in_which_they_were_appended(place: Place) -> None:
    async with opened(place) as log:
        groups = [[f"{group}.{number}" for number in range(group % 7 + 1)] for group in range(60)]
        await asyncio.gather(*(log.append(arrivals(*ids)) for ids in groups))
        assert await ids_in(log) == [*itertools.chain(*groups)]


async def test_an_event_that_may_not_be_kept_counts_once_and_gets_no_place(place: Place) -> None:
    async with opened(place) as log:
        for expected in (2, 0):
            one = arrivals("a", "b")
            one.bodies[0] = b""
            assert await log.append(one) == expected
        only = arrivals("c")
        only.bodies[0] = b""
        assert await log.append(only) == 1
        assert await ids_in(log) == ["b"]


async def test_collectors_that_share_a_log_keep_each_event_once_and_a_sources_order(place: Place) -> None:
    if not place.has_many_writers:
        pytest.skip("one collector writes this log")
    async with opened(place) as one, opened(place) as other:
        for number in range(30):
            ids = [f"{number}.{index}" for index in range(4)]
            told = await asyncio.gather(*(log.append(arrivals(*ids)) for log in (one, other, one)))
            assert sum(told) == 4
            different = await asyncio.gather(
                one.append(arrivals(f"x{number}", content="a")), other.append(arrivals(f"x{number}", content="b"))
            )
            assert different == [1, 1]
        found = await ids_in(other)
        assert found == await ids_in(one)
        assert len(found) == len(set(found)) == 30 * 6
        plain = [id for id in found if not id.startswith("x")]
        assert plain == [f"{number}.{index}" for number in range(30) for index in range(4)]


# Positions and followers


async def test_positions_rise_and_are_read_from_anywhere(place: Place) -> None:
    async with opened(place) as log:
        assert (await log.read(), log.last) == ([], 0)
        for number in range(10):
            await log.append(arrivals(f"a{number}", f"b{number}", source=f"s{number % 3}"))
        stored = await log.read()
        seqs = [one.seq for one in stored]
        assert len(seqs) == 20
        assert seqs[0] >= 1
        assert seqs == sorted(set(seqs))
        assert log.last == seqs[-1]
        assert await log.read(log.last) == []
        for at in (0, 7, 18):
            assert await log.read(seqs[at], limit=5) == stored[at + 1 : at + 6]
        assert await log.read(seqs[3] - 1, limit=1) == [stored[3]]
        size = sum(len(one.body) for one in stored[:3])
        assert await log.read(most_bytes=size) == stored[:3]
        assert await log.read(most_bytes=1) == stored[:1]
        assert await log.pick([seqs[12], seqs[0], seqs[12], log.last + 1_000]) == [stored[0], stored[12]]


async def test_a_follower_gets_everything_as_it_comes_and_goes_on_where_it_stopped(place: Place) -> None:
    got: list[int] = []

    async def collect(log: EventLog, until: Callable[[], bool]) -> None:
        enough = asyncio.Event()

        async def handle(events: Any) -> None:
            got.extend(one.seq for one in events)
            if until():
                enough.set()

        follower = Follower(log, "of the test", handle)
        follower.start()
        async with asyncio.timeout(PATIENCE):
            await enough.wait()
            while await log.cursor("of the test") < got[-1]:
                await asyncio.sleep(0.005)
        await follower.stop()

    async with opened(place) as log:
        assert await log.cursor("of the test") == 0
        await log.append(arrivals("a", "b"))
        following = asyncio.create_task(collect(log, lambda: len(got) >= 50))
        for number in range(48):
            await log.append(arrivals(f"m{number}", source=f"s{number % 5}"))
        await following
        await log.save_cursor("another", 1)
    async with opened(place) as log:
        following = asyncio.create_task(collect(log, lambda: len(got) >= 51))
        await log.append(arrivals("c"))
        await following
        assert got == [one.seq for one in await everything(log)]
        assert await log.cursor("another") == 1


async def test_followers_in_another_process_see_what_the_collector_wrote(place: Place) -> None:
    if not place.has_many_writers:
        pytest.skip("the embedded log has another class for that, with tests of its own")
    async with opened(place) as log, opened(place) as reader:
        following = reader.follow()
        for number in range(5):
            await log.append(arrivals(f"m{number}"))
            async with asyncio.timeout(PATIENCE):
                assert [json.loads(one.body)["messageId"] for one in await anext(following)] == [f"m{number}"]
            assert reader.last == log.last


# Refused events


async def test_refused_events_are_kept_with_their_reason_beside_the_others(place: Place) -> None:
    async with opened(place) as log:
        mixed = arrivals("a")
        mixed.refused = [Refused(".event is missing", b"{\xff}"), WITHHELD]
        assert await log.append(mixed) == 1
        assert await log.append(Arrivals("other", 5.0, refused=[Refused("no JSON", b"")])) == 0
        [stored] = await log.read()
        await log.set_aside(stored, "nobody can read it")
    async with opened(place) as log:
        letters = await log.dead_letters()
        assert [(one.source, one.reason, one.raw) for one in letters] == [
            ("demo", ".event is missing", b"{\xff}"),
            ("other", "no JSON", b""),
            ("demo", "nobody can read it", stored.body),
        ]
        assert letters[1].received_at == 5.0
        assert await log.dead_letters(letters[0].id, limit=1) == letters[1:2]
        assert await ids_in(log) == ["a"]


# Erasure and retention


async def test_an_erased_person_is_in_no_file_and_everybody_else_is_as_before(place: Place) -> None:
    async with opened(place) as log:
        for number in range(40):
            person = "Mallory-7261" if number % 4 == 0 else "ann"
            more = {"anonymousId": "Mallory-7261"} if number % 4 == 1 else {}
            await log.append(arrivals(f"m{number}", person=person, **more))
        refused = [Refused("bad", b"of Mallory-7261"), Refused("bad", b"of ann")]
        await log.append(Arrivals("demo", 1.0, refused=refused))
        before = {one.seq: one.body for one in await everything(log)}
        assert place.files_with(b"Mallory-7261")

        erased = await log.erase(Forget("Mallory-7261"))
        assert (erased.events, erased.redacted, erased.dead_letters) == (10, 10, 1)
        assert erased.last == max(before)
        if place.files_with(b"Mallory-7261"):
            await log.compact()
        assert place.files_with(b"Mallory-7261") == []

        assert sorted(await ids_in(log)) == sorted(f"m{number}" for number in range(40) if number % 4)
        after = {one.seq: one.body for one in await everything(log)}
        untouched = {seq: body for seq, body in before.items() if b"Mallory-7261" not in body}
        assert {seq: after[seq] for seq in untouched} == untouched
        assert len(after) == len(untouched) + 10 == 30
        assert [one.raw for one in await log.dead_letters()] == [b"of ann"]
        again = await log.erase(Forget("Mallory-7261"))
        assert (again.events, again.redacted, again.dead_letters) == (0, 0, 0)
        assert await log.append(arrivals("new")) == 1


async def test_retention_removes_the_old_but_nothing_that_a_follower_has_not_read(place: Place) -> None:
    async with opened(place) as log:
        refused = [Refused("bad", b"old")]
        await log.append(Arrivals("demo", time.time() * 1000, refused=refused))
        for id in ("a", "b", "c"):
            await log.append(arrivals(id))
            await asyncio.sleep(0.002)
        middle = time.time() * 1000
        await log.append(arrivals("d"))
        seqs = [one.seq for one in await everything(log)]
        await log.save_cursor("slow", seqs[1])
        await place.retain(log, middle)
        assert await ids_in(log) == ["c", "d"]
        await log.save_cursor("slow", seqs[3])
        await place.retain(log, middle)
        assert await ids_in(log) == ["d"]
        assert await log.dead_letters() == []
        await log.append(arrivals("e"))
        assert await ids_in(log) == ["d", "e"]
        assert log.last > seqs[3]
    async with opened(place) as log:
        assert await ids_in(log) == ["d", "e"]


async def test_a_hold_keeps_everything_until_it_ends(place: Place) -> None:
    async with opened(place) as log:
        await log.append(arrivals("a"))
        await asyncio.sleep(0.01)  # Times of messages are of this fineness.
        middle = time.time() * 1000
        await log.append(arrivals("b"))
        await log.save_cursor(BACKUP, -int(time.time() * 1000 + 2 * DAY))
        await place.retain(log, middle)
        assert await ids_in(log) == ["a", "b"]
        await log.save_cursor(BACKUP, -int(middle))
        await place.retain(log, middle)
        assert await ids_in(log) == ["b"]
