"""The profile API over a real log, in the worker's app."""

from __future__ import annotations

import asyncio
import io
import json
import sqlite3
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from profiles.people import START, body
from satsuma_server.identity.rules import ProfileSettings
from satsuma_server.log import Arrivals, ReadableLog
from satsuma_server.log.shared import SharedLog
from satsuma_server.log.sqlite import SqliteLog
from satsuma_server.privacy.people import People
from satsuma_server.profiles.projection import Profiles
from satsuma_server.projections.app import create_worker
from satsuma_server.settings import Settings
from starlette.testclient import TestClient

TOKEN = {"Authorization": "Bearer t"}
ODD = "a/b%2F ü?#"
ODD_IN_A_PATH = "a%2Fb%252F%20%C3%BC%3F%23"


def write(data: Path, *bodies: bytes, source: str = "web") -> None:
    async def run() -> None:
        log = SqliteLog(data)
        ids = [json.loads(one)["messageId"] for one in bodies]
        await log.append(Arrivals(source, time.time() * 1000, ids, list(bodies)))
        await log.close()

    asyncio.run(run())


def make_projections(settings: Settings, log: ReadableLog) -> list[Any]:
    """Return the worker's parts that know people."""
    profiles = Profiles(settings, log)
    return [profiles, People(settings, profiles)]


@contextmanager
def asking(data: Path, seq: int, **profiles: Any) -> Iterator[TestClient]:
    """Run a worker's app until it has come to an event; give a client with the token."""
    settings = Settings(data, token="t", profiles=ProfileSettings(**profiles))
    with TestClient(create_worker(settings, SharedLog(data), make_projections), headers=TOKEN) as client:
        wait_for(lambda: client.get("/v1/profiles/totals").json().get("seq") == seq)
        yield client


def wait_for(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    write(
        tmp_path,
        body(1, "page", None, "web", properties={"path": "/"}),
        body(2, "identify", "u", "web", traits={"name": "Ann", "plan": "free", "age": 30}),
        body(3, "track", "u", "web", event="Signed Up", at=START + 500),
        body(4, "identify", ODD, None, traits={"name": "Odd"}),
        body(5, "page", None, "stranger"),
    )
    with asking(tmp_path, 5) as opened:
        yield opened


def test_traits_of_a_profile_in_pages(client: TestClient) -> None:
    first = client.get("/v1/profiles/user_id:u/traits?limit=2").json()
    assert first == {
        "traits": {"age": 30, "name": "Ann"},
        "cursor": {"limit": 2, "has_more": True, "next": "name"},
    }
    rest = client.get(f"/v1/profiles/anonymous_id:web/traits?limit=2&cursor={first['cursor']['next']}").json()
    assert rest == {"traits": {"plan": "free"}, "cursor": {"limit": 2, "has_more": False, "next": ""}}
    assert client.get("/v1/profiles/user_id:u/traits?include=plan").json()["traits"] == {"plan": "free"}


def test_events_of_a_person_newest_first_in_pages(client: TestClient) -> None:
    seen: list[int] = []
    cursor = ""
    while True:
        answer = client.get(f"/v1/profiles/user_id:u/events?limit=2&cursor={cursor}").json()
        seen += [one["seq"] for one in answer["data"]]
        cursor = answer["cursor"]["next"]
        if not cursor:
            break
    # The third was sent late: it happened before the others.
    assert seen == [2, 1, 3]
    newest = client.get("/v1/profiles/user_id:u/events").json()["data"][0]
    assert (newest["type"], newest["user_id"], newest["anonymous_id"]) == ("identify", "u", "web")
    assert newest["external_id"] == {"type": "user_id", "id": "u"}


def test_external_ids_tell_when_and_why_they_were_linked(client: TestClient) -> None:
    found = client.get("/v1/profiles/user_id:u/external_ids").json()["data"]
    assert [(one["type"], one["id"]) for one in found] == [("anonymous_id", "web"), ("user_id", "u")]
    assert found[0]["joined_by"] is None
    assert found[1]["joined_by"]["event"]["message_id"] == "m2"
    assert found[1]["created_at"] == "2023-11-14T22:13:20.500Z"


def test_metadata_counts(client: TestClient) -> None:
    told = client.get("/v1/profiles/user_id:u/metadata").json()["metadata"]
    assert told["events_by_type"] == {"page": 1, "identify": 1, "track": 1}
    assert (told["events"], told["user_id"], told["external_ids"]) == (3, "u", 2)


def test_ids_in_paths_are_decoded_once(client: TestClient) -> None:
    assert client.get(f"/v1/profiles/user_id:{ODD_IN_A_PATH}/traits").json()["traits"] == {"name": "Odd"}
    assert client.get(f"/v1/profiles/user_id:{ODD_IN_A_PATH}").json()["user_id"] == ODD


def test_recent_profiles_are_each_told_once(client: TestClient) -> None:
    first = client.get("/v1/profiles?limit=2").json()
    second = client.get(f"/v1/profiles?limit=2&cursor={first['cursor']['next']}").json()
    told = [one["external_ids"] for one in first["data"] + second["data"]]
    assert told == [["anonymous_id:stranger"], [f"user_id:{ODD}"], ["anonymous_id:web", "user_id:u"]]
    assert not second["cursor"]["has_more"]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/v1/profiles/user_id:nobody/traits", "no event has named user_id:nobody yet"),
        ("/v1/profiles/email:u/traits", "with a type of user_id, anonymous_id"),
        ("/v1/profiles/u", "name a person as TYPE:ID"),
        ("/v1/profiles/user_id:u/toes", "a profile has traits, events"),
        ("/v1/profiles/merges/99", "there is no link 99"),
        ("/v1/profiles/merges/x", "merges have numbers"),
        ("/v1/people/user_id:u", "a person can be exported"),
    ],
)
def test_what_is_not_there_is_said_clearly(client: TestClient, path: str, says: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert says in answer.json()["error"]["message"]


def test_a_wrong_cursor_or_token_is_refused(client: TestClient) -> None:
    assert client.get("/v1/profiles/user_id:u/events?cursor=x").status_code == 400
    assert client.get("/v1/profiles?limit=many").status_code == 400
    for path in ("", "/totals", "/user_id:u", "/merges/1"):
        assert client.get(f"/v1/profiles{path}", headers={"Authorization": "Bearer no"}).status_code == 401
    assert client.post("/v1/profiles/merges/1/undo", headers={"Authorization": ""}).status_code == 401


def test_a_merge_is_undone_and_stays_so_when_all_is_built_anew(client: TestClient) -> None:
    link = client.get("/v1/profiles/user_id:u/merges").json()["data"][0]
    assert link["explanation"].startswith("anonymous_id:web and user_id:u are one person, since event m2 (number 2")
    assert client.post(f"/v1/profiles/merges/{link['number']}/undo").json()["merge"]["undone"] is True
    again = client.post(f"/v1/profiles/merges/{link['number']}/undo")
    assert (again.status_code, again.json()["error"]["message"]) == (
        409,
        "link 1 joins nothing, so there is nothing to undo",
    )
    assert client.post("/v1/profiles/rebuild").json() == {"success": True}
    wait_for(lambda: client.get("/v1/profiles/totals").json()["seq"] == 5)
    assert client.get("/v1/profiles/user_id:u/metadata").json()["metadata"]["external_ids"] == 1
    assert client.get("/v1/profiles/anonymous_id:web/metadata").json()["metadata"]["events"] == 1


def test_warnings_are_listed_with_their_reason(tmp_path: Path) -> None:
    write(tmp_path, body(1, "identify", "u"), body(2, "alias", "u", previousId="w"), body(3, "track", "null", "w"))
    with asking(tmp_path, 3) as client:
        (told,) = client.get("/v1/profiles/warnings").json()["data"]
        assert told["warnings"] == ["late_alias"]
        assert client.get("/v1/profiles/totals").json()["blocked"] == {"user_id:null": 1}


def test_tracked_users_are_fewer_by_those_who_were_identified(tmp_path: Path) -> None:
    """«Tracking users with the identify and track calls reduces the number of Monthly Tracked Users.»"""
    october = 1_696_500_000_000
    write(
        tmp_path,
        body(1, "page", None, "a", at=october),
        body(2, "page", None, "a"),
        body(3, "identify", "u", "a"),
        body(4, "identify", "u", "b"),
        body(5, "page", None, "c"),
    )
    write(tmp_path, body(6, "identify", "u", "a"), body(7, "page", None, "c"), source="app")
    with asking(tmp_path, 7) as client:
        told = client.get("/v1/profiles/usage").json()["data"]
    shown = [(one["month"], one["source"], one["tracked_users"], one["without_identify"]) for one in told]
    assert shown == [
        ("2023-11", None, 2, 4),
        ("2023-11", "app", 2, 3),
        ("2023-11", "web", 2, 4),
        ("2023-10", None, 1, 1),
        ("2023-10", "web", 1, 1),
    ]
    assert told[0]["spared_by_identify"] == 2


def test_a_person_is_handed_over_as_lines_and_as_an_archive(client: TestClient) -> None:
    answer = client.get("/v1/people/user_id:u/export")
    assert 'filename="user-id-u.ndjson"' in answer.headers["content-disposition"]
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [one["kind"] for one in lines] == ["profile", "merge", "event", "event", "event"]
    assert lines[0]["profile"]["traits"]["name"] == "Ann"
    with zipfile.ZipFile(io.BytesIO(client.get("/v1/people/user_id:u/export?format=zip").content)) as archive:
        assert archive.namelist() == ["profile.json", "merges.json", "events.ndjson"]
        events = [json.loads(line) for line in archive.read("events.ndjson").splitlines()]
    assert [one["seq"] for one in events] == [2, 1, 3]
    assert client.get("/v1/people/user_id:u/export?format=pdf").status_code == 400


def test_profiles_go_on_where_they_were_and_build_themselves_anew_where_they_are_gone(tmp_path: Path) -> None:
    write(tmp_path, body(1, "identify", "u", "a"))
    with asking(tmp_path, 1):
        pass
    write(tmp_path, body(2, "identify", "u", "b"))
    with asking(tmp_path, 2) as client:
        assert client.get("/v1/profiles/user_id:u/metadata").json()["metadata"]["events"] == 2
    for file in tmp_path.glob("profiles.sqlite3*"):
        file.unlink()
    with asking(tmp_path, 2) as client:
        assert client.get("/v1/profiles/user_id:u/metadata").json()["metadata"]["events"] == 2


def test_a_file_of_another_version_is_told_of_until_it_is_moved_away(tmp_path: Path) -> None:
    write(tmp_path, body(1, "identify", "u", "a"))
    file = tmp_path / "profiles.sqlite3"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE nodes (number INTEGER)")
    settings = Settings(tmp_path, token="t")
    with TestClient(create_worker(settings, SharedLog(tmp_path), make_projections), headers=TOKEN) as client:
        wait_for(lambda: "move it away" in client.get("/v1/profiles/user_id:u").text)
        assert client.get("/v1/profiles/user_id:u").status_code == 503
        file.unlink()
        wait_for(lambda: client.get("/v1/profiles/user_id:u").status_code == 200)
