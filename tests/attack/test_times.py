"""What a stranger who has the public write key can do with times, above all by ``POST /v1/import``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from profiles.people import START, People
from satsuma.clock import iso_time
from satsuma_server.settings import Source
from satsuma_server.testing import Collector, running
from warehouse.made import AT, event, warehouse

SECRET = "secret-of-the-shop-0123456789abcdef"
SOURCE = Source("shop", secret_keys=(SECRET, "the-older-one-" + SECRET))
FAR = "9999-12-31T23:59:59.000Z"
IMPORTED = {"type": "identify", "userId": "u", "traits": {"plan": "forged"}, "timestamp": FAR, "messageId": "m1"}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Collector]:
    with running(tmp_path, write_keys=frozenset({"blog"}), sources=(SOURCE,)) as collector:
        yield collector


def send(collector: Collector, user: str = "", path: str = "/v1/import", **headers: str) -> httpx.Response:
    auth = (user, "") if user else None
    body = {"batch": [IMPORTED], "writeKey": "shop"}
    with httpx.Client(base_url=collector.url, trust_env=False, auth=auth, timeout=60) as client:
        return client.post(path, json=body, headers=headers)


@pytest.mark.parametrize("user", ["", "shop", "blog", f"{SECRET}x", SECRET.upper()])
def test_the_public_key_imports_nothing(shop: Collector, user: str) -> None:
    answer = send(shop, user)
    assert answer.status_code in (401, 403)
    assert user == "" or "secret_keys" in answer.text or "unknown" in answer.text
    assert shop.events() == []


def test_a_token_that_is_wrong_imports_nothing(shop: Collector) -> None:
    assert send(shop, Authorization="Bearer guess").status_code == 403
    assert shop.events() == []


def test_a_secret_in_the_body_is_no_key_and_is_not_kept(shop: Collector, tmp_path: Path) -> None:
    body = {**IMPORTED, "writeKey": SECRET}
    assert httpx.post(f"{shop.url}/v1/identify", json=body, trust_env=False).status_code == 401
    assert not any(SECRET.encode() in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


@pytest.mark.parametrize("key", SOURCE.secret_keys)
def test_a_server_imports_by_a_secret_key_which_is_kept_nowhere(shop: Collector, tmp_path: Path, key: str) -> None:
    past = {**IMPORTED, "timestamp": "2001-01-01T00:00:00.000Z", "writeKey": key}
    answer = httpx.post(f"{shop.url}/v1/import", json={"batch": [past, {"writeKey": key}]}, auth=(key, ""))
    assert answer.status_code == 200
    [stored] = shop.events()
    assert (stored["timestamp"], stored["writeKey"]) == ("2001-01-01T00:00:00.000Z", "shop")
    assert not any(key.encode() in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


def test_the_token_imports_too(shop: Collector) -> None:
    assert send(shop, Authorization=f"Bearer {shop.token}").status_code == 200


def test_who_takes_any_key_takes_imports_of_any_but_of_a_source_with_secrets(tmp_path: Path) -> None:
    with running(tmp_path, sources=(SOURCE,)) as collector:
        assert send(collector, "anything").status_code == 200
        assert send(collector).status_code == 403


@pytest.mark.parametrize("told", [FAR, "3000-01-01T00:00:00Z", 253_402_300_799_000])
def test_what_is_still_to_come_is_of_now_and_what_was_told_stays(shop: Collector, told: Any) -> None:
    body = {"batch": [{**IMPORTED, "timestamp": told}]}
    assert httpx.post(f"{shop.url}/v1/import", json=body, auth=(SECRET, "")).status_code == 200
    [stored] = shop.events()
    assert stored["timestamp"] == stored["receivedAt"] < "2999"
    assert stored["originalTimestamp"] >= "3000-01-01T00:00:00"


def test_a_time_a_little_ahead_is_a_clocks_and_stays(shop: Collector) -> None:
    send(shop, SECRET)
    now = shop.events()[0]["receivedAt"]
    minute = f"{now[:-2]}9Z"
    body = {"batch": [{**IMPORTED, "messageId": "m2", "timestamp": minute}]}
    httpx.post(f"{shop.url}/v1/import", json=body, auth=(SECRET, ""))
    assert shop.events()[1]["timestamp"] == minute


def test_a_trait_of_the_year_9999_in_an_old_log_outlasts_no_later_identify(tmp_path: Path) -> None:
    people = People(tmp_path)
    now = iso_time(START)
    people.see("identify", "u", traits={"plan": "forged"}, timestamp=FAR, receivedAt=now)
    people.see("identify", "u", traits={"plan": "true"}, at=START + 120_000)
    assert people.profile("user_id", "u").traits == {"plan": "true"}
    assert people.profile("user_id", "u").last_seen == START + 120_000


def test_nor_does_it_in_the_warehouse(tmp_path: Path) -> None:
    with warehouse(tmp_path) as made:
        made.load(
            event(1, "identify", userId="u", traits={"plan": "forged"}, timestamp=FAR),
            event(2, "identify", userId="u", traits={"plan": "true"}, timestamp=AT.format(2)),
        )
        assert made.ask("SELECT plan FROM demo.users") == [("true",)]
