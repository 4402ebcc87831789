"""What an event says of itself in the collector's name: whose source it is, and where it stands in the log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from satsuma_server.testing import Collector, running

OWN = ("writeKey", "seq")
FORGED = b'"type":"track","event":"E","anonymousId":"a"'


@pytest.fixture
def victims(tmp_path: Path) -> Iterator[Collector]:
    with running(tmp_path, write_keys=frozenset({"shop", "victim"})) as collector:
        yield collector


def read(collector: Collector, **query: Any) -> list[list[tuple[str, Any]]]:
    """Return the rows with all their members, those of one name one after the other."""
    headers = {"Authorization": f"Bearer {collector.token}"}
    answer = httpx.get(f"{collector.url}/v1/events", params=query, headers=headers, trust_env=False, timeout=60)
    return [json.loads(line, object_pairs_hook=lambda pairs: pairs) for line in answer.content.split(b"\n")[:-1]]


def own(row: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in row if name in OWN]


@pytest.mark.parametrize(
    "forged",
    [
        b'"writeKey":"victim"',
        b'"seq":999',
        b'"seq":999,"writeKey":"victim"',
        b'"\\u0073eq":999,"write\\u004bey":"victim"',
        b'"seq":1,"seq":[999],"writeKey":null,"writeKey":{"a":"victim"}',
        b'"seq":"999,\\"seq\\":7","odd":"\\"writeKey\\":\\"victim\\""',
        b'"seq":9e99999,"writeKey":"victim\\ud800"',
    ],
)
@pytest.mark.parametrize("way", ["single", "batch"])
def test_no_event_says_whose_it_is_or_where_it_stands(victims: Collector, forged: bytes, way: str) -> None:
    event = b"{%s,%s}" % (FORGED, forged)
    body, path = (event, "track") if way == "single" else (b'{"batch":[%s],"writeKey":"shop"}' % event, "batch")
    # A header is looked at before the body.
    auth = ("shop", "") if way == "single" else None
    answer = httpx.post(f"{victims.url}/v1/{path}", content=body, auth=auth, trust_env=False, timeout=60)
    assert answer.status_code == 200, answer.text
    [row] = read(victims)
    assert own(row) == [("writeKey", "shop"), ("seq", 1)]
    assert dict(row)["event"] == "E"


def test_a_forged_source_is_found_by_no_filter_for_it(victims: Collector) -> None:
    body = {"batch": [{"type": "track", "event": "E", "anonymousId": "a", "writeKey": "victim"}], "writeKey": "shop"}
    httpx.post(f"{victims.url}/v1/batch", json=body, trust_env=False, timeout=60).raise_for_status()
    assert read(victims, source="victim") == []
    assert [own(row) for row in read(victims, source="shop")] == [[("writeKey", "shop"), ("seq", 1)]]


def test_nor_does_one_of_these_names_within_an_event_matter(victims: Collector) -> None:
    inner = {"writeKey": "mine", "seq": 7}
    event = {"event": "E", "anonymousId": "a", "properties": inner, "context": inner}
    httpx.post(f"{victims.url}/v1/track", json=event, auth=("shop", ""), trust_env=False, timeout=60).raise_for_status()
    told = victims.events()[0]
    assert told["properties"] == inner
    assert (told["writeKey"], told["seq"]) == ("shop", 1)
