"""The tracking API over real HTTP: what is accepted, what is refused, and what the answer says."""

from __future__ import annotations

import base64
import gzip
import json
import socket
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from satsuma_server.app import create_app
from satsuma_server.http.timeouts import TimeLimitedProtocol
from satsuma_server.settings import Settings, Source
from satsuma_server.testing import Collector, running, serving
from starlette.applications import Starlette
from starlette.routing import Mount

TRACK: dict[str, Any] = {"event": "Signed Up", "anonymousId": "a1", "writeKey": "demo", "messageId": "m1"}

DEEP = b"[" * 9_000 + b"]" * 9_000

CALLS = {
    "identify": {"traits": {"email": "e"}},
    "track": {"event": "E"},
    "page": {"properties": {}},
    "screen": {"name": "S"},
    "group": {"groupId": "g"},
    "alias": {"userId": "new", "previousId": "old"},
}


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("short", [False, True])
def test_every_call_is_stored(collector: Collector, client: httpx.Client, kind: str, short: bool) -> None:
    path = f"/v1/{kind[0] if short else kind}"
    answer = client.post(path, json={"anonymousId": "a1", "writeKey": "demo", **CALLS[kind]})
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    [event] = collector.events()
    assert (event["type"], event["anonymousId"], event["seq"]) == (kind, "a1", 1)
    assert {"receivedAt", "timestamp", "originalTimestamp", "sentAt", "messageId", "userId"} <= set(event)


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/b", "/v1/import"])
def test_batches_are_stored_in_order(collector: Collector, client: httpx.Client, path: str) -> None:
    batch = [{"type": "track", "event": f"E{n}", "userId": n} for n in range(5)]
    assert client.post(path, json={"batch": batch, "writeKey": "demo"}).json() == {"success": True}
    assert [(event["event"], event["userId"]) for event in collector.events()] == [(f"E{n}", str(n)) for n in range(5)]
    assert [event["event"] for event in collector.events(after=3)] == ["E3", "E4"]


@pytest.mark.parametrize(
    ("path", "body", "where", "what"),
    [
        ("/v1/track", b"{", "", "not JSON"),
        ("/v1/track", b"[]", "", "not a JSON object"),
        ("/v1/track", b"\xff\xfe", "", "not JSON"),
        ("/v1/track", b'{"event": "E"}', ".userId", "missing"),
        ("/v1/track", b'{"anonymousId": "a"}', ".event", "missing"),
        ("/v1/track", b'{"anonymousId": "a", "event": "E", "x": "' + b"y" * 33_000 + b'"}', "", "the limit is 32768"),
        ("/v1/track", b'{"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}", "", "too deeply"),
        ("/v1/track", b'{"anonymousId": "a", "event": "E", "a":' + DEEP + b"}", "", "too deeply"),
        ("/v1/batch", b'{"batch": [{"type": "purchase", "userId": "u"}]}', ".type", "unknown"),
        ("/v1/batch", b'{"events": []}', ".batch", "missing"),
        ("/v1/batch", b'{"batch": 7}', "", "not a batch"),
        ("/v1/batch", b'{"batch": ["' + b"y" * 520_000 + b'"]}', ".batch", "the limit is 512000"),
    ],
)
def test_a_fault_is_named(client: httpx.Client, path: str, body: bytes, where: str, what: str) -> None:
    answer = client.post(path, content=body, headers={"x-write-key": "demo"})
    assert answer.status_code == 400
    fault = answer.json()["error"]
    assert fault["path"] == where
    assert what in fault["message"]
    assert client.get("/v1/health").status_code == 200


def test_one_bad_event_does_not_lose_the_good_ones(collector: Collector, client: httpx.Client, tmp_path: Path) -> None:
    batch = [{**TRACK, "type": "track"}, {"type": "track", "event": "No id"}, {"type": "page", "userId": "u"}]
    answer = client.post("/v1/batch", json={"batch": batch, "writeKey": "demo"})
    assert answer.status_code == 200
    [refused] = answer.json()["refused"]
    assert (refused["index"], refused["path"]) == (1, ".userId")
    assert [event["type"] for event in collector.events()] == ["track", "page"]
    kept = (
        sqlite3.connect(tmp_path / "collector" / "events.sqlite3").execute("SELECT reason, raw FROM refused").fetchall()
    )
    assert len(kept) == 1
    assert json.loads(kept[0][1])["event"] == "No id"


def test_the_same_message_is_stored_once(collector: Collector, client: httpx.Client) -> None:
    for _ in range(3):
        assert client.post("/v1/track", json=TRACK).json() == {"success": True}
    assert len(collector.events()) == 1


def test_a_message_is_remembered_over_a_restart(tmp_path: Path) -> None:
    for _ in range(2):
        with running(tmp_path) as collector:
            httpx.post(f"{collector.url}/v1/track", json=TRACK, trust_env=False).raise_for_status()
            assert len(collector.events()) == 1


def test_text_and_gzip_bodies_are_read(collector: Collector, client: httpx.Client) -> None:
    plain = json.dumps({**TRACK, "messageId": "plain"})
    packed = gzip.compress(json.dumps({**TRACK, "messageId": "packed"}).encode())
    assert client.post("/v1/t", content=plain, headers={"content-type": "text/plain"}).status_code == 200
    assert client.post("/v1/t", content=packed, headers={"content-encoding": "gzip"}).status_code == 200
    assert [event["messageId"] for event in collector.events()] == ["plain", "packed"]


def test_bodies_are_bounded_also_when_inflated(client: httpx.Client) -> None:
    assert client.post("/v1/batch", content=b"x" * 3_000_000).status_code == 413
    bomb = gzip.compress(b"x" * 50_000_000)
    assert client.post("/v1/batch", content=bomb, headers={"content-encoding": "gzip"}).status_code == 413
    assert client.post("/v1/batch", content=bomb[:-50], headers={"content-encoding": "gzip"}).status_code in (400, 413)
    assert client.post("/v1/batch", content=b"no gzip", headers={"content-encoding": "gzip"}).status_code == 400


def test_the_clock_of_the_visitor_is_corrected(collector: Collector, client: httpx.Client) -> None:
    times = {"timestamp": "2020-01-01T00:00:00.000Z", "sentAt": "2020-01-01T00:00:10.000Z"}
    client.post("/v1/track", json={**TRACK, **times})
    [event] = collector.events()
    assert (event["originalTimestamp"], event["sentAt"]) == (times["timestamp"], times["sentAt"])
    late = datetime.fromisoformat(event["receivedAt"]) - datetime.fromisoformat(event["timestamp"])
    assert late.total_seconds() == pytest.approx(10, abs=0.002)


@pytest.mark.parametrize(
    "timestamp", ["yesterday", 1e300, "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", {}, True, -(10**15)]
)
def test_an_odd_timestamp_loses_nothing(collector: Collector, client: httpx.Client, timestamp: object) -> None:
    assert client.post("/v1/track", json={**TRACK, "timestamp": timestamp, "sentAt": timestamp}).status_code == 200
    [event] = collector.events()
    assert event["timestamp"] <= event["receivedAt"]


@pytest.mark.parametrize("raw", [b'"\\ud800"', b"12345678901234567890123", b'"\\u0000"', b"1e400", b'{"a":1,"a":2}'])
def test_odd_but_valid_json_is_stored(collector: Collector, client: httpx.Client, raw: bytes) -> None:
    body = b'{"event": "E", "anonymousId": "a", "properties": {"odd": ' + raw + b"}}"
    answer = client.post("/v1/track", content=body)
    assert answer.status_code in (200, 400)
    assert len(collector.events()) == (answer.status_code == 200)


def test_only_known_sources_may_write(tmp_path: Path) -> None:
    with (
        running(tmp_path, write_keys=frozenset({"known"})) as collector,
        httpx.Client(base_url=collector.url) as client,
    ):
        assert client.post("/v1/track", json={**TRACK, "writeKey": "other"}).status_code == 401
        assert client.post("/v1/track", json={"event": "E", "anonymousId": "a"}).status_code == 401
        basic = {"authorization": "Basic " + base64.b64encode(b"known:").decode()}
        assert client.post("/v1/track", json={"event": "E", "anonymousId": "a"}, headers=basic).status_code == 200
        assert client.get("/v1/projects/other/settings").status_code == 404


@pytest.mark.parametrize("header", [{}, {"authorization": "Bearer wrong"}, {"authorization": "Basic test-token"}])
def test_events_are_read_with_the_token_only(client: httpx.Client, header: dict[str, str]) -> None:
    assert client.get("/v1/events", headers=header).status_code == 401


def test_a_browser_of_another_origin_may_post(client: httpx.Client) -> None:
    asks = {
        "origin": "https://shop.test",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,x-retry-count",
    }
    preflight = client.options("/v1/t", headers=asks)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "x-retry-count" in preflight.headers["access-control-allow-headers"].lower()
    answer = client.post("/v1/t", json=TRACK, headers={"origin": "https://shop.test"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-expose-headers"] == "Retry-After"


def test_settings_follow_the_host_that_was_asked(client: httpx.Client) -> None:
    settings = client.get("/v1/projects/demo/settings", headers={"host": "collect.shop.test:8080"}).json()
    segment = settings["integrations"]["Segment.io"]
    assert (segment["apiKey"], segment["apiHost"], segment["protocol"]) == ("demo", "collect.shop.test:8080/v1", "http")


def test_metrics_count_what_happened(client: httpx.Client) -> None:
    client.post("/v1/track", json=TRACK)
    client.post("/v1/track", json=TRACK)
    client.post("/v1/track", content=b"{")
    text = client.get("/metrics").text
    assert "satsuma_events_accepted_total 1.0" in text
    assert "satsuma_events_duplicate_total 1.0" in text
    assert 'satsuma_error_answers_total{status="400"} 1.0' in text


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_pixel_is_an_event(collector: Collector, client: httpx.Client, encode: Any) -> None:
    event = {"event": "Opened ÿ~?", "anonymousId": "a1"}
    answer = client.get("/v1/pixel/track", params={"data": encode(json.dumps(event).encode()).decode().rstrip("=")})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")
    [stored] = collector.events()
    assert (stored["type"], stored["event"]) == ("track", "Opened ÿ~?")


@pytest.mark.parametrize("path", ["track", "track?data=%%%", "track?data=e30", "purchase?data=e30", "batch?data=e30"])
def test_a_wrong_pixel_is_refused(client: httpx.Client, path: str) -> None:
    answer = client.get(f"/v1/pixel/{path}")
    assert answer.status_code == 400
    assert answer.json()["error"]["path"]


def test_pages_of_other_origins_may_not_write(tmp_path: Path) -> None:
    source = Source("shop", origins=("https://shop.test",))
    with (
        running(tmp_path, sources=(source,), accept_any_key=False) as collector,
        httpx.Client(base_url=collector.url) as client,
    ):
        for origin, status in (("https://shop.test", 200), ("https://evil.test", 403)):
            answer = client.post("/v1/t", json={**TRACK, "writeKey": "shop"}, headers={"origin": origin})
            assert answer.status_code == status
            assert answer.headers.get("access-control-allow-origin") == (origin if status == 200 else None)
        assert client.post("/v1/t", json={**TRACK, "writeKey": "shop", "messageId": "server"}).status_code == 200


def test_refused_events_can_be_read_back(client: httpx.Client) -> None:
    client.post("/v1/track", json={"event": "No id", "writeKey": "demo"})
    assert client.get("/v1/refused").status_code == 401
    answer = client.get("/v1/refused", headers={"authorization": "Bearer test-token"})
    [letter] = map(json.loads, answer.text.splitlines())
    assert letter["source"] == "demo"
    assert "anonymousId" in letter["reason"]
    assert json.loads(letter["raw"])["event"] == "No id"


def test_events_can_be_followed(client: httpx.Client) -> None:
    client.post("/v1/track", json={**TRACK, "messageId": "before"})
    headers = {"authorization": "Bearer test-token"}
    with client.stream("GET", "/v1/events?follow=1&last=1", headers=headers) as answer:
        lines = answer.iter_lines()
        assert json.loads(next(lines))["messageId"] == "before"
        httpx.post(f"{client.base_url}/v1/track", json={**TRACK, "messageId": "after"}, trust_env=False)
        assert json.loads(next(lines))["messageId"] == "after"


def test_every_path_of_the_openapi_document_is_answered(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert {"/v1/track", "/v1/t", "/v1/batch", "/v1/pixel/{kind}", "/v1/events"} <= set(paths)
    for path, methods in paths.items():
        for method in methods:
            assert client.request(method, path).status_code not in (404, 405, 500), path


def test_a_connection_that_drips_its_header_is_cut(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TimeLimitedProtocol, "header_seconds", 0.2)
    url = client.base_url
    with socket.create_connection((url.host, url.port), timeout=10) as slow:
        slow.sendall(b"POST /v1/track HTTP/1.1\r\nX-Slow: ")
        assert slow.recv(1) == b""
    assert client.get("/v1/health").status_code == 200


def test_the_collector_can_be_mounted_in_an_app_of_ones_own(tmp_path: Path) -> None:
    collector = create_app(Settings(tmp_path, accept_any_key=True, worker=False))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        await collector.state.log.close()

    site = Starlette(routes=[Mount("/collect", collector)], lifespan=lifespan)
    with serving(site) as url:
        assert httpx.post(f"{url}/collect/v1/track", json=TRACK, trust_env=False).json() == {"success": True}
        assert httpx.get(f"{url}/collect/v1/health", trust_env=False).status_code == 200


@pytest.mark.parametrize(
    ("header", "source"),
    [("shop:js.secret", "shop"), ("shop", "shop"), ("whole:key", "whole:key"), ("shop:very-secret", "shop")],
)
@pytest.mark.parametrize("path", ["/api/s/track", "/api/s/s2s/track"])
def test_jitsus_libraries_have_paths_of_their_own_and_a_key_of_two_parts(
    tmp_path: Path, path: str, header: str, source: str
) -> None:
    sources = (Source("shop", secret_keys=("very-secret",), identify="server"), Source("whole:key"))
    event = {"type": "track", "event": "E", "anonymousId": "a1", "userId": "u1"}
    with running(tmp_path, sources=sources, accept_any_key=False) as collector:
        sent = {"X-Write-Key": header, "Content-Type": "application/json"}
        answer = httpx.post(f"{collector.url}{path}", json=event, headers=sent, trust_env=False)
        assert answer.json() == {"success": True}
        [kept] = collector.events()
        assert kept["writeKey"] == source
        told = kept["context"].get("verification")
        assert told == {"shop:very-secret": "server", "whole:key": None}.get(header, "public")


def test_jitsus_key_of_an_unknown_source_is_refused(tmp_path: Path) -> None:
    with running(tmp_path, sources=(Source("shop"),), accept_any_key=False) as collector:
        sent = {"X-Write-Key": "shops:secret"}
        assert httpx.post(f"{collector.url}/api/s/track", json=TRACK, headers=sent, trust_env=False).status_code == 401


@pytest.mark.parametrize("traits", [{}, {"traits": None}, {"traits": {}}])
@pytest.mark.parametrize("path", ["/v1/identify", "/v1/batch"])
def test_traits_that_an_identify_has_only_in_its_context_are_its_traits(
    tmp_path: Path, traits: dict[str, Any], path: str
) -> None:
    event = {"type": "identify", "userId": "u1", "context": {"traits": {"plan": "lime"}}, **traits}
    body = {"writeKey": "k", "batch": [event]} if path == "/v1/batch" else {"writeKey": "k", **event}
    with running(tmp_path) as collector:
        assert httpx.post(f"{collector.url}{path}", json=body, trust_env=False).json() == {"success": True}
        [kept] = collector.events()
    assert kept["traits"] == {"plan": "lime"}


def test_other_traits_are_left_as_they_are(tmp_path: Path) -> None:
    context = {"traits": {"plan": "lime"}}
    batch = [
        {"type": "identify", "userId": "u1", "traits": {"a": 1}, "context": context},
        {"type": "track", "event": "E", "userId": "u1", "context": context},
        {"type": "identify", "userId": "u1", "context": {"traits": "none"}},
    ]
    with running(tmp_path) as collector:
        httpx.post(f"{collector.url}/v1/batch", json={"writeKey": "k", "batch": batch}, trust_env=False)
        kept = collector.events()
    assert [event.get("traits") for event in kept] == [{"a": 1}, None, None]


def test_rudderstacks_library_is_told_of_its_source(tmp_path: Path) -> None:
    with running(tmp_path, sources=(Source("limes", "Lime Market"),), accept_any_key=False) as collector:
        asked = f"{collector.url}/sourceConfig/?p=cdn&writeKey="
        told = httpx.get(f"{asked}limes", trust_env=False).json()
        assert told == httpx.get(asked, auth=("limes", ""), trust_env=False).json()
        assert (told["source"]["name"], told["source"]["writeKey"]) == ("Lime Market", "limes")
        assert told["source"]["dataplanes"]["US"][0]["url"] == collector.url
        assert httpx.get(f"{asked}other", trust_env=False).status_code == 401
