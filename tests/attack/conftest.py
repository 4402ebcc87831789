"""Attacks from outside: each module is one finding and its variations, played on a real collector."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from satsuma_server.testing import Collector, running

TOKEN = {"Authorization": "Bearer test-token"}
EVENTS = [
    {"type": "page", "anonymousId": "device-1"},
    {"type": "identify", "anonymousId": "device-1", "userId": "ann", "traits": {"email": "ann@shop.test"}},
    {"type": "identify", "anonymousId": "device-2", "userId": "a/../b", "traits": {"email": "odd@shop.test"}},
    {"type": "track", "anonymousId": "device-1", "userId": "ann", "event": "Bought", "properties": {"total": 1}},
]


def wait_until(done: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Return as soon as `done` says so. Raises `AssertionError` where it never does."""
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until, f"{what} took too long"
        time.sleep(0.05)


@pytest.fixture(scope="package")
def attacked_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of `attacked`."""
    return tmp_path_factory.mktemp("attacked")


@pytest.fixture(scope="package")
def attacked(attacked_folder: Path) -> Iterator[Collector]:
    """A collector with a worker that knows people, for attacks that change nothing if they are repelled."""
    with running(attacked_folder, worker=True) as collector:
        with httpx.Client(base_url=collector.url, headers=TOKEN, trust_env=False, timeout=60) as client:
            body = {"batch": EVENTS, "writeKey": "shop"}
            client.post("/v1/batch", json=body).raise_for_status()
            wait_until(lambda: client.get("/v1/worker").status_code == 200, "the worker")
            client.post("/v1/warehouse/load").raise_for_status()
            wait_until(lambda: client.get("/v1/profiles/totals").json()["behind"] == 0, "profiles")
        yield collector
