"""What a batch says of all its events."""

from __future__ import annotations

import httpx
import pytest
from satsuma_server.testing import Collector

DEEP = b'{"a":' + b"[" * 9_000 + b"]" * 9_000 + b"}"
LARGE = b'{"a": "' + b"y" * 30_000 + b'"}'


def test_what_a_batch_says_of_all_its_events_lies_under_their_own(collector: Collector, client: httpx.Client) -> None:
    event = {"type": "track", "event": "E", "userId": "u"}
    own = {"context": {"locale": "cs"}, "integrations": {"A": False}}
    shared = {"context": {"locale": "en", "app": 1}, "integrations": {"A": True, "B": True}}
    body = {"batch": [{**event, **own}, event], "sentAt": "2020-01-01T00:00:00.000Z", **shared}
    assert client.post("/v1/batch", json=body).json() == {"success": True}
    first, second = collector.events()
    assert first["context"].items() >= {"locale": "cs", "app": 1}.items()
    assert second["context"].items() >= shared["context"].items()
    assert (first["integrations"], second["integrations"]) == ({"A": False, "B": True}, shared["integrations"])
    assert first["sentAt"] == second["sentAt"] == body["sentAt"]


def test_what_a_batch_does_not_say_changes_nothing(collector: Collector, client: httpx.Client) -> None:
    batch = [{"type": "track", "event": "E", "userId": "u"}]
    client.post("/v1/batch", json={"batch": batch, "context": None, "integrations": None}).raise_for_status()
    [event] = collector.events()
    assert "integrations" not in event


@pytest.mark.parametrize("name", ["context", "integrations"])
@pytest.mark.parametrize(
    ("shared", "events", "what"),
    [
        (b"7", 1, "not a JSON object"),
        (DEEP, 1, "too deeply"),
        (LARGE, 1_000, "send smaller batches"),
        (LARGE.replace(b"y", b"yy"), 1, "the limit is 32768"),
    ],
)
def test_what_cannot_be_given_to_all_events_is_refused(
    client: httpx.Client, name: str, shared: bytes, events: int, what: str
) -> None:
    """A small batch can't be made to fill the collector's memory by a context that is copied a thousand times."""
    body = b'{"batch": [%s], "%s": %s}' % (b",".join([b"{}"] * events), name.encode(), shared)
    answer = client.post("/v1/batch", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["path"] == f".{name}"
    assert what in answer.json()["error"]["message"]


GOOD = b'{"type":"track","event":"Good","userId":"u"}'


def test_half_a_surrogate_pair_costs_a_batch_nothing(collector: Collector, client: httpx.Client) -> None:
    """`JSON.stringify` writes it where a page cuts a text in the midst of an emoji."""
    halves = rb'{"event":"Half","type":"track","userId":"u","properties":{"a":"x \ud83d","b":"\\ud83d \ud83d\ude00"}}'
    answer = client.post("/v1/batch", content=b'{"batch":[%s,%s],"writeKey":"k\\udc00"}' % (GOOD, halves))
    assert answer.json() == {"success": True}
    good, half = collector.events()
    assert good["event"] == "Good"
    assert half["properties"] == {"a": "x \ufffd", "b": "\\ud83d \U0001f600"}


@pytest.mark.parametrize(
    "bad",
    [
        b'{"type":"track","event":"Bad","userId":"u","properties":{"n":NaN}}',
        b'{"event":"]},{[\\x"}',
        b'{"event":"line\nbreak"}',
        b'{"event":"\xff"}',
        b'{"n":01,"m":[{},{"a":[1]}]}',
        b"tru",
        b"",
    ],
)
def test_what_cannot_be_read_of_one_event_reaches_no_other(
    collector: Collector, client: httpx.Client, bad: bytes
) -> None:
    body = b' {"sentAt":"2020-01-01T00:00:00.000Z", "context":{"a":"]"}, "batch": [%s, %s ,%s]}' % (GOOD, bad, GOOD)
    answer = client.post("/v1/batch", content=body)
    assert answer.status_code == 200
    assert [fault["index"] for fault in answer.json()["refused"]] == [1]
    assert [(event["event"], event["context"]["a"]) for event in collector.events()] == [("Good", "]")] * 2
    assert [event["sentAt"] for event in collector.events()] == ["2020-01-01T00:00:00.000Z"] * 2


@pytest.mark.parametrize(
    "body",
    [
        b'{"batch":[%s,{"n":NaN]}' % GOOD,
        b'{"batch":[%s,{"n":NaN}]} {}' % GOOD,
        b'{"batch":[%s,{"n":"NaN}]}' % GOOD,
        b'{"batch":[%s],NaN}' % GOOD,
        b'[{"n":NaN}]',
        b'{"batch":{"n":NaN}}',
        b'{"batch":[' + b"[]," * 150_000 + b"NaN]}",
    ],
)
def test_what_is_no_batch_is_refused_whole(collector: Collector, client: httpx.Client, body: bytes) -> None:
    assert client.post("/v1/batch", content=body).status_code == 400
    assert collector.events() == []
