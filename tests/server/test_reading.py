"""Stored events are read back with their source, by filters, and page by page."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from satsuma_server.read_api import event_pages
from satsuma_server.testing import Collector, running

TOKEN = {"Authorization": "Bearer test-token"}
NEXT = "X-Satsuma-Next-After"


def post(url: str, key: str, *events: dict[str, Any]) -> None:
    httpx.post(f"{url}/v1/batch", json={"batch": events}, auth=(key, ""), trust_env=False).raise_for_status()


def track(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "track", "event": name, "anonymousId": "a", **more}


@pytest.fixture
def reader(collector: Collector) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=collector.url, headers=TOKEN, trust_env=False, timeout=60) as opened:
        yield opened


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Six events of two sources that nobody changes."""
    with running(tmp_path_factory.mktemp("library")) as collector:
        post(collector.url, "shop", track("1"), track("2", userId="u"), {"type": "page", "name": "3", "userId": "u"})
        post(collector.url, "blog", track("4", userId="u"), track("5", anonymousId="b"), track("6", userId="v é&+"))
        with httpx.Client(base_url=collector.url, headers=TOKEN, trust_env=False, timeout=60) as opened:
            yield opened


def rows(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.content.splitlines()]


def names(answer: httpx.Response) -> str:
    return "".join(row.get("event") or row["name"] for row in rows(answer))


@pytest.mark.parametrize("way", ["Basic auth", "a batch", "a single call", "a pixel"])
def test_every_row_names_its_source(reader: httpx.Client, way: str) -> None:
    event = track("E")
    match way:
        case "Basic auth":
            reader.post("/v1/track", json=event, auth=("shop", ""))
        case "a batch":
            reader.post("/v1/batch", json={"batch": [event], "writeKey": "shop"})
        case "a single call":
            reader.post("/v1/track", json={**event, "writeKey": "shop"})
        case "a pixel":
            reader.get(
                "/v1/pixel/track", params={"data": "eyJldmVudCI6IkUiLCJhbm9ueW1vdXNJZCI6ImEiLCJ3cml0ZUtleSI6InNob3AifQ"}
            )
    [row] = rows(reader.get("/v1/events"))
    assert (row["writeKey"], row["event"], row["seq"]) == ("shop", "E", 1)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"source": "shop"}, "123"),
        ({"source": ["shop", "blog"]}, "123456"),
        ({"source": "nobody"}, ""),
        ({"type": "page"}, "3"),
        ({"type": ["page", "track"], "userId": "u"}, "234"),
        ({"userId": "v é&+"}, "6"),
        ({"userId": ["u", "v é&+"], "source": "blog"}, "46"),
        ({"anonymousId": "b"}, "5"),
        ({"anonymousId": "b", "userId": "u"}, ""),
        ({"userId": "U"}, ""),
        ({"userId": "u", "type": "track", "after": "2"}, "4"),
        ({"userId": "u", "limit": "2"}, "23"),
        ({"userId": "u", "last": "3"}, "4"),
        ({"receivedAfter": "2020-01-01T00:00:00Z"}, "123456"),
        ({"receivedBefore": "2020-01-01"}, ""),
        ({"receivedAfter": "2999-01-01T00:00:00+02:00"}, ""),
        ({"receivedAfter": "2020-01-01", "receivedBefore": "2999-01-01", "source": "blog", "type": "track"}, "456"),
    ],
)
def test_filters_choose_and_combine(library: httpx.Client, query: dict[str, Any], found: str) -> None:
    assert names(library.get("/v1/events", params=query)) == found


def test_a_time_is_taken_to_the_millisecond_and_ranges_that_meet_share_nothing(library: httpx.Client) -> None:
    middle = rows(library.get("/v1/events"))[3]["receivedAt"]
    before = names(library.get("/v1/events", params={"receivedBefore": middle}))
    after = names(library.get("/v1/events", params={"receivedAfter": middle}))
    assert "4" in after
    assert before + after == "123456"


@pytest.mark.parametrize(
    "query",
    ["type=purchase", "type=", "source=", "userId=", "anonymousId=", "receivedAfter=yesterday", "receivedBefore="],
)
@pytest.mark.parametrize("follow", ["", "&follow=1"])
def test_a_filter_that_can_not_be_met_is_told(library: httpx.Client, query: str, follow: str) -> None:
    answer = library.get(f"/v1/events?{query}{follow}")
    assert answer.status_code == 400
    assert answer.json()["error"]["path"] == f"?{query.partition('=')[0]}"


def walk(client: httpx.Client, look: Callable[[httpx.Response], None] = lambda answer: None, **query: Any) -> list[str]:
    """Return the names of all events, page by page, as a reader asks for them."""
    after, pages = 0, []
    while True:
        answer = client.get("/v1/events", params={**query, "after": after})
        look(answer)
        pages.append(names(answer))
        following = int(answer.headers[NEXT])
        if following == after:
            return pages
        assert following > after
        after = following


@pytest.mark.parametrize(
    ("bounds", "query", "pages"),
    [
        ({}, {}, ["123456", ""]),
        ({}, {"limit": 4}, ["1234", "56", ""]),
        ({}, {"limit": 1, "userId": "u"}, ["2", "3", "4", "", ""]),
        ({}, {"limit": 0}, [""]),
        ({"MOST_SCANNED": 2}, {"anonymousId": "b"}, ["", "", "5", ""]),
        ({"MOST_SCANNED": 4}, {}, ["1234", "56", ""]),
        ({"MOST_SCANNED_BYTES": 1}, {"type": "page"}, ["", "", "3", "", "", "", ""]),
        ({"PORTION": 1}, {"userId": "u"}, ["234", ""]),
        ({"PORTION_BYTES": 1}, {"limit": 5}, ["12345", "6", ""]),
    ],
)
def test_a_reader_goes_on_where_a_request_came_to_its_bounds(
    library: httpx.Client,
    monkeypatch: pytest.MonkeyPatch,
    bounds: dict[str, int],
    query: dict[str, Any],
    pages: list[str],
) -> None:
    for name, bound in bounds.items():
        monkeypatch.setattr(event_pages, name, bound)
    assert walk(library, **query) == pages


def test_what_comes_later_is_found_from_where_a_reader_has_stopped(collector: Collector, reader: httpx.Client) -> None:
    post(collector.url, "shop", track("1"), track("2"))
    after = reader.get("/v1/events?userId=u").headers[NEXT]
    assert after == "2"
    post(collector.url, "shop", track("3", userId="u"))
    assert names(reader.get(f"/v1/events?userId=u&after={after}")) == "3"


def test_filters_hold_for_those_who_follow(collector: Collector, reader: httpx.Client) -> None:
    post(collector.url, "shop", track("1"), track("2", userId="u"))
    with reader.stream("GET", "/v1/events?follow=1&userId=u&source=shop") as answer:
        lines = answer.iter_lines()
        assert json.loads(next(lines))["event"] == "2"
        post(collector.url, "blog", track("3", userId="u"))
        post(collector.url, "shop", track("4"), track("5", userId="u"))
        row = json.loads(next(lines))
        assert (row["event"], row["writeKey"], row["seq"]) == ("5", "shop", 5)


def test_an_event_that_can_not_be_read_costs_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    stored = [event_pages.Stored(1, "k", b"no JSON"), event_pages.Stored(2, "k", b'{"event":"E","userId":5}')]
    everything = event_pages.EventFilter()
    assert event_pages._take(stored, 9, everything) == (2, 2, b'{"event":"E","userId":5,"writeKey":"k","seq":2}\n')
    assert [record.seq for record in caplog.records] == [1]  # type: ignore[attr-defined]
    assert event_pages._take(stored, 9, event_pages.EventFilter(user_ids=frozenset({"5"}))) == (0, 2, b"")
