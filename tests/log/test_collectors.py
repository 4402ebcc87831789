"""Collectors in front of one log on NATS: any number that take events, and one that builds from them."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from nats_servers import Cluster
from satsuma_server.testing import started

TOKEN = "of-these-collectors-5f0c7a31d2b94e68"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
PATIENCE = 120


def until[T](look: Callable[[], T]) -> T:
    """Return what `look` finds, once it finds something."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            if found := look():
                return found
        except (httpx.HTTPError, AssertionError):
            pass
        assert time.monotonic() < end, "this has not come"
        time.sleep(0.1)


def send(url: str, *ids: str, person: str = "ann") -> int:
    batch = [{"type": "track", "event": "Paid", "userId": person, "messageId": id} for id in ids]
    return httpx.post(f"{url}/v1/batch", json={"writeKey": "shop", "batch": batch}, timeout=60).status_code


def read(url: str) -> list[dict[str, Any]]:
    answer = httpx.get(f"{url}/v1/events", headers=AUTHORIZED, timeout=60).raise_for_status()
    return [json.loads(line) for line in answer.text.splitlines()]


def test_two_collectors_take_events_for_one_log_and_a_third_builds_from_it(
    nats_server: Cluster, tmp_path: Path
) -> None:
    config = tmp_path / "satsuma.toml"
    config.write_text(
        f'log = "{nats_server.url}"\ntoken = "{TOKEN}"\n'
        f'[nats]\nstream = "test-{secrets.token_hex(4)}"\nreplicas = 1\n[[sources]]\nwrite_key = "shop"\n'
    )
    given = ("serve", "--config", str(config))
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
    with (
        started(tmp_path / "one", *given, "--no-worker") as one,
        started(tmp_path / "two", *given, "--no-worker", "--workers", "2") as two,
        started(tmp_path / "three", *given, env={"SATSUMA_WORKER": "1"}) as three,
    ):
        assert send(one["url"], "a", "b") == 200
        assert send(two["url"], "b", "c") == 200
        assert send(one["url"], "d", person="Mallory-7261") == 200
        for url in (one["url"], two["url"], three["url"]):
            assert [event["messageId"] for event in read(url)] == ["a", "b", "c", "d"]
            assert httpx.get(f"{url}/v1/health", timeout=60).status_code == 200
            status = httpx.get(f"{url}/v1/status", headers=AUTHORIZED, timeout=60).raise_for_status().json()
            assert (status["log"]["place"], status["log"]["last"] >= 4) == ("nats", True)

        def counted() -> bool:
            path = f"{three['url']}/v1/profiles/user_id:ann/events"
            answer = httpx.get(path, headers=AUTHORIZED, timeout=60).raise_for_status()
            return answer.text.count("Paid") == 3

        until(counted)
        gone = httpx.delete(f"{three['url']}/v1/people/user_id:Mallory-7261", headers=AUTHORIZED, timeout=120)
        assert (gone.status_code, gone.json()["erased"]["events"]) == (200, 1)
        assert [event["messageId"] for event in read(two["url"])] == ["a", "b", "c"]
        assert nats_server.holding(b"Mallory-7261") == []
