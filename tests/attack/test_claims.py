"""What a stranger can do who guesses somebody's userId, and has nothing but the public write key."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from profiles.people import People, body
from profiles.test_api import make_projections, wait_for, write
from satsuma_server.http.responses import Faults
from satsuma_server.identity.identifiers import Key
from satsuma_server.identity.links import LinkWarning, Outcome, Rule
from satsuma_server.identity.reach import Reach
from satsuma_server.ingest.decode import decode
from satsuma_server.ingest.endpoint import _sort
from satsuma_server.ingest.enrichment import Arrival
from satsuma_server.log import Stored
from satsuma_server.log.shared import SharedLog
from satsuma_server.projections.app import create_worker
from satsuma_server.settings import Settings
from satsuma_server.testing import serving
from warehouse.made import event, warehouse

pytest_plugins = ["profiles.conftest"]


def noted(verification: str, ip: str = "192.0.2.1", **more: Any) -> dict[str, Any]:
    return {"context": {"verification": verification, "ip": ip}, **more}


def test_a_claim_joins_no_device_and_changes_no_trait(make_people: Callable[..., People]) -> None:
    people = make_people(identifiers={"email": {}})
    people.see("identify", "victim", "laptop", traits={"plan": "paid", "email": "v@x.cz"}, **noted("server"))
    people.see("identify", "victim", "attacker", traits={"plan": "forged", "email": "v@x.cz"}, **noted("claimed"))
    people.see("identify", "victim", traits={"plan": "forged"}, **noted("claimed"))
    people.see("identify", None, "attacker", traits={"email": "v@x.cz"}, **noted("anonymous"))
    people.see("alias", "attacker-user", "attacker", previousId="laptop", **noted("signed"))
    people.see("group", "victim", "attacker", groupId="g", **noted("claimed"))
    assert people.ids("user_id", "victim") == {"user_id:victim", "anonymous_id:laptop", "email:v@x.cz"}
    assert people.profile("user_id", "victim").traits == {"plan": "paid", "email": "v@x.cz"}
    assert people.profile("user_id", "victim").counts == {"identify": 1}
    assert "anonymous_id:laptop" not in people.ids("user_id", "attacker-user")
    assert people.ask.totals().blocked == {"user_id (claimed)": 1}


@pytest.mark.parametrize("together", [True, False])
def test_a_signed_identify_links_and_later_events_of_the_pair_are_believed(
    make_people: Callable[..., People], together: bool
) -> None:
    people = make_people()
    take, people.take = people.take, (lambda stored: None) if together else people.take  # type: ignore[method-assign]
    people.see("page", None, "phone", **noted("anonymous"))
    people.see("identify", "u", "phone", traits={"plan": "paid"}, **noted("signed"))
    people.see("track", "u", "phone", **noted("claimed"))
    people.see("identify", "u", "phone", traits={"city": "Brno"}, **noted("claimed"))
    people.see("identify", "u", "phone", traits={"city": "forged"}, **noted("public"))
    if together:
        take(people.log)
    profile = people.profile("user_id", "u")
    assert people.ids("user_id", "u") == {"user_id:u", "anonymous_id:phone"}
    assert profile.traits == {"plan": "paid", "city": "Brno"}
    assert {str(one.key): one.events for one in profile.identifiers} == {"anonymous_id:phone": 1, "user_id:u": 4}
    assert [link.rule for link in people.links("user_id", "u")] == [Rule.SIGNED]
    take(people.log)
    assert people.profile("user_id", "u").counts == profile.counts, "late copies change nothing"


def test_a_verified_login_wins_over_who_claimed_the_device_before(make_people: Callable[..., People]) -> None:
    people = make_people()
    people.see("identify", "attacker", "phone", traits={"a": 1})
    people.see("identify", "victim", "laptop", **noted("signed"))
    people.see("identify", "victim", "phone", **noted("signed"))
    assert people.ids("user_id", "victim") == {"user_id:victim", "anonymous_id:laptop", "anonymous_id:phone"}
    assert people.ids("user_id", "attacker") == {"user_id:attacker"}
    (warned,) = people.ask.warnings(10, 10**9)
    assert (warned.outcome, warned.warnings) == (Outcome.REFUSED, (LinkWarning.DISPLACED,))
    assert "Nothing verifies the link" in warned.explain()


def test_of_two_verified_users_of_a_device_the_first_keeps_it(make_people: Callable[..., People]) -> None:
    people = make_people()
    people.see("identify", "ann", "shared", **noted("signed"))
    people.see("identify", "bob", "shared", **noted("signed"))
    people.see("track", "bob", "shared", **noted("claimed"))
    assert people.ids("user_id", "ann") == {"user_id:ann", "anonymous_id:shared"}
    assert people.profile("user_id", "bob").counts == {"identify": 1, "track": 1}


def test_a_claim_that_is_signed_later_is_verified(make_people: Callable[..., People]) -> None:
    people = make_people()
    people.see("identify", "u", "phone")
    people.see("identify", "u", "phone", **noted("server"))
    (link,) = people.links("user_id", "u")
    assert (link.rule, link.seq, link.outcome) == (Rule.SERVER, 2, Outcome.ADDED)


@pytest.mark.parametrize("batch", [1, 300])
def test_a_thousand_junk_ids_do_not_shut_the_next_phone_out(make_people: Callable[..., People], batch: int) -> None:
    people = make_people(identifiers={"anonymous_id": {"limit": 40}})
    people.see("identify", "victim", "laptop", **noted("server"))
    people.see("identify", "victim", "tablet")
    begun = len(people.log)
    take, people.take = people.take, lambda stored: None  # type: ignore[method-assign]
    for number in range(120 if batch == 1 else 1000):
        people.see("track", "victim", f"junk{number}", context={"ip": f"203.0.113.{number}"})
    people.see("identify", "victim", "phone", context={"ip": "192.0.2.7"})
    for start in range(begun, len(people.log), batch):
        take(people.log[start : start + batch])
    ids = people.ids("user_id", "victim")
    assert {"anonymous_id:laptop", "anonymous_id:phone"} <= ids
    assert len(ids) <= 41
    assert people.profile("user_id", "victim").user_id == "victim"
    # What gave way joins again when it comes again.
    people.take = take  # type: ignore[method-assign]
    assert "anonymous_id:tablet" not in ids
    people.see("track", "victim", "tablet")
    assert "anonymous_id:tablet" in people.ids("user_id", "victim")


def test_one_address_uses_up_its_own_limit_and_no_others(make_people: Callable[..., People]) -> None:
    people = make_people(links_per_hour=5)
    for number in range(50):
        people.see("track", "victim", f"junk{number}", context={"ip": "203.0.113.9"})
    people.see("identify", "victim", "phone", context={"ip": "192.0.2.7"})
    ids = people.ids("user_id", "victim")
    assert len(ids) == 1 + 5 + 1
    assert "anonymous_id:phone" in ids
    (warned,) = people.ask.warnings(10, 10**9)
    assert warned.warnings == (LinkWarning.RATE_LIMIT,)
    assert "somebody may be guessing ids" in warned.explain()
    hour = 3_600_000
    people.see("track", "victim", "junk40", context={"ip": "203.0.113.9"}, at=1_700_000_000_000 + hour)
    assert "anonymous_id:junk40" in people.ids("user_id", "victim")


def test_no_event_tells_its_own_address_to_the_limit(make_people: Callable[..., People]) -> None:
    people = make_people(links_per_hour=5)
    for number in range(50):
        context = {"ip": f"203.0.113.{number}", "senderIp": f"2001:db8::{number:x}"}
        people.see("track", "victim", f"junk{number}", context=context)
    people.see("identify", "victim", "phone", context={"ip": "203.0.113.1"})
    assert len(people.ids("user_id", "victim")) == 1 + 5 + 1, "one network of IPv6 is one sender"
    assert "anonymous_id:phone" in people.ids("user_id", "victim")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({}, {"ip": "192.0.2.1"}),
        ({"ip": "192.0.2.1", "senderIp": "203.0.113.9"}, {"ip": "192.0.2.1"}),
        ({"ip": "203.0.113.9", "senderIp": "203.0.113.9"}, {"ip": "203.0.113.9", "senderIp": "192.0.2.1"}),
        ({"ip": None}, {"ip": None, "senderIp": "192.0.2.1"}),
    ],
)
@pytest.mark.parametrize("extra", [{}, {"unusual": 1}])
def test_the_collector_notes_where_an_event_came_from(
    sent: dict[str, Any], kept: dict[str, Any], extra: dict[str, Any]
) -> None:
    told = {"type": "page", "userId": "u", "anonymousId": "a", "context": sent, **extra}
    decoded = decode(json.dumps(told).encode(), "page")
    arrivals = _sort(decoded, "web", Arrival(1_700_000_000_000, ip="192.0.2.1"), Faults())
    assert json.loads(arrivals.bodies[0])["context"] == kept


def test_junk_aliases_do_not_shut_the_next_phone_out_either(make_people: Callable[..., People]) -> None:
    people = make_people(links_per_hour=0, identifiers={"anonymous_id": {"limit": 12}})
    people.see("identify", "victim", "laptop", **noted("server"))
    for number in range(30):
        people.see("page", None, f"junk{number}")
        people.see("alias", "victim", previousId=f"junk{number}")
    people.see("identify", "victim", "phone")
    assert {"anonymous_id:laptop", "anonymous_id:phone"} <= people.ids("user_id", "victim")
    hurried = make_people(links_per_hour=5)
    for number in range(30):
        hurried.see("alias", "other", previousId=f"hurried{number}", context={"ip": "203.0.113.9"})
    assert len(hurried.ids("user_id", "other")) == 1 + 5


def test_junk_email_addresses_do_not_shut_the_true_one_out(make_people: Callable[..., People]) -> None:
    people = make_people(identifiers={"email": {}})
    for number in range(20):
        people.see("identify", "victim", traits={"email": f"junk{number}@x.cz"})
    people.see("identify", "victim", "laptop", traits={"email": "v@x.cz"})
    ids = people.ids("user_id", "victim")
    assert "email:v@x.cz" in ids
    assert len(ids) <= 1 + 5 + 1


def test_links_that_gave_way_do_not_pile_up(make_people: Callable[..., People]) -> None:
    people = make_people(identifiers={"anonymous_id": {"limit": 40}})
    for number in range(400):
        people.see("track", "victim", f"junk{number}", context={"ip": f"203.0.113.{number % 200}"})
    (kept,) = people.database.run("SELECT count(*) FROM edges")[0]
    assert kept <= 40 + 400 // 10


def test_a_claimed_trait_is_in_no_row_of_users(tmp_path: Path) -> None:
    told = [
        ("server", "laptop", {"plan": "paid"}),
        ("claimed", "attacker", {"plan": "forged", "city": "forged"}),
        ("claimed", "laptop", {"city": "Brno"}),
        ("public", "laptop", {"city": "forged"}),
    ]
    with warehouse(tmp_path) as made:
        for seq, (verification, device, traits) in enumerate(told, 1):
            context = {"verification": verification}
            made.load(event(seq, "identify", userId="u", anonymousId=device, traits=traits, context=context))
        made.load(event(9, "identify", userId="other", traits={"plan": "x"}, context={"verification": "claimed"}))
        assert made.ask("SELECT id, plan, city FROM demo.users") == [("u", "paid", "Brno")]
        assert made.ask("SELECT count(*) FROM demo.identifies") == [(5,)]


def victim_and_attacker(verification: str | None = None) -> list[bytes]:
    """Return a victim's events, and those of a device that guesses the userId, as a log has them."""
    context = {"context": {"verification": verification}} if verification else {}
    return [
        body(101, "page", None, "laptop-of-the-victim"),
        body(102, "identify", "victim", "laptop-of-the-victim", traits={"plan": "paid"}, **context),
        body(103, "track", "victim", "laptop-of-the-victim", event="Bought Medicine"),
        body(104, "page", None, "attacker"),
        body(105, "identify", "victim", "attacker", traits={"plan": "forged"}),
    ]


def see(people: People, events: list[bytes]) -> None:
    people.log += [Stored(seq, "web", event) for seq, event in enumerate(events, 1)]
    people.take(people.log)


def reach(people: People, type: str, value: str, reach: Reach = Reach.VERIFIED) -> set[str]:
    return {str(key) for key in people.ask.reach(Key(type, value), reach)[0]}


def test_who_is_reached_from_an_id(make_people: Callable[..., People]) -> None:
    people = make_people(identifiers={"email": {}})
    see(people, victim_and_attacker("signed"))
    people.see("identify", "victim", traits={"email": "v@x.cz"})
    people.see("alias", "victim", "tablet", previousId="tablet")
    whole = people.ids("user_id", "victim")
    assert {"anonymous_id:attacker", "anonymous_id:tablet", "email:v@x.cz"} < whole, "all of it is one profile"
    assert reach(people, "user_id", "victim") == whole, "a claim tells of a userId's devices"
    assert reach(people, "anonymous_id", "laptop-of-the-victim") == whole, "and what is signed holds both ways"
    for one in ("anonymous_id:attacker", "anonymous_id:tablet", "email:v@x.cz"):
        assert reach(people, *one.split(":")) == {one}, "but a claim says nothing of who the device's owner is"
        assert reach(people, *one.split(":"), Reach.ALL) == whole


def test_a_claimed_device_is_no_way_to_the_user_who_has_it(make_people: Callable[..., People]) -> None:
    people = make_people(protect=False)
    people.see("identify", "owner", "phone", **noted("signed"))
    people.see("identify", "attacker", "phone")
    assert people.ids("user_id", "attacker") == {"user_id:attacker", "user_id:owner", "anonymous_id:phone"}
    assert reach(people, "user_id", "attacker") == {"user_id:attacker", "anonymous_id:phone"}
    assert reach(people, "anonymous_id", "phone") == {"user_id:owner", "anonymous_id:phone"}


def test_deleting_who_merely_claims_somebody_leaves_that_person(make_people: Callable[..., People]) -> None:
    people = make_people()
    see(people, victim_and_attacker())
    people.see("identify", "victim", "phone")
    device = Key("anonymous_id", "attacker")
    gone = people.store.forget([device], seq=6, start=device)
    assert gone == {device}
    victim = people.profile("user_id", "victim")
    assert people.ids("user_id", "victim") == {
        "user_id:victim",
        "anonymous_id:laptop-of-the-victim",
        "anonymous_id:phone",
    }
    assert (victim.traits, victim.counts) == ({"plan": "forged"}, {"identify": 3, "track": 1, "page": 1})
    assert people.ask.number_of(device) is None
    # What is left is whole: it grows, and is deleted as ever.
    people.see("track", "victim", "tablet")
    assert "anonymous_id:tablet" in people.ids("user_id", "victim")
    user = Key("user_id", "victim")
    assert people.store.forget([user], seq=8, start=user) >= {user, Key("anonymous_id", "tablet")}
    assert people.everybody() == set()


def test_an_export_by_the_attackers_own_id_tells_nothing_of_the_victim(tmp_path: Path) -> None:
    write(tmp_path, *victim_and_attacker())
    settings = Settings(tmp_path, token="t")
    with serving(create_worker(settings, SharedLog(tmp_path), make_projections)) as url:

        def export(who: str, **params: str) -> str:
            path = f"{url}/v1/people/{who}/export"
            answer = httpx.get(path, params=params, headers={"Authorization": "Bearer t"}, trust_env=False)
            return answer.text if answer.status_code == 200 else f"{answer.status_code} {answer.text}"

        wait_for(lambda: "victim" in export("user_id:victim") and "attacker" in export("user_id:victim"))
        given = export("anonymous_id:attacker")
        assert [json.loads(line)["kind"] for line in given.splitlines()] == ["profile", "event"]
        for secret in ("victim", "paid", "Medicine", "forged"):
            assert secret not in given
        assert "Medicine" in export("user_id:victim")
        assert "Medicine" in export("anonymous_id:attacker", links="all"), "whoever asks for it takes the risk"
        assert "is none of verified, all" in export("anonymous_id:attacker", links="some")
