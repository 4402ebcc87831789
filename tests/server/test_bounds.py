"""What hostile input has broken, or made cost far more than it costs to send."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest
from satsuma_server.errors import BusyError, UnavailableError
from satsuma_server.ingest.client_info import LONGEST_AGENT
from satsuma_server.ingest.decode import MAX_BATCH_EVENTS
from satsuma_server.log import Arrivals, Refused, Stored
from satsuma_server.log.follower import Follower
from satsuma_server.log.sqlite import SqliteLog
from satsuma_server.testing import Collector

EVENT = b'{"event":"E","anonymousId":"a",%s}'


@pytest.mark.parametrize("name", ["messageId", "userId", "writeKey", "odd"])
def test_a_lone_surrogate_becomes_what_every_reader_takes(
    collector: Collector, client: httpx.Client, name: str
) -> None:
    for body in (EVENT % (b'"%s":"a\\ud800b\\ud83d\\ude00"' % name.encode()), EVENT % b'"messageId":"after"'):
        assert client.post("/v1/track", content=body).status_code == 200
    first, after = collector.events()
    assert first[name] == "a\ufffdb\U0001f600"
    assert after["messageId"] == "after"


@pytest.mark.parametrize(
    ("raw", "kept"),
    [("1e999", None), ("-1e999", None), ("9" * 5000, None), ("9" * 20, 1e20), ("9" * 19, 10**19 - 1), ("-0", 0)],
)
def test_a_number_beyond_all_bounds_is_null(collector: Collector, client: httpx.Client, raw: str, kept: object) -> None:
    body = EVENT % b'"properties":{"number":%s,"odd":"\\ud800"}' % raw.encode()
    assert client.post("/v1/track", content=body).status_code == 200
    assert collector.events()[0]["properties"]["number"] == kept


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59.9999Z", 253402300800000]
)
def test_a_time_beyond_the_calendar_in_utc_loses_nothing(
    collector: Collector, client: httpx.Client, moment: str | int
) -> None:
    event = {"type": "page", "userId": "u", "timestamp": moment}
    assert client.post("/v1/batch", json={"batch": [event], "sentAt": moment}).status_code == 200
    assert collector.events()[0]["originalTimestamp"] == collector.events()[0]["receivedAt"]


def test_a_batch_cannot_grow_by_its_context(collector: Collector, client: httpx.Client) -> None:
    batch = [{"type": "page", "userId": "u"}] * 1000
    assert client.post("/v1/batch", json={"batch": batch, "context": {"a": "x" * 10_000}}).status_code == 400
    assert client.post("/v1/batch", json={"batch": batch, "context": {"a": "x" * 1000}}).status_code == 200
    deep = b'{"context":{"a":%s},"batch":[%s]}' % (b"[" * 65 + b"]" * 65, json.dumps(batch[0]).encode())
    answer = client.post("/v1/batch", content=deep)
    assert (answer.status_code, answer.json()["error"]["path"]) == (400, ".context")
    assert len(collector.events()) == 1000


def test_a_batch_has_a_bound_on_its_events(client: httpx.Client) -> None:
    answer = client.post("/v1/batch", json={"batch": [0] * (MAX_BATCH_EVENTS + 1)})
    assert (answer.status_code, answer.json()["error"]["path"]) == (400, ".batch")


def test_what_every_event_gets_of_the_request_is_short(collector: Collector, client: httpx.Client) -> None:
    event = {"event": "E", "anonymousId": "a"}
    assert client.post("/v1/track", json={**event, "writeKey": "k" * 2000}).status_code == 401
    assert client.post("/v1/track", json=event, headers={"user-agent": "x" * 5000}).status_code == 200
    assert collector.events()[0]["context"]["userAgent"] == "x" * LONGEST_AGENT


def test_a_path_that_is_not_there_is_told_in_our_form(client: httpx.Client) -> None:
    assert client.get("/v1/nothing").json() == {"success": False, "error": {"message": "Not Found"}}
    assert client.post("/v1/events").json() == {"success": False, "error": {"message": "Method Not Allowed"}}


def test_a_job_that_cannot_be_written_takes_no_other_down(tmp_path: Path) -> None:
    async def run() -> None:
        log = SqliteLog(tmp_path)
        now = time.time() * 1000
        ids = ["a", "\ud800", "b", "c"]
        jobs = (log.append(Arrivals("demo", now, [one], [b'{"n":1}'])) for one in ids)
        async with asyncio.timeout(10):
            outcomes = await asyncio.gather(*jobs, return_exceptions=True)
            assert [type(one) for one in outcomes] == [int, UnavailableError, int, int]
            assert [event.seq for event in await log.read()] == [1, 2, 3]
        await log.close()

    asyncio.run(run())


def test_what_is_refused_counts_as_waiting_too(tmp_path: Path) -> None:
    async def run() -> None:
        log = SqliteLog(tmp_path, max_pending_bytes=1000)
        with pytest.raises(BusyError):
            await log.append(Arrivals("demo", 1.0, refused=[Refused("is no event", b"x" * 600)] * 2))
        assert await log.append(Arrivals("demo", 1.0, refused=[Refused("is no event", b"x" * 600)])) == 0
        await log.close()

    asyncio.run(run())


def test_a_follower_outlives_a_log_that_takes_no_cursor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("satsuma_server.backoff.FIRST_SECONDS", 0.001)
    tries = 0

    class FullLog(SqliteLog):
        async def save_cursor(self, name: str, seq: int) -> None:
            nonlocal tries
            tries += 1
            if tries == 1:
                raise UnavailableError("the log can't write")
            await super().save_cursor(name, seq)
            saved.set()

    async def handle(events: Sequence[Stored]) -> None:
        pass

    async def run() -> None:
        log = FullLog(tmp_path)
        follower = Follower(log, "test", handle)
        follower.start()
        await log.append(Arrivals("demo", 1.0, ["a"], [b'{"n":1}']))
        async with asyncio.timeout(10):
            await saved.wait()
        assert await log.cursor("test") == 1
        await follower.stop()
        await log.close()

    saved = asyncio.Event()
    asyncio.run(run())
