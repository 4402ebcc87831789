"""One row a user, with the latest of everything, however late and however often it comes."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from warehouse.made import AT, event, stored, warehouse


def identify(seq: int, at: int, user: str = "u", **traits: Any) -> dict[str, Any]:
    return event(seq, "identify", userId=user, traits=traits, timestamp=AT.format(at))


def test_the_latest_value_of_each_trait_is_kept(tmp_path: Path) -> None:
    with warehouse(tmp_path) as made:
        made.load(identify(1, 10, email="old@x.cz", plan="free"), identify(2, 20, plan="paid", email=None))
        assert made.ask("SELECT id, email, plan FROM demo.users") == [("u", "old@x.cz", "paid")]
        made.load(identify(3, 15, email="late@x.cz", plan="trial", city="Brno"))
        assert made.ask("SELECT id, email, plan, city FROM demo.users") == [("u", "late@x.cz", "paid", "Brno")]


def test_of_one_time_what_came_last_counts(tmp_path: Path) -> None:
    with warehouse(tmp_path) as made:
        made.load(identify(1, 10, plan="free"))
        made.load(identify(2, 10, plan="paid"))
        assert made.ask("SELECT plan FROM demo.users") == [("paid",)]


def test_a_message_counts_once_however_often_it_comes(tmp_path: Path) -> None:
    events = [identify(1, 10, plan="free"), event(2), identify(3, 20, plan="paid")]
    again = [{**one, "seq": one["seq"] + 10} for one in events]
    with warehouse(tmp_path) as made:
        made.load(*events)
        first = made.everything()
        made.load(*events)
        assert made.everything() == first
        made.load(*again)
        assert made.everything() == first
        assert made.loader.cursor == 13
    with warehouse(tmp_path / "other") as made:
        made.load(*events, *again)
        assert made.everything() == first


def test_who_was_never_identified_is_no_user(tmp_path: Path) -> None:
    with warehouse(tmp_path) as made:
        made.load(event(1, "identify", traits={"email": "a@x.cz"}), event(2, userId="u"))
        assert made.ask("SELECT count(*) FROM demo.users") == [(0,)]
        assert made.ask("SELECT email FROM demo.identifies") == [("a@x.cz",)]


def test_any_order_of_arrival_gives_what_a_plain_reading_says(tmp_path: Path) -> None:
    chance = Random(7)
    for round_number in range(3):
        events = []
        for seq in range(1, 61):
            traits = {name: chance.choice([None, seq, f"v{seq}"]) for name in chance.sample("abcd", 2)}
            events.append(identify(seq, chance.randrange(20), f"u{chance.randrange(5)}", **traits))
        expected: dict[str, dict[str, Any]] = {}
        for one in sorted(events, key=lambda one: (one["timestamp"], one["seq"])):
            known = expected.setdefault(one["userId"], {})
            known.update({name: str(value) for name, value in one["traits"].items() if value is not None})
        with warehouse(tmp_path / str(round_number)) as made:
            while events:
                cut = chance.randint(1, 20)
                made.loader.load(stored(events[:cut]))
                events = events[cut:]
            rows = made.ask("SELECT id, a, b, c, d FROM demo.users")
        found = {row[0]: {k: str(v) for k, v in zip("abcd", row[1:], strict=True) if v is not None} for row in rows}
        assert found == expected
