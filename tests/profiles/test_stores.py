"""What both stores hold to, beside who is whom: texts of every kind, rows for a warehouse, forgetting, one writer."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from profiles.people import START, People, body
from satsuma_server.errors import UnavailableError
from satsuma_server.identity.identifiers import Key
from satsuma_server.log import Stored
from satsuma_server.profiles.store import names
from satsuma_server.profiles.store.database import Sqlite
from satsuma_server.profiles.store.usage import MONTHS, MOST_SOURCES

ODD = "a'b\"c\\ \u00fc \U0001f34a \x01\x7f %s ? $1 {}"


def test_texts_of_every_kind_are_kept_as_they_are(people: People) -> None:
    people.see("identify", ODD, "nul\0", traits={ODD: [ODD, {"a\0": "\0"}], "nul\0": 1}, messageId=ODD)
    profile = people.profile("user_id", ODD)
    assert {one.key.value for one in profile.identifiers} == {ODD, "nul\ufffd"}
    assert profile.traits == {ODD: [ODD, {"a\0": "\0"}], "nul\ufffd": 1}
    assert people.links("user_id", ODD)[0].message_id == ODD


def test_rows_for_a_warehouse(people: People) -> None:
    people.see("identify", None, "web", traits={"plan": "free", "email": "a@b.example"})
    people.see("identify", "u", "web", traits={"plan": "paid", "email": None})
    people.see("page", None, "other")
    rows = list(people.ask.identity_map())
    seen = {"first_seen": START + 2000, "last_seen": START + 2000}
    assert rows[1] == {"space": "", "id_type": "user_id", "id": "u", "profile": 1, **seen}
    assert [(row["id"], row["profile"]) for row in rows] == [("web", 1), ("u", 1), ("other", 3)]
    told = [(row["profile"], row["user_id"], row["identifiers"], row["events"]) for row in people.ask.profiles()]
    assert told == [(1, "u", 2, 2), (3, None, 1, 1)]
    traits = [(row["profile"], row["name"], row["value"]) for row in people.ask.profile_traits()]
    assert traits == [(1, "plan", '"paid"')]


def test_recent_profiles_and_timelines_go_on_where_they_stopped(people: People) -> None:
    for number in range(30):
        people.see("track", f"u{number % 4}", f"a{number % 8}")
    found = people.ask.recent(2, 10**9)
    found += people.ask.recent(9, found[-1][1])
    assert [seq for _, seq in found] == [30, 29, 28, 27]
    assert len({number for number, _ in found}) == 4


def test_forgotten_people_are_gone_and_others_stay(people: People) -> None:
    people.see("identify", "ann", "a1", traits={"name": "Ann"})
    people.see("identify", "ann", "a2")
    people.see("identify", "bob", "a1", traits={"name": "Bob"})
    people.see("alias", "cyd", previousId="ann")
    people.store.undo(people.links("anonymous_id", "a2")[1].number)
    late = Stored(5, "web", body(50, "track", "ann", "a1"))
    people.log.append(late)
    gone = people.store.forget([Key("user_id", "ann")], seq=5)
    assert {str(key) for key in gone} == {"user_id:ann", "anonymous_id:a1"}
    assert people.everybody() == {
        frozenset({"user_id:bob"}), frozenset({"user_id:cyd", "previous_id:ann"}), frozenset({"anonymous_id:a2"})
    }  # fmt: skip
    # What was read before the log forgot it comes too late.
    people.take([late])
    assert people.ask.number_of(Key("user_id", "ann")) is None
    people.see("track", "bob", "a1")
    assert people.ids("user_id", "bob") == {"user_id:bob", "anonymous_id:a1"}
    for column in ("edges.left_node", "edges.right_node", "moments.node", "traits.node", "names.node"):
        table, _, name = column.partition(".")
        query = f"SELECT count(*) FROM {table} WHERE {name} NOT IN (SELECT number FROM nodes)"
        assert people.database.run(query) == [(0,)], column
    assert people.database.run("SELECT * FROM apart") == []


def test_a_batch_that_fails_leaves_nothing(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    people.see("track", "u", "a")
    many = people.database.many

    def fail(statement: str, given: object) -> None:
        if "moments" in statement:
            raise UnavailableError("no room")
        many(statement, given)  # type: ignore[arg-type]

    monkeypatch.setattr(people.database, "many", fail)
    with pytest.raises(UnavailableError):
        people.see("track", "u", "b")
    monkeypatch.undo()
    assert people.ids("user_id", "u") == {"user_id:u", "anonymous_id:a"}
    people.take(people.log)
    assert people.ids("user_id", "u") == {"user_id:u", "anonymous_id:a", "anonymous_id:b"}


def test_traits_have_a_bound(people: People) -> None:
    for part in range(3):
        people.see("identify", "u", traits={f"t{part}-{number}": number for number in range(600)})
    people.see("identify", "u", traits={"t0-1": "changed", "x" * 300: "too long a name"})
    traits = people.profile("user_id", "u").traits
    assert 1000 <= len(traits) <= 1200
    assert traits["t0-1"] == "changed"


def test_limits_may_be_set_and_taken_away(make_people: Callable[..., People]) -> None:
    narrow = make_people(identifiers={"anonymous_id": {"limit": 2}})
    free = make_people(identifiers={"user_id": {"limit": 0}, "email": {"priority": 0, "blocked": ["x@x.example"]}})
    for one in (narrow, free):
        for device in ("a", "b", "c"):
            one.see("track", "u", device)
        one.see("identify", "v", "a", traits={"email": " X@x.example"})
    assert len(narrow.ids("user_id", "u")) == 3
    assert free.ids("user_id", "v") == {"user_id:u", "user_id:v", "anonymous_id:a", "anonymous_id:b", "anonymous_id:c"}


def test_an_id_of_very_many_sources_or_months_has_a_bound(people: People) -> None:
    for number in range(MOST_SOURCES + 20):
        people.see("track", None, "a", source=f"s{number}", receivedAt="2026-11-10T00:00:00.000Z")
    ((row,),) = people.database.run("SELECT tracked FROM nodes")
    assert len(msgspec.json.decode(row)["2026-11"]) == MOST_SOURCES
    for number in range(MONTHS + 5):
        month = f"{2027 + number // 12}-{number % 12 + 1:02d}"
        people.see("track", "u", "a", receivedAt=f"{month}-10T00:00:00.000Z")
    ((row,),) = people.database.run("SELECT tracked FROM nodes WHERE type = 'anonymous_id'")
    tracked = msgspec.json.decode(row)
    assert len(tracked) == MONTHS
    usage = people.ask.usage()
    assert sum(one.source is None for one in usage) == MONTHS
    assert all((one.users, one.anonymous, one.identified) == (1, 0, 1) for one in usage if one.source is None)


def test_a_forgotten_id_is_not_among_those_of_a_month_any_more(people: People) -> None:
    people.see("track", "ann", "a1", source="shop")
    people.see("track", None, "a1", source="blog")
    people.see("track", "bob", "b1", source="shop")
    people.store.forget([Key("user_id", "ann")], seq=3)
    assert [(one.source, one.users, one.identified) for one in people.ask.usage()] == [(None, 1, 1), ("shop", 1, 1)]


def test_names_are_found_on_whichever_level_they_are(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "MOVES", (4, 16))
    for number in range(70):
        people.see("track", None, f"a{number}")
    levels = dict(people.database.run("SELECT level, count(*) FROM names GROUP BY level"))
    assert levels == {0: 3, 1: 8, 2: 59}
    for number in range(70):
        people.see("identify", f"u{number}", f"a{number}")
    assert people.ask.totals().profiles == 70
    people.store.forget([Key("user_id", f"u{number}") for number in range(70)], seq=140)
    assert people.database.run("SELECT * FROM names") == []


def test_ids_whose_hashes_are_the_same_are_told_apart(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "hash_of", lambda key: 7)
    for one in ("a", "b", "a", "c"):
        people.see("track", None, one)
    assert people.ids("anonymous_id", "b") == {"anonymous_id:b"}
    people.store.forget([Key("anonymous_id", "b")], seq=4)
    assert people.profile("anonymous_id", "a").counts == {"track": 2}
    assert people.ask.number_of(Key("anonymous_id", "b")) is None


def test_a_file_of_another_version_is_told_of_and_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "profiles.sqlite3") as connection:
        connection.execute("CREATE TABLE nodes (number INTEGER)")
    with pytest.raises(UnavailableError, match="another version: move it away"):
        Sqlite(tmp_path)
    assert sqlite3.connect(tmp_path / "profiles.sqlite3").execute("SELECT name FROM sqlite_schema").fetchall() == [
        ("nodes",)
    ]
