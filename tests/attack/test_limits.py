"""A flood from one address or source is asked to come back later, and clients that do so lose nothing."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from satsuma.platforms.server import Client
from satsuma_server.errors import RateError, SettingsError
from satsuma_server.http.rate_limits import LONGEST_DEBT, MOST_BUCKETS, Buckets, RateLimits
from satsuma_server.settings import Limit, Limits, Settings, Source, make_settings
from satsuma_server.testing import Collector, running

SLOW = Limit(0.001, 3)
KEY = "a secret key of one of the sources, long"


def post(collector: Collector, count: int = 1, path: str = "/v1/batch", **more: str) -> httpx.Response:
    event = {"type": "track", "event": "Flood", "anonymousId": "a"}
    key = more.pop("key", "shop")
    return httpx.post(f"{collector.url}{path}", json={"batch": [event] * count}, auth=(key, ""), headers=more)


def test_one_address_has_to_wait_and_others_do_not(tmp_path: Path) -> None:
    with running(tmp_path, limits=Limits(address=SLOW), trust_proxy=True, sources=(Source("shop"),)) as collector:
        attacker = {"x-forwarded-for": "203.0.113.7"}
        assert [post(collector, **attacker).status_code for _ in range(5)] == [200, 200, 200, 429, 429]
        refused = post(collector, **attacker)
        assert int(refused.headers["retry-after"]) > 0
        assert post(collector, path="/v1/early", **attacker).status_code == 429
        pixel = httpx.get(f"{collector.url}/v1/pixel/track?data=e30", headers=attacker)
        assert pixel.status_code == 429
        assert post(collector, **{"x-forwarded-for": "203.0.113.8"}).status_code == 200
        assert len(collector.events()) == 4
        assert "satsuma_limited_requests 5.0" in httpx.get(f"{collector.url}/metrics").text


def test_a_network_of_ipv6_is_one_address(tmp_path: Path) -> None:
    with running(tmp_path, limits=Limits(address=SLOW), trust_proxy=True) as collector:
        told = [post(collector, **{"x-forwarded-for": f"2001:db8::{n}"}).status_code for n in range(1, 5)]
        assert told == [200, 200, 200, 429]


def test_a_batch_may_be_larger_than_the_burst_once(tmp_path: Path) -> None:
    with running(tmp_path, limits=Limits(address=SLOW)) as collector:
        assert post(collector, 20).status_code == 200
        assert post(collector).status_code == 429


def test_a_source_has_its_own_limit_and_one_flood_stops_no_other(tmp_path: Path) -> None:
    sources = (Source("shop", limit=Limit(0.001, 1)), Source("blog"))
    with running(tmp_path, limits=Limits(source=SLOW), sources=sources, accept_any_key=False) as collector:
        assert [post(collector).status_code for _ in range(2)] == [200, 429]
        assert [post(collector, key="blog").status_code for _ in range(4)] == [200, 200, 200, 429]


def test_a_server_sends_for_many_visitors(tmp_path: Path) -> None:
    sources = (Source("shop", secret_keys=(KEY,)),)
    with running(tmp_path, limits=Limits(address=Limit(0.001, 1)), sources=sources) as collector:
        assert {post(collector, key=KEY).status_code for _ in range(5)} == {200}


def test_the_client_keeps_what_has_to_wait(tmp_path: Path) -> None:
    with running(tmp_path, limits=Limits(source=Limit(20, 1))) as collector:
        with Client("shop", collector.url) as client:
            for number in range(5):
                client.track("ann", f"Event {number}")
                client.flush()
        assert sorted(event["event"] for event in collector.events()) == [f"Event {number}" for number in range(5)]
        assert "satsuma_limited_requests 0.0" not in httpx.get(f"{collector.url}/metrics").text


def test_a_bucket_fills_again_and_its_debt_has_an_end() -> None:
    now = [0.0]
    buckets, limit = Buckets(lambda: now[0]), Limit(2, 4)
    assert buckets.take("a", limit, 1_000_000) == 0
    assert buckets.take("a", limit, 1) == LONGEST_DEBT + 0.5
    assert buckets.take("b", limit, 4) == 0
    assert buckets.take("b", limit, 1) == 0.5
    now[0] = 1.0
    assert buckets.take("b", limit, 1) == 0
    now[0] = LONGEST_DEBT + 0.5
    assert buckets.take("a", limit, 1) == 0


def test_ever_new_addresses_take_no_more_memory() -> None:
    buckets = Buckets()
    for number in range(MOST_BUCKETS + 10):
        buckets.take(f"{number}", SLOW, 1)
    assert len(buckets._buckets) == MOST_BUCKETS


@pytest.mark.asyncio
async def test_without_limits_nothing_is_counted(tmp_path: Path) -> None:
    limits = RateLimits(Settings(tmp_path))
    for _ in range(1000):
        await limits.check_address("203.0.113.7")
        await limits.check_source(Source("shop"), 10_000)
    limited = RateLimits(Settings(tmp_path, limits=Limits(source=SLOW)))
    await limited.check_source(Source("shop"), 10)
    with pytest.raises(RateError):
        await limited.check_source(Source("shop"), 1)


@pytest.mark.parametrize("limit", ["events_per_second = 0", "events_per_second = 1\nburst = 0.5", "events = 1"])
def test_a_limit_that_lets_nothing_through_is_told_at_the_start(tmp_path: Path, limit: str) -> None:
    file = tmp_path / "satsuma.toml"
    file.write_text(f'[[sources]]\nwrite_key = "shop"\n[limits.address]\n{limit}\n')
    with pytest.raises(SettingsError):
        make_settings(file)
