"""The command, as an operator uses it: started, ready, stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from satsuma_server.testing import Collector

SATSUMA = [sys.executable, "-c", "from satsuma_server.cli import main; main()"]


@contextmanager
def started(tmp_path: Path, *args: str, env: dict[str, str] | None = None) -> Iterator[dict[str, Any]]:
    """Run the command until it says that it is ready."""
    ready = tmp_path / "ready.json"
    ready.unlink(missing_ok=True)
    command = [*SATSUMA, *args, "--port", "0", "--data", str(tmp_path / "data"), "--ready-file", str(ready)]
    process = subprocess.Popen(command, env={**os.environ, **(env or {})}, stderr=subprocess.PIPE, text=True)
    try:
        until = time.monotonic() + 20
        while not (ready.exists() and ready.read_text()):
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < until
            time.sleep(0.02)
        yield {**json.loads(ready.read_text()), "process": process}
    finally:
        process.kill()
        process.wait()


def test_serve_keeps_its_events_over_a_stop(tmp_path: Path) -> None:
    for number in (1, 2):
        with started(tmp_path, "serve", "--accept-any-key", "--token", "secret") as told:
            assert httpx.get(f"{told['url']}/v1/health", trust_env=False).json() == {"status": "ready"}
            event = {"event": f"E{number}", "anonymousId": "a", "writeKey": "k"}
            httpx.post(f"{told['url']}/v1/track", json=event, trust_env=False).raise_for_status()
            assert len(Collector(told["url"], "secret").events()) == number
            told["process"].send_signal(signal.SIGTERM)
            assert told["process"].wait(15) == 0


def test_options_may_come_from_the_environment(tmp_path: Path) -> None:
    env = {"SATSUMA_WRITE_KEYS": "k1", "SATSUMA_TOKEN": "from-env"}
    with started(tmp_path, "serve", env=env) as told:
        refused = httpx.post(f"{told['url']}/v1/track", json={"event": "E", "anonymousId": "a", "writeKey": "k2"})
        assert refused.status_code == 401
        assert Collector(told["url"], "from-env").events() == []


def test_serve_without_a_source_says_what_to_do(tmp_path: Path) -> None:
    done = subprocess.run([*SATSUMA, "serve", "--data", str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 1
    assert "--write-key" in done.stderr


def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    with started(tmp_path, "serve", "--accept-any-key") as told:
        port = told["url"].rpartition(":")[2]
        command = [*SATSUMA, "serve", "--accept-any-key", "--port", port, "--data", str(tmp_path / "other")]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 1
        assert "--port" in done.stderr
        assert "Traceback" not in done.stderr


def test_demo_serves_collector_and_shop(tmp_path: Path) -> None:
    with started(tmp_path, "demo", "--shop-port", "0") as told:
        page = httpx.get(told["shop_url"], trust_env=False)
        assert page.status_code == 200
        assert told["url"] in page.text
        assert told["token"] not in page.text


def test_a_collector_killed_under_load_keeps_every_event_that_it_acknowledged(tmp_path: Path) -> None:
    acknowledged: list[str] = []
    with started(tmp_path, "serve", "--accept-any-key") as told, httpx.Client(base_url=told["url"]) as client:
        for number in range(200):
            event = {"event": "E", "anonymousId": "a", "messageId": f"m{number}"}
            if client.post("/v1/track", json=event).status_code == 200:
                acknowledged.append(event["messageId"])
            if number == 150:
                told["process"].kill()
                told["process"].wait()
                break
    with started(tmp_path, "serve", "--accept-any-key", "--token", "t") as told:
        stored = [event["messageId"] for event in Collector(told["url"], "t").events()]
    assert stored == acknowledged
    assert len(stored) == 151
