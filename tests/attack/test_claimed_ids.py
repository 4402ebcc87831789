"""Somebody guesses the messageId of an event to come, and uses it first."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from satsuma_server.log import Arrivals
from satsuma_server.log.database import FILE, connect
from satsuma_server.log.dedupe import MessageIds
from satsuma_server.log.repetitions import sort_out
from satsuma_server.log.sqlite import SqliteLog
from satsuma_server.testing import Collector, running

Event = dict[str, Any]

ID = "order-1001"
TRUE: Event = {
    "type": "track",
    "event": "Order Completed",
    "messageId": ID,
    "userId": "ann",
    "properties": {"total": 99, "products": [{"sku": "a"}]},
}
OTHERS: list[Event] = [
    {**TRUE, "properties": {"total": 0}},
    {**TRUE, "userId": "bob"},
    {**TRUE, "event": "Order Cancelled"},
    {"type": "identify", "messageId": ID, "userId": "ann", "traits": {"plan": "none"}},
    {"type": "page", "messageId": ID, "anonymousId": "a"},
]
TRIES: list[Event] = [
    {**TRUE, "sentAt": "2026-11-28T10:00:05Z", "timestamp": "2026-11-28T10:00:00Z"},
    {**TRUE, "sentAt": "2026-11-28T10:01:00Z", "timestamp": "2026-11-28T10:00:00Z", "_metadata": {"retryCount": 2}},
    {**TRUE, "context": {"satsuma": {"queued": 3, "retries": 1}, "ip": "198.51.100.7", "userAgent": "another"}},
    {**TRUE, "writeKey": "shop", "integrations": {"All": True}, "channel": "server", "anonymousId": None},
]
"""One event, as clients send it again: what they change is not the event's."""


def post(url: str, *events: Event, key: str = "shop") -> None:
    answer = httpx.post(f"{url}/v1/batch", json={"batch": events}, auth=(key, ""), trust_env=False, timeout=60)
    assert answer.status_code == 200, answer.text


def kept(collector: Collector) -> list[tuple[str, str, str | None, Any]]:
    rows = collector.events()
    return [(row["messageId"], row.get("event") or row["type"], row["userId"], row.get("properties")) for row in rows]


def ids(collector: Collector) -> list[str]:
    return [row["messageId"] for row in collector.events()]


@pytest.mark.parametrize("other", OTHERS, ids=str)
@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "apart"])
def test_the_true_event_is_kept_however_its_id_was_claimed(collector: Collector, other: Event, together: bool) -> None:
    for events in [(other, TRUE)] if together else [(other,), (TRUE,)]:
        post(collector.url, *events)
    claimed, true = kept(collector)
    assert claimed[0] == ID
    assert true[1:] == ("Order Completed", "ann", TRUE["properties"])
    assert re.fullmatch(rf"{ID}\.[0-9a-f]{{16}}", true[0])


def test_what_a_client_changes_between_two_tries_makes_no_second_event(collector: Collector) -> None:
    for event in TRIES:
        post(collector.url, event)
    post(collector.url, *TRIES)
    single = {name: value for name, value in TRUE.items() if name != "type"}
    httpx.post(f"{collector.url}/v1/track", json=single, auth=("shop", ""), trust_env=False).raise_for_status()
    assert ids(collector) == [ID]


def test_nor_does_it_where_the_id_was_claimed_also_after_a_restart(tmp_path: Path) -> None:
    with running(tmp_path) as collector:
        post(collector.url, OTHERS[0])
        for event in TRIES:
            post(collector.url, event)
        before = ids(collector)
        assert len(before) == 2
    with running(tmp_path) as collector:
        post(collector.url, *TRIES, OTHERS[0], TRUE)
        assert ids(collector) == before
        post(collector.url, OTHERS[1])
        assert len({*ids(collector)}) == 3


def test_an_id_is_another_in_another_source(collector: Collector) -> None:
    post(collector.url, OTHERS[0], key="evil")
    post(collector.url, TRUE)
    assert ids(collector) == [ID, ID]


def test_ids_that_can_not_be_made_longer_are_cut(collector: Collector) -> None:
    long = {**TRUE, "messageId": "m" * 1024}
    post(collector.url, {**OTHERS[0], "messageId": "m" * 1024}, long)
    post(collector.url, long)
    first, second = ids(collector)
    assert (len(second), first == second) == (1024, False)
    post(collector.url, {**TRUE, "messageId": second})


def test_nobody_takes_the_id_that_the_true_event_would_get(tmp_path: Path) -> None:
    with running(tmp_path / "known") as collector:
        post(collector.url, OTHERS[0], TRUE)
        own = ids(collector)[1]
    with running(tmp_path / "attacked") as collector:
        post(collector.url, OTHERS[0], {**OTHERS[0], "messageId": own})
        post(collector.url, TRUE)
        post(collector.url, {**OTHERS[0], "messageId": own}, TRUE)
        assert len(ids(collector)) == 3
        [found] = [row[0] for row in kept(collector) if row[3] == TRUE["properties"]]
        assert (found, ids(collector).count(own)) == (own, 1)


def test_thousands_under_one_messageid_are_looked_up_at_once() -> None:
    class Counted(MessageIds):
        calls = 0

        def unseen(self, keys: Sequence[int]) -> list[bool]:
            self.calls += 1
            return super().unseen(keys)

    seen = Counted(1e9)
    hashes = [f"{number:016x}" for number in range(10_000)]
    arrivals = Arrivals("shop", 1.0, [ID] * 10_000, [b"{}"] * 10_000, hashes=hashes)
    assert all(sort_out([arrivals], seen).fresh)
    assert seen.calls < 10
    assert len({*arrivals.message_ids}) == 10_000


def test_an_older_log_is_still_read_and_its_events_are_not_kept_twice(tmp_path: Path) -> None:
    with running(tmp_path) as collector:
        post(collector.url, TRUE)
    connection = connect(tmp_path / FILE)
    connection.execute("UPDATE blocks SET message_ids = ?", (json.dumps([ID]),))
    connection.close()
    with running(tmp_path) as collector:
        post(collector.url, TRIES[1])
        assert ids(collector) == [ID]


def test_no_hash_of_an_erased_event_stays(tmp_path: Path) -> None:
    class Everything:
        def may_concern(self, block: bytes) -> bool:
            return True

        def redact(self, source: str, body: bytes) -> bytes:
            return b"" if b"gone" in body else body.replace(b"ann", b"")

        def names(self, text: bytes) -> bool:
            return True

    async def work() -> None:
        log = SqliteLog(tmp_path)
        bodies = [b'{"n":"gone"}', b'{"n":"ann"}', b'{"n":"other"}']
        await log.append(Arrivals("shop", 1.0, ["a", "b", "c"], bodies, hashes=["1" * 16, "2" * 16, "3" * 16]))
        await log.erase(Everything())
        await log.close()

    asyncio.run(work())
    connection = connect(tmp_path / FILE)
    [(text,)] = connection.execute("SELECT message_ids FROM blocks").fetchall()
    connection.close()
    assert msgspec.json.decode(text) == [["", "b", "c"], ["", "", "3" * 16]]


CALL: Event = {"id": "ajs-a70b8df2a1964866b2d24ae21deeaaf6", "u": "http://shop.example/", "at": 1_780_000_000_000}


def early(url: str, note: Event) -> None:
    calls = [["track", "Seen", {"__t": "bpc", **note}]]
    body = {"writeKey": "shop", "calls": calls, "cookies": "", "items": {}}
    answer = httpx.post(f"{url}/v1/early", content=json.dumps(body), trust_env=False, timeout=60)
    assert answer.status_code == 200, answer.text


def test_what_a_page_makes_again_because_it_got_no_answer_is_kept_once(collector: Collector) -> None:
    again: Event = {"type": "track", "event": "Seen", "messageId": CALL["id"], "userId": "ann", "anonymousId": "a"}
    early(collector.url, CALL)
    post(collector.url, again)
    assert ids(collector) == [CALL["id"]]


def test_nor_is_it_where_the_collector_makes_it_after_the_page(collector: Collector) -> None:
    again: Event = {"type": "track", "event": "Seen", "messageId": CALL["id"], "userId": "ann", "anonymousId": "a"}
    post(collector.url, again)
    early(collector.url, CALL)
    assert ids(collector) == [CALL["id"]]


def test_calls_claim_no_messageid_that_can_be_guessed(collector: Collector) -> None:
    early(collector.url, {**CALL, "id": ID})
    post(collector.url, TRUE)
    assert [name for _, name, _, _ in kept(collector)] == ["Seen", "Order Completed"]


def test_nor_is_it_where_another_page_makes_it_again(collector: Collector) -> None:
    event: Event = {"type": "track", "event": "Seen", "messageId": CALL["id"], "anonymousId": "a"}
    post(collector.url, event)
    post(collector.url, {**event, "userId": "ann"})
    post(collector.url, {**event, "userId": "ann", "messageId": CALL["id"].replace("4866", "3866")})
    assert len(ids(collector)) == 2


def test_both_are_told_apart_also_in_one_commit() -> None:
    made, again = (Arrivals("shop", 1.0, ["m"], [b"{}"], hashes=[hash]) for hash in ("", "1"))
    assert sort_out([made, again], MessageIds(1e9)).fresh == [True, False]
    assert sort_out([again, made], MessageIds(1e9)).fresh == [True, False]
