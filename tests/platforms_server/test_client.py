"""The client: calls become events, nobody waits, nothing is lost within bounds, and nothing of ours reaches the app."""

from __future__ import annotations

import asyncio
import logging
import math
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
from satsuma.errors import ArgumentError, DroppedError, EventError
from satsuma.platforms.server import Answer, Client
from wire import Wire

Errors = list[tuple[Exception, list[dict[str, Any]]]]


@pytest.fixture
def errors() -> Errors:
    """What `on_error` was told."""
    return []


@pytest.fixture
def client(wire: Wire, errors: Errors) -> Iterator[Client]:
    with make(wire, errors) as made:
        yield made
        wire.open.set()


def make(wire: Wire, errors: Errors, **options: Any) -> Client:
    options = {"batch_wait": 0.01, **options}
    return Client(
        "demo", "http://collector.test", on_error=lambda *told: errors.append(told), transport=wire, **options
    )


def test_calls_are_segments(client: Client, wire: Wire) -> None:
    who: dict[str, Any] = {"context": {"ip": "203.0.113.9"}, "integrations": {"A": False}}
    client.identify("u1", {"plan": "pips"}, anonymous_id="a1", **who)
    client.track("u1", "Signed Up", {"n": 1}, message_id="m1", timestamp="2020-01-01T00:00:00.000Z")
    client.page("u1", "Docs", "Home", {"path": "/"})
    client.screen("u1", None, "Basket")
    client.group("u1", 7, {"employees": 4})
    client.alias("a1", "u1")
    assert client.flush()
    identify, track, page, screen, group, alias = wire.kept
    assert identify["traits"] == {"plan": "pips"}
    assert (identify["userId"], identify["anonymousId"]) == ("u1", "a1")
    assert identify["context"] == {"library": identify["context"]["library"], "ip": "203.0.113.9"}
    assert identify["integrations"] == {"A": False}
    assert (track["event"], track["properties"], track["messageId"]) == ("Signed Up", {"n": 1}, "m1")
    assert track["timestamp"] == "2020-01-01T00:00:00.000Z"
    assert (page["category"], page["name"], page["properties"]) == ("Docs", "Home", {"path": "/"})
    assert (screen["name"], "category" in screen, screen["properties"]) == ("Basket", False, {})
    assert (group["groupId"], group["traits"]) == ("7", {"employees": 4})
    assert (alias["previousId"], alias["userId"]) == ("a1", "u1")
    assert len({event["messageId"] for event in wire.kept}) == 6


def test_who_did_it_is_given_or_made_up(client: Client, wire: Wire) -> None:
    client.track(event="A")
    client.track(event="B")
    client.track("u1", "C")
    client.track(event="D", anonymous_id=UUID(int=1))
    assert client.flush()
    first, second, third, fourth = wire.kept
    assert first["anonymousId"] != second["anonymousId"]
    assert UUID(first["anonymousId"]).version == 4
    assert (third["userId"], third["anonymousId"]) == ("u1", None)
    assert fourth["anonymousId"] == str(UUID(int=1))


class Fruit(Enum):
    YUZU = "yuzu"


CYCLE: dict[str, Any] = {"n": 1}
CYCLE["self"] = CYCLE
EAST = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (datetime(2020, 1, 1, 12, tzinfo=EAST), "2020-01-01T10:00:00.000Z"),
        (date(2020, 1, 1), "2020-01-01"),
        (Decimal("12.5"), 12.5),
        (Fruit.YUZU, "yuzu"),
        ({"b", "a"}, ["a", "b"]),
        (b"raw", "raw"),
        (math.nan, None),
        (Decimal("Infinity"), None),
        ({1: "one", (2, 3): "pair"}, {"1": "one", "(2, 3)": "pair"}),
        (CYCLE, {"n": 1}),
        ("\ud800", "\ud800"),
        (UUID(int=1), str(UUID(int=1))),
    ],
)
def test_values_that_json_lacks_become_what_comes_nearest(client: Client, wire: Wire, value: Any, kept: Any) -> None:
    client.track("u1", "E", {"value": value})
    assert client.flush()
    assert wire.kept[0]["properties"] == {"value": kept}


@pytest.mark.parametrize("moment", [datetime(2020, 1, 1, tzinfo=UTC), 1_577_836_800, 1_577_836_800_000])
def test_times_are_told_in_many_ways(client: Client, wire: Wire, moment: Any) -> None:
    client.track("u1", "E", timestamp=moment)
    assert client.flush()
    assert wire.kept[0]["timestamp"] == "2020-01-01T00:00:00.000Z"


def test_a_time_without_a_zone_is_local_time(client: Client, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Vienna")
    time.tzset()
    try:
        client.track("u1", "E", {"at": datetime(2020, 1, 1, 12)}, timestamp=datetime(2020, 7, 1, 12))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert client.flush()
    assert wire.kept[0]["timestamp"] == "2020-07-01T10:00:00.000Z"
    assert wire.kept[0]["properties"] == {"at": "2020-01-01T11:00:00.000Z"}


@pytest.mark.parametrize("text", ["yesterday", "", "2020-13-01", "1577836800", "1/2/2020 10:00", "\x00", "x" * 50_000])
def test_a_time_that_cannot_be_read_is_told_of_and_never_now(
    client: Client, wire: Wire, errors: Errors, text: str
) -> None:
    client.track("u1", "Bad", timestamp=text)
    client.track("u1", "Good")
    assert client.flush()
    assert [event["event"] for event in wire.kept] == ["Good"]
    [(error, _)] = errors
    assert ".timestamp" in str(error)


def test_what_an_app_changes_after_the_call_changes_no_event(client: Client, wire: Wire) -> None:
    properties = {"n": 1}
    client.track("u1", "E", properties)
    properties["n"] = 2
    assert client.flush()
    assert wire.kept[0]["properties"] == {"n": 1}


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    "arguments",
    [
        {"event": None},
        {"event": "E", "properties": [1]},
        {"event": "E", "context": "x"},
        {"event": "E", "timestamp": object()},
        {"event": "E", "user_id": "u" * 2000},
        {"event": "E", "nonsense": 1},
    ],
)
def test_bad_input_is_told_of_and_never_raised(
    client: Client, wire: Wire, errors: Errors, arguments: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "satsuma"):
        client.track(**{"user_id": "u1", **arguments})
    client.track("u1", "Good")
    assert client.flush()
    assert [event["event"] for event in wire.kept] == ["Good"]
    assert len(errors) == len(caplog.records) == 1


def test_an_on_error_that_raises_reaches_nobody(wire: Wire) -> None:
    def on_error(error: Exception, events: list[Any]) -> None:
        raise RuntimeError("mine")

    with Client("demo", "http://collector.test", transport=wire, on_error=on_error) as client:
        client.track("u1")


@pytest.mark.parametrize("arguments", [("", "http://x.test"), ("k", "collector.test"), ("k", "ftp://x.test")])
def test_a_client_that_cannot_work_says_so_at_once(arguments: tuple[str, str]) -> None:
    with pytest.raises(ArgumentError):
        Client(*arguments)


def test_a_batch_has_at_most_a_hundred_events_and_500_kb(client: Client, wire: Wire) -> None:
    wire.open.clear()
    for number in range(250):
        client.track("u1", "E", {"n": number})
    for number in range(30):
        client.track("u1", "Large", {"n": number, "x": "y" * 30_000})
    wire.open.set()
    assert client.flush(30)
    assert [event["properties"]["n"] for event in wire.kept] == [*range(250), *range(30)]
    assert max(map(len, wire.posts)) == 100
    assert all(sum(len(str(event)) for event in post) < 500 * 1024 for post in wire.posts)


@pytest.mark.parametrize("failure", [500, 429, 408, OSError("gone")])
def test_what_fails_is_sent_again_just_the_same(client: Client, wire: Wire, errors: Errors, failure: Any) -> None:
    wire.answers = [failure]
    client.track("u1", "E")
    assert client.flush()
    first, second = wire.posts
    assert first == second == wire.kept
    assert errors == []


def test_retry_after_is_waited_for(client: Client, wire: Wire) -> None:
    wire.answers = [Answer(429, retry_after=900)]
    client.track("u1", "E")
    wire.arrived.acquire()
    client.track("u1", "F")
    assert client.flush()
    # However busy the machine is, it is never early: the backoff alone would be over sooner.
    assert wire.times[1] - wire.times[0] >= 0.89
    assert [event["event"] for event in wire.kept] == ["E", "F"]


def test_flush_is_done_only_once_all_is_told(wire: Wire) -> None:
    told, go_on = threading.Event(), threading.Event()

    def on_error(error: Exception, events: list[Any]) -> None:
        told.set()
        assert go_on.wait(10)

    wire.answers = [400]
    with Client("demo", "http://x.test", transport=wire, on_error=on_error, batch_wait=0) as client:
        client.track("u1", "E")
        assert told.wait(10)
        assert not client.flush(0.05)
        go_on.set()
        assert client.flush()


def test_what_a_redirect_keeps_from_being_stored_is_tried_again(client: Client, wire: Wire, errors: Errors) -> None:
    wire.answers = [301, 200]
    client.track("u1", "E")
    assert client.flush()
    assert errors == []
    assert len(wire.posts) == 2
    assert [event["event"] for event in wire.kept] == ["E"]


@pytest.mark.parametrize("status", [400, 401, 403, 413, 501])
def test_what_is_refused_is_told_of(client: Client, wire: Wire, errors: Errors, status: int) -> None:
    wire.answers = [status]
    client.track("u1", "E")
    assert client.flush()
    [(error, events)] = errors
    assert isinstance(error, DroppedError)
    assert error.reason == f"refused {status}"
    assert [event["event"] for event in events] == ["E"]


def test_a_full_queue_drops_the_oldest_and_tells_so(wire: Wire, errors: Errors) -> None:
    wire.open.clear()
    with make(wire, errors, max_queue=3, batch_size=1) as client:
        for number in range(6):
            client.track("u1", f"E{number}")
            if number == 0:
                wire.arrived.acquire()
        wire.open.set()
    assert [event["event"] for event in wire.kept] == ["E0", "E3", "E4", "E5"]
    assert [event["event"] for _, events in errors for event in events] == ["E1", "E2"]
    assert client.delivery.dropped == {"queue full": 2}


def test_the_queue_is_bounded_in_bytes_too(wire: Wire, errors: Errors) -> None:
    wire.open.clear()
    with make(wire, errors, max_queue_bytes=50_000) as client:
        for number in range(4):
            client.track("u1", f"E{number}", {"x": "y" * 20_000})
            if number == 0:
                wire.arrived.acquire()
        wire.open.set()
    assert [event["event"] for event in wire.kept] == ["E0", "E2", "E3"]


def test_after_close_calls_are_told_of(client: Client, wire: Wire, errors: Errors) -> None:
    client.track("u1", "Before")
    assert client.close()
    assert client.track("u1", "After") is None
    assert client.close()
    assert [event["event"] for event in wire.kept] == ["Before"]
    assert [str(error) for error, _ in errors] == ["closed: the client was closed before the call"]


def test_what_can_not_be_sent_before_the_end_is_told_of(wire: Wire, errors: Errors) -> None:
    wire.answers = [500] * 1000
    client = make(wire, errors)
    client.track("u1", "E")
    wire.arrived.acquire()
    assert not client.close(0.05)
    assert [event["event"] for _, events in errors for event in events] == ["E"]


def test_calls_made_by_on_error_are_made(wire: Wire) -> None:
    def on_error(error: Exception, events: list[Any]) -> None:
        client.track("u1", "Trouble")
        client.flush(5)

    wire.answers = [400]
    client = Client("demo", "http://x.test", transport=wire, on_error=on_error, batch_wait=0.01)
    client.track("u1", "E")
    client.flush(5)
    client.close()
    assert [event["event"] for event in wire.kept] == ["Trouble"]


def test_many_threads_lose_nothing_and_keep_their_order(client: Client, wire: Wire) -> None:
    def work(name: str) -> None:
        for number in range(200):
            client.track(name, "E", {"n": number})

    threads = [threading.Thread(target=work, args=(f"u{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.flush()
    by_user: dict[str, list[int]] = {}
    for event in wire.kept:
        by_user.setdefault(event["userId"], []).append(event["properties"]["n"])
    assert by_user == {f"u{number}": list(range(200)) for number in range(8)}


def test_an_event_loop_is_not_held_up(wire: Wire) -> None:
    async def run() -> bool:
        async with Client("demo", "http://x.test", transport=wire) as client:
            wire.open.clear()
            client.track("u1", "E")
            flushing = asyncio.create_task(client.flush_async())
            while not wire.posts:
                await asyncio.sleep(0)
            wire.open.set()
            return await flushing

    assert asyncio.run(run())


def test_an_event_in_the_tracking_apis_own_form_is_taken(client: Client, wire: Wire) -> None:
    event = {"type": "track", "event": "E", "userId": "u1", "messageId": "m1"}
    assert client.enqueue(event) == "m1"
    assert client.flush()
    assert wire.kept == [event]
    client.refuse("x", EventError("", "y"))
