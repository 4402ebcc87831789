"""The shop's own way to the collector."""

from __future__ import annotations

import gzip
import json

import pytest
from satsuma_server.testing import Collector
from starlette.testclient import TestClient

EVENT = {"anonymousId": "a1", "event": "Hello", "writeKey": "demo", "properties": {"n": 1}}


def test_events_and_files_are_handed_on_as_they_are(shop: TestClient, collector: Collector) -> None:
    body = gzip.compress(json.dumps(EVENT).encode())
    answer = shop.post("/v1/track", content=body, headers={"Content-Encoding": "gzip", "Content-Type": "text/plain"})
    assert answer.json() == {"success": True}
    [stored] = collector.events()
    assert stored["properties"] == {"n": 1}
    settings = shop.get("/v1/projects/demo/settings").json()
    assert settings["integrations"]["Segment.io"]["apiHost"] == "testserver/v1"
    loader = shop.get("/analytics.js/v1/demo/analytics.min.js", headers={"Accept-Encoding": "identity"})
    assert loader.headers["content-type"].startswith("text/javascript")
    assert "content-encoding" not in loader.headers
    packed = shop.get("/analytics.js/v1/demo/analytics.min.js", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == loader.content


def test_a_refusal_is_handed_on_too(shop: TestClient) -> None:
    assert shop.post("/v1/track", json={"event": "Nobody's"}).status_code == 400


def test_nothing_that_reads_back_is_handed_on(shop: TestClient, collector: Collector) -> None:
    headers = {"Authorization": f"Bearer {collector.token}"}
    for path in ("/v1/events?after=0", "/v1/refused", "/metrics", "/console"):
        assert shop.get(path, headers=headers).status_code in (404, 405)


@pytest.mark.parametrize("weather", ["down", "offline"])
def test_a_tester_makes_the_collector_fail_for_one_visitor(
    shop: TestClient, collector: Collector, weather: str
) -> None:
    shop.cookies.set("grove_weather", weather)
    assert shop.post("/v1/track", json=EVENT).status_code == 503
    assert shop.get("/v1/projects/demo/settings").status_code == 200
    assert collector.events() == []
    shop.cookies.clear()
    assert shop.post("/v1/track", json=EVENT).status_code == 200
