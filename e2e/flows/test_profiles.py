"""The specification's «UserId merge examples», from pages of the shop to what the profile API answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from flows.shopper import Shopper
from pytest_satsuma import Visitor
from satsuma_server.testing import Collector, running
from terminal import terminal

Answer = dict[str, Any]

KIOSK = Path(__file__).parents[2] / "examples" / "kiosk.py"
Devices = Callable[[], Visitor]


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """One collector with its worker for all of these: everybody in them is somebody else."""
    folder: Path = tmp_path_factory.mktemp("profiles")
    with running(folder, worker=True) as started:
        yield started


class Profiles:
    """The profile API, once it knows of everything that was sent."""

    def __init__(self, collector: Collector) -> None:
        headers = {"Authorization": f"Bearer {collector.token}"}
        self._http = httpx.Client(base_url=collector.url, headers=headers, trust_env=False, timeout=30)
        self._collector = collector

    def sent(self, visitor: Visitor) -> None:
        """Wait until what the visitor's page has sent is stored, and taken into the profiles."""
        visitor.evaluate("() => analytics.flush()")
        last = self._collector.events()[-1]["seq"]
        until = time.monotonic() + 60
        while (answer := self._http.get("/v1/profiles/totals")).status_code != 200 or answer.json()["seq"] < last:
            assert time.monotonic() < until, answer.text
            time.sleep(0.05)

    def until(self, true: Callable[[], bool]) -> None:
        """Wait for what the worker does by and by."""
        limit = time.monotonic() + 60
        while not true():
            assert time.monotonic() < limit
            time.sleep(0.1)

    def sql(self, query: str) -> Any:
        """Return the rows that a query of the warehouse finds; None while it can't be asked."""
        answer = self._http.post("/v1/sql", json={"query": query})
        return answer.json()["rows"] if answer.status_code == 200 else None

    def ask(self, person: str, part: str) -> Any:
        """Return a part of a person's profile."""
        return self._http.get(f"/v1/profiles/{person}/{part}").raise_for_status().json()

    def ids(self, person: str) -> set[str]:
        """Return all ids of a person."""
        return {f"{one['type']}:{one['id']}" for one in self.ask(person, "external_ids")["data"]}

    def events(self, person: str) -> list[str]:
        """Return what a person did, the oldest first."""
        found = self.ask(person, "events")["data"]
        return [one["event"] or one["type"] for one in reversed(found)]


@pytest.fixture
def profiles(collector: Collector) -> Profiles:
    return Profiles(collector)


def device_of(visitor: Visitor) -> str:
    return f"anonymous_id:{visitor.identity.anonymous_id}"


def test_multi_day_single_device(new_device: Devices, profiles: Profiles) -> None:
    """Scenario 1: clicks around, comes back on another day, and signs up: all of it is that user's."""
    visitor = new_device()
    visitor.visit("/?utm_source=ad")
    profiles.sent(visitor)  # What a page leaves behind, the next one sends beside its own.
    visitor.visit("/products/yuzu")
    profiles.sent(visitor)
    device = device_of(visitor)
    assert profiles.ids(device) == {device}
    before = profiles.events(device)
    # Times are corrected by how long each post took: calls of the same millisecond may change places.
    assert before.count("page") == 2

    # The cookies are gone by then; localStorage remembers who it is.
    visitor.cookies.clear()
    user = Shopper(visitor).register("Peter Gibbons", "peter@example.com")
    profiles.sent(visitor)
    assert profiles.ids(f"user_id:{user}") == {f"user_id:{user}", device}
    assert profiles.events(f"user_id:{user}")[: len(before)] == before
    assert "Signed Up" in profiles.events(device)
    assert profiles.ask(device, "traits")["traits"]["email"] == "peter@example.com"
    joined = profiles.ask(device, "external_ids")["data"][1]["joined_by"]
    assert joined["rule"] == "same_event"
    # In SQL too: what was done before the userId was known is that user's.
    anonymous_id = device.partition(":")[2]
    query = f"""SELECT count(*) FROM profiles.identity_map AS device
        JOIN profiles.identity_map AS person USING (profile)
        WHERE device.id = '{anonymous_id}' AND person.id_type = 'user_id' AND person.id = '{user}'"""
    profiles.until(lambda: profiles.sql(query) == [[1]])


def test_multi_device_single_and_multiple_logins(new_device: Devices, profiles: Profiles) -> None:
    """Scenarios 2 and 3: the second device is nobody's until its visitor logs in, and then all of it is that user's."""
    web, app = new_device(), new_device()
    app.visit("/products/satsuma")
    web.visit("/")
    user = Shopper(web).register("Joe Visitor", "joe@example.com")
    profiles.sent(web)
    profiles.sent(app)
    person, other = f"user_id:{user}", device_of(app)
    assert profiles.ids(person) == {person, device_of(web)}
    assert profiles.ids(other) == {other}
    assert profiles.ask(other, "metadata")["metadata"]["user_id"] is None

    assert Shopper(app).login("joe@example.com") == user
    profiles.sent(app)
    assert profiles.ids(other) == {person, device_of(web), other}
    pages = profiles.ask(person, "events")["data"]
    assert any(one["anonymous_id"] == device_of(app).partition(":")[2] and one["user_id"] is None for one in pages)


def test_a_browser_and_a_kiosk_are_one_person_once_both_log_in(
    new_device: Devices, profiles: Profiles, collector: Collector, tmp_path: Path
) -> None:
    """Scenarios 2 and 3 again, with a browser and with a device that has none, down to rows and to one person."""
    web = new_device()
    web.visit("/")
    user = Shopper(web).register("Ann Kiosk", "kiosk@example.com")
    profiles.sent(web)
    with terminal(KIOSK, collector.url, str(tmp_path / "kiosk")) as kiosk:
        kiosk.wait_for("switch off")
        kiosk.type("single\r")
        bought = collector.wait_for(lambda events: _newest(events, "Order Completed") is not None)
        device = f"anonymous_id:{_newest(bought, 'Order Completed')['anonymousId']}"
        profiles.sent(web)
        assert profiles.ids(device) == {device}, "scenario 2: nobody has logged in on the device"
        assert profiles.ids(f"user_id:{user}") == {f"user_id:{user}", device_of(web)}

        kiosk.type(f"card {user}\r")
        collector.wait_for(lambda events: (_newest(events, "Signed In") or {}).get("userId") == user)
        kiosk.type("off\r")
        assert kiosk.wait_for_end() == 0
    profiles.sent(web)
    assert profiles.ids(device) == {f"user_id:{user}", device_of(web), device}, "scenario 3"
    assert {"page", "Signed Up", "Order Completed", "Signed In"} <= set(profiles.events(f"user_id:{user}"))
    orders = f"""SELECT orders.total, person.id FROM example.order_completed AS orders
        JOIN profiles.identity_map AS device ON device.id = orders.anonymous_id
        JOIN profiles.identity_map AS person USING (profile)
        WHERE person.id_type = 'user_id' AND person.id = '{user}'"""
    profiles.until(lambda: profiles.sql(orders) == [[3.2, user]])


def _newest(events: list[Answer], name: str) -> Any:
    return next((event for event in reversed(events) if event.get("event") == name), None)


def test_a_shared_computer_with_and_without_reset(new_device: Devices, profiles: Profiles) -> None:
    """«If you explicitly set an anonymousId, you might give the user two anonymousIds or overwrite an existing one.»

    That fuses nobody: each event is that of its own userId.
    """
    visitor = new_device()
    shopper = Shopper(visitor)
    ann = shopper.register("Ann", "ann@example.com")
    first = device_of(visitor)
    shopper.logout()
    bob = shopper.register("Bob", "bob@example.com")
    second = device_of(visitor)
    # Somebody takes over without a logout, and a script gives the device its old anonymousId back.
    visitor.evaluate("() => analytics.identify('cyd')")
    third = device_of(visitor)
    visitor.evaluate("(id) => analytics.setAnonymousId(id)", first.partition(":")[2])
    visitor.evaluate("() => analytics.track('Took Over')")
    profiles.sent(visitor)
    assert len({first, second, third}) == 3
    assert profiles.ids(f"user_id:{ann}") == {f"user_id:{ann}", first}
    assert profiles.ids(f"user_id:{bob}") == {f"user_id:{bob}", second}
    assert profiles.ids("user_id:cyd") == {"user_id:cyd", third}
    assert profiles.events("user_id:cyd") == ["identify", "Took Over"]
    assert "Took Over" not in profiles.events(first)
    refused = profiles.ask("user_id:cyd", "merges")["data"][-1]
    assert (refused["outcome"], refused["warnings"]) == ("refused", ["two_users"])
