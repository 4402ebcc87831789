"""What rules mask is stored nowhere: not in the log, not in refused events, and not in any file of the collector."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from satsuma_server.errors import SettingsError
from satsuma_server.masking import Masking, MaskingRule
from satsuma_server.settings import Settings, Source, make_settings
from satsuma_server.testing import Collector, running

KEY = "a key of hashes that nobody can guess"
EMAILS = MaskingRule("mask", find="email")
SECRET = "ann.secret@shop.test"
PLAN = """
[track."Signed Up".properties]
plan = {enum = ["free", "premium"]}
[track.Good.properties]
[track.Done.properties]
"""


def masked(event: dict[str, Any], *rules: MaskingRule) -> dict[str, Any]:
    Masking(rules, KEY).apply(event)
    return event


def files_with(folder: Path, text: str) -> list[str]:
    return [file.name for file in folder.rglob("*") if file.is_file() and text.encode() in file.read_bytes()]


def send(collector: Collector, body: bytes | dict[str, Any], path: str = "/v1/batch") -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.post(f"{collector.url}{path}", content=content, auth=("shop", ""))


@pytest.mark.parametrize(
    "where",
    [
        {"properties": {"note": f"write to {SECRET}, please"}},
        {"properties": {SECRET: 1}},
        {"properties": {"deep": [{"list": [[SECRET]]}]}},
        {"traits": {"email": SECRET}, "type": "identify"},
        {"context": {"page": {"url": "https://shop.test/?mail=ann.secret%40shop.test"}}},
        {"context": {"page": {"search": "?mail=ann.secret%2540shop.test"}}},
        {"context": {"traits": {"email": SECRET}}},
        {"event": f"Mailed {SECRET}"},
        {"name": SECRET, "type": "page"},
        {"integrations": {"Mailer": {"to": SECRET}}},
        {"unknown": {"to": SECRET}},
        {"properties": {"upper": SECRET.upper()}},
    ],
    ids=lambda where: next(iter(where)),
)
def test_an_address_is_found_wherever_it_is(tmp_path: Path, where: dict[str, Any]) -> None:
    event = {"type": "track", "event": "Done", "anonymousId": "a", **where}
    with running(tmp_path, masking=(EMAILS,)) as collector:
        send(collector, {"batch": [event]}).raise_for_status()
        [stored] = collector.events()
    assert "ann.secret" not in json.dumps(stored).lower() and "***" in json.dumps(stored)
    assert not files_with(tmp_path, "ann.secret") and not files_with(tmp_path, "ANN.SECRET")


def test_what_all_events_of_a_request_share_is_masked(tmp_path: Path) -> None:
    rules = (EMAILS, MaskingRule("drop", ("context.ip",)), MaskingRule("mask", ("context.userAgent",)))
    event = {"type": "track", "event": "Done", "userId": "ann", "context": {"ip": "203.0.113.77"}}
    body = {"batch": [event, event], "context": {"mail": SECRET}, "integrations": {"Mailer": SECRET}}
    with running(tmp_path, masking=rules) as collector:
        send(collector, body).raise_for_status()
        for stored in collector.events():
            assert "ip" not in stored["context"] and "senderIp" not in stored["context"]
            assert stored["context"]["userAgent"] == "***"
            assert stored["context"]["mail"] == stored["integrations"]["Mailer"] == "***@shop.test"
    assert not files_with(tmp_path, "203.0.113.77")


@pytest.mark.parametrize(
    "raw",
    [
        f'{{"type": "nonsense", "anonymousId": "a", "traits": {{"email": "{SECRET}"}}}}',
        '{"type": "nonsense", "anonymousId": "a", "traits": {"email": "ann.secret\\u0040shop.test"}}',
        f'{{"type": "track", "anonymousId": "a", "broken": "{SECRET}" "x"}}',
        f'"{SECRET}"',
        f'{{"type": "{SECRET}", "anonymousId": "a"}}',
        f'{{"type": "track", "event": "Done", "properties": "{SECRET}", "anonymousId": "a"}}',
        f'{{"type": "track", "event": "Signed Up", "anonymousId": "a", "properties": {{"plan": "{SECRET}"}}}}',
    ],
)
def test_refused_events_are_masked_too(tmp_path: Path, raw: str) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN)
    rules = (EMAILS, MaskingRule("drop", ("traits.email",)))
    data = tmp_path / "data"
    with running(data, masking=rules, plan=plan, plan_mode="refuse") as collector:
        good = '{"type": "track", "event": "Good", "anonymousId": "a"}'
        answer = send(collector, f'{{"batch": [{raw}, {good}]}}'.encode())
        assert answer.status_code == 200 and len(answer.json()["refused"]) == 1
        letters = httpx.get(f"{collector.url}/v1/refused", headers={"Authorization": f"Bearer {collector.token}"}).text
        assert len(letters.splitlines()) == 1
        assert [event["event"] for event in collector.events()] == ["Good"]
    if 'type": "ann' not in raw:  # The type tells what an event is, so no rule changes it.
        assert "ann.secret" not in letters
        assert not files_with(data, "ann.secret")


def test_no_rule_makes_a_claim_into_proof(tmp_path: Path) -> None:
    rules = (MaskingRule("drop", ("context.**",)), MaskingRule("hash", ("context.verification",)))
    source = Source("shop", identify="server", masking=rules)
    with running(tmp_path, sources=(source,), masking_key=KEY) as collector:
        event = {"type": "identify", "userId": "ann", "context": {"verification": "server"}}
        send(collector, {"batch": [event]}).raise_for_status()
        assert collector.events()[0]["context"]["verification"] == "public"


def test_no_text_makes_a_regex_slow() -> None:
    rule = MaskingRule("mask", regex=r"(a+)+$|(x|xx)*y|\d{13,16}")
    began = time.process_time()
    masked({"properties": {"text": "a" * 30_000 + "!", "more": "x" * 30_000, "card": "1" * 30_000}}, rule, EMAILS)
    assert time.process_time() - began < 5  # A backtracking engine would need longer than the universe exists.


def test_an_event_does_not_grow_without_bound(tmp_path: Path) -> None:
    with running(tmp_path, masking=(MaskingRule("hash", regex="x"),), masking_key=KEY) as collector:
        event = {"type": "track", "event": "Done", "anonymousId": "a", "properties": {"text": "x" * 20_000}}
        answer = send(collector, {"batch": [event]})
        assert answer.status_code == 400 and "too large" in answer.text
        assert collector.events() == []


def test_paths_lead_to_members() -> None:
    def properties() -> dict[str, Any]:
        return {"card": 1, "a.b": 2, "items": [{"card": 3, "name": "n"}], "deep": {"er": {"card": 4}}, "list": [5, 6]}

    def after(path: str) -> Any:
        return masked({"properties": properties()}, MaskingRule("drop", (path,)))["properties"]

    whole = properties()
    assert after("properties.card") == {key: value for key, value in whole.items() if key != "card"}
    assert after('properties."a.b"') == {key: value for key, value in whole.items() if key != "a.b"}
    assert after("$.properties.items.card")["items"] == [{"name": "n"}]
    assert after("properties.*.card")["items"] == [{"name": "n"}]
    deep = after("properties.**.card")
    assert (deep["items"], deep["deep"], "card" in deep) == ([{"name": "n"}], {"er": {}}, False)
    assert after("properties.**") == {"items": [{}], "deep": {"er": {}}, "list": []}
    assert after("properties.none.at.all") == whole


def test_a_path_in_traits_counts_in_the_context_too() -> None:
    event = masked({"context": {"traits": {"email": 1, "plan": 2}}}, MaskingRule("drop", ("traits.email",)))
    assert event["context"]["traits"] == {"plan": 2}


def test_a_hash_is_the_same_for_all_spellings_and_depends_on_the_key() -> None:
    rule = MaskingRule("hash", find="email")
    texts = ["Ann@Shop.test", "ann%40shop.test", "ann@shop.test"]
    hashes = {masked({"properties": {"at": text}}, rule)["properties"]["at"] for text in texts}
    assert len(hashes) == 1 and hashes.pop().startswith("hash:")
    other: dict[str, Any] = {"properties": {"at": texts[0]}}
    Masking([rule], KEY[::-1]).apply(other)
    assert other != masked({"properties": {"at": texts[0]}}, rule)


def test_addresses_of_machines_are_masked_and_times_are_not() -> None:
    rule = MaskingRule("mask", find="ip")
    event = masked({"properties": {"text": "from 203.0.113.77 and 2001:db8:1:2:3::4 at 12:30:45", "n": 4}}, rule)
    assert event["properties"] == {"text": "from 203.0.113.0 and 2001:db8:1:: at 12:30:45", "n": 4}
    dropped = masked({"properties": {"ip": "203.0.113.0", "at": "12:30:45"}}, MaskingRule("drop", find="ip"))
    assert dropped["properties"] == {"at": "12:30:45"}


def test_numbers_are_found_by_their_digits() -> None:
    rule = MaskingRule("mask", regex=r"\b\d{16}\b")
    assert masked({"properties": {"card": 4111111111111111, "total": 12}}, rule)["properties"] == {
        "card": "***",
        "total": 12,
    }


def test_each_source_has_its_own_rules_after_those_of_all(tmp_path: Path) -> None:
    settings = Settings(
        tmp_path,
        masking=(EMAILS,),
        sources=(Source("a", masking=(MaskingRule("drop", ("traits.phone",)),)), Source("b")),
    )
    traits = {"email": SECRET, "phone": "1"}
    for key, kept in (("a", {"email": "***@shop.test"}), ("b", {"email": "***@shop.test", "phone": "1"})):
        event = {"traits": dict(traits)}
        masking = settings.masking_for(key)
        assert masking
        masking.apply(event)
        assert event["traits"] == kept


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ('action = "mask"', "needs where, find or regex"),
        ('action = "drop"\nwhere = ["userId"]', "ids or times"),
        ('action = "drop"\nwhere = ["properties"]', "members"),
        ('action = "mask"\nregex = "("', "regular expression"),
        ('action = "mask"\nregex = "a*"', "empty text"),
        ('action = "mask"\nfind = "email"\nregex = "a"', "not both"),
        ('action = "mask"\nwhere = ["properties..a"]', "not a path"),
        ('action = "mask"\nwhere = ["properties.**.a.**.b"]', "more than once"),
        ('action = "hash"\nfind = "ip"', "masking_key"),
        ('action = "burn"\nfind = "ip"', "burn"),
    ],
)
def test_a_rule_that_is_wrong_is_told_at_the_start(tmp_path: Path, rule: str, told: str) -> None:
    for table in ("[[masking]]", "[[sources.masking]]"):
        file = tmp_path / "satsuma.toml"
        file.write_text(f'[[sources]]\nwrite_key = "shop"\n{table}\n{rule}\n')
        with pytest.raises(SettingsError, match=told):
            make_settings(file)
