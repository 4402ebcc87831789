"""A person who asks to be forgotten: gone from log, profiles and files, and kept out if that is wished."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from profiles.people import body
from profiles.test_api import make_projections, wait_for, write
from satsuma_server.cli import app
from satsuma_server.identity.identifiers import Key
from satsuma_server.identity.reach import Reach
from satsuma_server.identity.rules import ProfileSettings, Rules
from satsuma_server.log import Arrivals, Refused
from satsuma_server.log.database import FILE, connect
from satsuma_server.log.shared import SharedLog
from satsuma_server.log.sqlite import SqliteLog
from satsuma_server.privacy.erasure_check import find_in_files
from satsuma_server.privacy.person_matcher import ErasureMatcher
from satsuma_server.privacy.suppression import Suppressed
from satsuma_server.profiles.projection import Profiles
from satsuma_server.projections.app import create_worker
from satsuma_server.settings import Settings
from satsuma_server.testing import serving, started
from typer.testing import CliRunner

RULES = Rules(ProfileSettings())
TOKEN = {"Authorization": "Bearer t"}


def arrivals(*events: bytes, refused: tuple[bytes, ...] = (), source: str = "web") -> Arrivals:
    ids = [json.loads(one)["messageId"] for one in events]
    return Arrivals(source, time.time() * 1000, ids, list(events), [Refused("is wrong", raw) for raw in refused])


def keys(*texts: str) -> list[Key]:
    return [Key(*text.split(":", 1)) for text in texts]


def test_the_log_forgets_a_persons_events_and_keeps_all_numbers(tmp_path: Path) -> None:
    async def run() -> None:
        log = SqliteLog(tmp_path)
        await log.append(
            arrivals(body(1, "page", None, "dev-a"), body(2, "track", "ann-1", "dev-a"), body(3, user="bob"))
        )
        await log.append(
            arrivals(body(4, "track", "ann-1"), refused=(b'{"userId": "ann-1", x', b'{"userId": "ann-12"}'))
        )
        # A shared device: the event is Bob's, who keeps it without Ann's anonymousId; an alias is about both.
        await log.append(arrivals(body(5, "track", "bob", "dev-a"), body(6, "alias", "bob", previousId="ann-1")))
        erased = await log.erase(ErasureMatcher(RULES, keys("user_id:ann-1", "anonymous_id:dev-a")))
        assert (erased.events, erased.redacted, erased.dead_letters, erased.last) == (4, 1, 1, 6)
        left = await log.read()
        assert [one.seq for one in left] == [3, 5]
        assert json.loads(left[1].body)["anonymousId"] is None
        assert [one.seq for one in await log.pick([2, 3, 5, 6, 99])] == [3, 5]
        assert [one.raw for one in await log.dead_letters()] == [b'{"userId": "ann-12"}']
        await log.append(arrivals(body(7, user="bob")))
        assert [one.seq for one in await log.read(after=3)] == [5, 7]
        followed = log.follow(0)
        assert [one.seq for one in await anext(followed)] == [3, 5, 7]
        await log.close()
        again = SqliteLog(tmp_path)
        assert (again.last, [one.seq for one in await again.read()]) == (7, [3, 5, 7])
        await again.append(arrivals(body(8, user="bob")))
        assert again.last == 8
        await again.close()

    asyncio.run(run())
    assert find_in_files(tmp_path, ['dev-a"', '"ann-1"', 'm2"']) == []


def test_the_last_event_of_all_can_be_erased(tmp_path: Path) -> None:
    async def run() -> None:
        log = SqliteLog(tmp_path)
        await log.append(arrivals(body(1, user="ann-1")))
        await log.erase(ErasureMatcher(RULES, keys("user_id:ann-1")))
        assert await log.read() == []
        await log.append(arrivals(body(2, user="bob")))
        assert [one.seq for one in await log.read()] == [2]
        await log.close()

    asyncio.run(run())


def test_nothing_of_a_deleted_person_is_in_any_file_not_even_what_was_deleted_before(tmp_path: Path) -> None:
    """Among many others, after retention has removed blocks: freed pages and the write-ahead log hold nothing."""

    async def run() -> None:
        log = SqliteLog(tmp_path)
        for number in range(60):
            events = [body(1000 * number + i, user=f"user-{i}", properties={"pad": "x" * 400}) for i in range(40)]
            events.append(body(1000 * number + 999, user="ann-secret", properties={"email": "ann@secret.example"}))
            await log.append(arrivals(*events, refused=(b'{"userId":"ann-secret",',)))
        # Deleted by hand as retention does, without overwriting.
        other = connect(tmp_path / FILE)
        other.execute("PRAGMA secure_delete=OFF")
        other.execute("DELETE FROM blocks WHERE last < 400")
        other.close()
        assert find_in_files(tmp_path, ["ann-secret"])
        await log.erase(ErasureMatcher(RULES, keys("user_id:ann-secret")))
        if find_in_files(tmp_path, ["ann-secret"]):
            await log.compact()
        assert find_in_files(tmp_path, ["ann-secret", "ann@secret.example"]) == []
        await log.append(arrivals(body(999_999, user="user-1")))
        assert len(await log.read(limit=10_000)) == 60 * 40 - 9 * 40 + 1
        await log.close()

    asyncio.run(run())


def test_events_come_in_while_others_are_erased(tmp_path: Path) -> None:
    async def run() -> None:
        log = SqliteLog(tmp_path)
        for number in range(30):
            await log.append(arrivals(body(number, user="ann-1"), body(100 + number, user="bob")))

        async def write() -> None:
            for number in range(60):
                await log.append(arrivals(body(1000 + number, user="bob")))

        await asyncio.gather(write(), log.erase(ErasureMatcher(RULES, keys("user_id:ann-1"))), log.compact())
        left = await log.read(limit=10_000)
        assert len(left) == 90
        assert len({one.seq for one in left}) == 90
        await log.close()

    asyncio.run(run())


def test_suppressed_people_are_kept_out_and_nobody_can_read_who_they_are(tmp_path: Path) -> None:
    suppressed = Suppressed(tmp_path, RULES)
    suppressed.add(keys("user_id:ann-secret", "anonymous_id:device-secret", "email:nobody"))
    again = Suppressed(tmp_path, RULES)
    came = arrivals(
        body(1, user="ann-secret"), body(2, anonymous="device-secret"), body(3, "track", "bob", "device-secret"),
        body(4, "alias", "bob", previousId="ann-secret"), body(5, user="eve"),
        refused=(b'{"userId": "ann-secret"}', b'{"userId": "eve"}', b"{"),
    )  # fmt: skip
    came.hashes = [f"{number}" * 16 for number in range(1, 6)]
    again.filter(came)
    kept = {id: line for id, line in zip(came.message_ids, came.bodies, strict=True) if line}
    assert [*kept] == ["m3", "m5"]
    assert json.loads(kept["m3"])["anonymousId"] is None
    assert [one.raw for one in came.refused if one.reason] == [b'{"userId": "eve"}', b"{"]
    assert (came.hashes, came.redacted) == ([f"{number}" * 16 for number in range(1, 6)], {2})
    assert find_in_files(tmp_path, ["ann-secret", "device-secret"]) == []
    again.remove(keys("user_id:ann-secret"))
    assert Key("user_id", "ann-secret") not in Suppressed(tmp_path, RULES)
    assert len(Suppressed(tmp_path, RULES)) == 1


def test_a_deletion_does_not_wait_for_events_that_are_erased_already(tmp_path: Path) -> None:
    """Profiles that are built anew never come to the seq of an erased event, and there is nothing to wait for."""

    async def run() -> None:
        log = SqliteLog(tmp_path)
        await log.append(arrivals(body(1, user="bob"), body(2, user="ann-1")))
        await log.erase(ErasureMatcher(RULES, keys("user_id:ann-1")))
        profiles = Profiles(Settings(tmp_path), log)
        await profiles.start()
        while profiles.version == 0:
            await asyncio.sleep(0.01)
        bob = Key("user_id", "bob")
        assert await profiles.resolve(bob, log.last, Reach.VERIFIED) == ({bob}, frozenset())
        await profiles.stop()
        await log.close()

    asyncio.run(run())


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[httpx.Client]:
    with (
        started(tmp_path, "serve", "--accept-any-key", "--token", "t", env={"SATSUMA_WORKER": "1"}) as told,
        httpx.Client(base_url=told["url"], headers=TOKEN, trust_env=False, timeout=60) as client,
    ):
        wait_for(lambda: client.get("/v1/profiles/totals").status_code == 200)
        yield client


def send(client: httpx.Client, *events: dict[str, Any]) -> None:
    assert client.post("/v1/batch", json={"batch": list(events)}).json()["success"]


def person(*args: str) -> str:
    """Run ``satsuma person``; return what it says."""
    done = CliRunner().invoke(app, ["person", *args, "--token", "t"], terminal_width=200)
    assert done.exit_code == 0, done.output
    return " ".join(done.output.split())


def test_the_command_shows_and_exports_a_person(tmp_path: Path) -> None:
    events = (body(1, "page", None, "web"), body(2, "identify", "u", "web", traits={"name": "[bold]Ann"}))
    write(tmp_path, *events)
    settings = Settings(tmp_path, token="t")
    with serving(create_worker(settings, SharedLog(tmp_path), make_projections)) as url:
        wait_for(lambda: httpx.get(f"{url}/v1/profiles/user_id:u", headers=TOKEN, trust_env=False).status_code == 200)
        told = person("show", "anonymous_id:web", "--url", url)
        person("export", "user_id:u", "-o", str(tmp_path / "ann.ndjson"), "--url", url)
    assert "user_id:u" in told
    assert "name: [bold]Ann" in told
    assert [json.loads(line)["kind"] for line in (tmp_path / "ann.ndjson").read_text().splitlines()] == [
        *("profile", "merge", "event", "event"),
    ]


def test_a_person_is_deleted_by_one_request_wherever_they_are(collector: httpx.Client, tmp_path: Path) -> None:
    user, web, app, other = (str(uuid.uuid4()) for _ in range(4))
    email = f"{uuid.uuid4()}@example.com"
    send(
        collector,
        {"type": "page", "anonymousId": web},
        {"type": "identify", "userId": user, "anonymousId": web, "traits": {"email": email}},
        {"type": "identify", "userId": user, "anonymousId": app},
        {"type": "track", "event": "Bought", "userId": other, "anonymousId": web},
        {"type": "track", "userId": user, "note": "without a name it is refused"},
    )
    wait_for(lambda: collector.get("/v1/profiles/totals").json()["seq"] == 4)
    values = [user, web, app, email]
    assert find_in_files(tmp_path / "data", values)

    told = collector.delete(f"/v1/people/anonymous_id:{app}?suppress=1&links=all").json()
    assert told["success"]
    assert {one["id"] for one in told["identifiers"]} == {user, web, app}
    assert told["erased"] == {"events": 3, "redacted": 1, "dead_letters": 1, "last": 4}
    assert told["still_found_in"] == []
    assert find_in_files(tmp_path / "data", values) == []

    assert collector.get(f"/v1/profiles/user_id:{user}").status_code == 404
    assert collector.get(f"/v1/profiles/user_id:{other}/metadata").json()["metadata"]["events"] == 1
    # Acknowledged, so that no client tries again, and not kept.
    send(collector, {"type": "page", "anonymousId": web}, {"type": "page", "userId": other, "anonymousId": web})
    events = [json.loads(line) for line in collector.get("/v1/events?after=4").text.splitlines()]
    assert [(one["userId"], one["anonymousId"]) for one in events] == [(other, None)]
    assert collector.delete(f"/v1/people/anonymous_id:{web}/suppression").status_code == 200
    send(collector, {"type": "page", "anonymousId": web})
    assert len(collector.get("/v1/events?after=5").text.splitlines()) == 1

    told = person("delete", f"user_id:{other}", "--yes", "--url", str(collector.base_url))
    assert "nothing of these ids is left in any file" in told
    assert find_in_files(tmp_path / "data", [other]) == []


def test_deleting_needs_the_token_and_the_worker(tmp_path: Path) -> None:
    with started(tmp_path, "serve", "--accept-any-key", "--token", "t") as told:
        url = f"{told['url']}/v1/people/user_id:u"
        assert httpx.delete(url, trust_env=False).status_code == 401
        answer = httpx.delete(url, headers=TOKEN, trust_env=False)
        assert answer.status_code == 503
        assert "start the collector without --no-worker" in answer.json()["error"]["message"]
