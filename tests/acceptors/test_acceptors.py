"""Several processes that take requests are one collector: what there may be only one of, they share."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from acceptors.processes import ACCEPTOR, PATIENCE, WRITER, kill, running, until
from satsuma_server.testing import SATSUMA, Collector, started

TOKEN = {"Authorization": "Bearer a-token-for-these-tests-only-0123456789"}
SETTINGS = """
token = "a-token-for-these-tests-only-0123456789"
workers = 2
plan = "plan.toml"
[[sources]]
write_key = "shop"
[[sources]]
write_key = "slow"
limit = {events_per_second = 0.001, burst = 3}
"""
PLAN = '[track."Paid".properties.total]\ntype = "number"\n'
MANY = 24
"""Requests with a connection of their own each: the chance that one process gets them all is below 10^-6."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("acceptors")
    (folder / "satsuma.toml").write_text(SETTINGS)
    (folder / "plan.toml").write_text(PLAN)
    with started(folder, "serve", "--config", str(folder / "satsuma.toml")) as one:
        yield {**one, "folder": folder}


def post(
    url: str, *events: dict[str, Any], key: str = "shop", path: str = "/v1/batch", **headers: str
) -> httpx.Response:
    body = {"batch": [{"type": "track", "event": "E", "anonymousId": "a", **event} for event in events]}
    return httpx.post(f"{url}{path}", json=body, auth=(key, ""), headers=headers, trust_env=False, timeout=PATIENCE)


def get(url: str, path: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{url}{path}", headers=headers, trust_env=False, timeout=PATIENCE)


def metric(url: str, name: str) -> float:
    lines = get(url, "/metrics", **TOKEN).text.splitlines()
    return float(next(line for line in lines if line.startswith(f"{name} ")).split()[1])


def last_event(url: str) -> dict[str, Any]:
    return json.loads(get(url, "/v1/events?last=1", **TOKEN).text)


def test_an_event_that_several_processes_get_is_stored_once_and_counted_at_once(told: dict[str, Any]) -> None:
    url = told["url"]
    before = [metric(url, f"satsuma_events_{what}_total") for what in ("accepted", "duplicate")]
    with ThreadPoolExecutor(8) as senders:
        answers = [*senders.map(lambda _: post(url, {"messageId": "once"}).status_code, range(MANY))]
    assert answers == [200] * MANY
    after = [metric(url, f"satsuma_events_{what}_total") for what in ("accepted", "duplicate")]
    assert [one - other for one, other in zip(after, before, strict=True)] == [1, MANY - 1]
    assert metric(url, "satsuma_acceptors") == 2
    assert [one["messageId"] for one in Collector(url, TOKEN["Authorization"][7:]).events()].count("once") == 1


def test_all_processes_together_keep_to_a_limit(told: dict[str, Any]) -> None:
    answers = [post(told["url"], {}, key="slow") for _ in range(MANY)]
    assert [one.status_code for one in answers] == [200] * 3 + [429] * (MANY - 3)
    assert int(answers[-1].headers["retry-after"]) > 0
    assert metric(told["url"], "satsuma_limited_requests") >= MANY - 3


def test_all_processes_together_take_ten_wrong_tokens(told: dict[str, Any]) -> None:
    url = told["url"]

    def guess(number: int) -> int:
        wrong = {"Authorization": f"Bearer guess-{number}"}
        return httpx.post(f"{url}/v1/import", json={"batch": []}, headers=wrong, trust_env=False).status_code

    # A right token first: whoever has it is not locked out by others from the same address.
    assert get(url, "/v1/events?last=1", **TOKEN).status_code == 200
    assert [guess(number) == 429 for number in range(MANY)] == [False] * 10 + [True] * (MANY - 10)


def test_violations_of_a_plan_are_counted_together(told: dict[str, Any]) -> None:
    url = told["url"]
    for _ in range(6):
        assert post(url, {"event": "Paid", "properties": {"total": "much"}}).status_code == 200
    assert last_event(url)["context"]["protocols"]["violations"][0]["rule"] == "type"

    def counted() -> bool:
        counts = get(url, "/v1/violations", **TOKEN).text
        return '"count":6' in counts.replace(" ", "")

    until(counted, "all violations in the answer")


def test_what_an_acceptor_passes_on_still_comes_from_its_sender(told: dict[str, Any]) -> None:
    url = told["url"]
    event = {"type": "track", "event": "Opened", "anonymousId": "a", "writeKey": "shop"}
    data = base64.b64encode(json.dumps(event).encode()).decode()
    answer = get(url, f"/v1/pixel/track?data={data}", **{"x-satsuma-peer": "203.0.113.9 1", "user-agent": "Mail/1"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")
    stored = last_event(url)
    assert (stored["event"], stored["context"]["ip"], stored["context"]["userAgent"]) == (
        "Opened",
        "127.0.0.1",
        "Mail/1",
    )
    # Without a token, metrics are for programs of this machine alone.
    assert get(url, "/metrics").status_code == 200
    assert get(url, "/metrics", **{"x-forwarded-for": "203.0.113.9"}).status_code == 401
    assert get(url, "/v1/nothing").status_code == 404
    assert get(url, "/v1/%6eothing").status_code == 400


def test_an_acceptor_answers_pages_itself(told: dict[str, Any]) -> None:
    url, origin = told["url"], {"origin": "https://shop.example"}
    assert get(url, "/v1/projects/shop/settings", **origin).json()["integrations"]
    assert get(url, "/analytics.js/v1/shop/analytics.min.js", **origin).status_code == 200
    assert post(url, {}, **origin).headers["access-control-allow-origin"] == "*"
    asked = {**origin, "access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    preflight = httpx.options(f"{url}/v1/batch", headers=asked, trust_env=False)
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, "*")
    assert get(url, "/v1/health", **origin).headers.get_list("access-control-allow-origin") == ["*"]


def test_bad_requests_are_told_what_is_wrong(told: dict[str, Any]) -> None:
    url = told["url"]
    assert post(url, {}, key="unknown").status_code == 401
    refused = post(url, {"anonymousId": None}, {})
    assert (refused.status_code, refused.json()["refused"][0]["index"]) == (200, 0)
    assert len(get(url, "/v1/refused", **TOKEN).text.splitlines()) >= 1
    too_long = httpx.post(f"{url}/v1/batch", content=b" " * 3_000_000, auth=("shop", ""), trust_env=False)
    assert too_long.status_code == 413


def test_while_the_writer_is_away_nothing_is_acknowledged(told: dict[str, Any]) -> None:
    writer = running(told["process"], WRITER)[0]
    writer.suspend()
    try:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{told['url']}/v1/track", json={"event": "E", "anonymousId": "a"}, auth=("shop", ""), timeout=1)
    finally:
        writer.kill()
    answer = until(lambda: (one := post(told["url"], {"messageId": "away"})).status_code == 200 and one, "a new writer")
    assert answer.text == '{"success":true}'
    assert last_event(told["url"])["messageId"] == "away"


def test_a_deleted_person_is_suppressed_in_all_processes(tmp_path: Path) -> None:
    options = ("--workers", "2", "--accept-any-key", "--token", TOKEN["Authorization"][7:])
    with started(tmp_path, "serve", *options, env={"SATSUMA_WORKER": "1"}) as told:
        url = told["url"]
        assert post(url, {"userId": "ann"}, {"userId": "bob"}).status_code == 200
        until(lambda: get(url, "/v1/worker", **TOKEN).status_code == 200, "the second process")
        deleted = httpx.delete(
            f"{url}/v1/people/user_id:ann?suppress=1", headers=TOKEN, trust_env=False, timeout=PATIENCE
        )
        assert (deleted.status_code, deleted.json()["still_found_in"]) == (200, [])
        for _ in range(MANY):
            assert post(url, {"userId": "ann"}, {"userId": "bob"}).status_code == 200
        stored = Collector(url, TOKEN["Authorization"][7:]).events()
        assert {event["userId"] for event in stored} == {"bob"}
        assert len(stored) == MANY + 1


def test_a_stop_answers_what_is_under_way_and_leaves_no_process(tmp_path: Path) -> None:
    with started(tmp_path, "serve", "--workers", "2", "--accept-any-key", "--token", "t") as told:
        process, url = told["process"], told["url"]
        family = psutil.Process(process.pid).children()
        assert len(family) == 3
        acknowledged: list[str] = []
        begun = threading.Semaphore(0)

        def send(name: int) -> None:
            with httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE) as client:
                for number in range(100_000):
                    id = f"{name}.{number}"
                    try:
                        answer = client.post("/v1/track", json={"event": "E", "anonymousId": "a", "messageId": id})
                    except httpx.TransportError:
                        return
                    assert answer.status_code == 200, answer.text
                    acknowledged.append(id)
                    begun.release()

        with ThreadPoolExecutor(8) as senders:
            sent = [senders.submit(send, name) for name in range(8)]
            for _ in range(50):
                assert begun.acquire(timeout=PATIENCE)
            # As a service manager does it: to all processes at once.
            for one in (*family, psutil.Process(process.pid)):
                one.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
            for one in sent:
                one.result()
        assert not any(one.is_running() for one in family)
    with started(tmp_path, "serve", "--accept-any-key", "--token", "t") as told:
        assert {event["messageId"] for event in Collector(told["url"], "t").events()} >= set(acknowledged)


def test_all_end_where_the_first_one_is_killed(tmp_path: Path) -> None:
    with started(tmp_path, "serve", "--workers", "2", "--accept-any-key", "--token", "t") as told:
        family = psutil.Process(told["process"].pid).children()
        os.kill(told["process"].pid, signal.SIGKILL)
        gone, alive = psutil.wait_procs(family, timeout=PATIENCE)
        assert (len(gone), alive) == (3, [])


def test_an_acceptor_that_is_killed_is_started_again(told: dict[str, Any]) -> None:
    kill(told["process"], ACCEPTOR)
    for number in range(MANY):
        # A connection to the one that is not there yet waits for it.
        assert post(told["url"], {"messageId": f"after{number}"}).status_code == 200


def serve(tmp_path: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [*SATSUMA, "serve", "--workers", "2", "--no-worker", "--accept-any-key", "--token", "t", *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, cwd=tmp_path)


def test_what_is_wrong_at_the_start_is_told_by_a_status_of_1(told: dict[str, Any], tmp_path: Path) -> None:
    taken = told["url"].rpartition(":")[2]
    other = serve(tmp_path, "--port", taken)
    assert (other.returncode, f"port {taken}" in other.stderr) == (1, True)
    (tmp_path / "file").write_text("")
    unusable = serve(tmp_path, "--port", "0", "--data", str(tmp_path / "file"))
    assert (unusable.returncode, "satsuma: " in unusable.stderr) == (1, True)
    several = serve(tmp_path, "--port", "0", "--workers", "1000")
    assert (several.returncode, "workers" in several.stderr) == (1, True)
