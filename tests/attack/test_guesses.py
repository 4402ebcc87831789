"""Who guesses tokens is stopped, and takes nobody else out of the collector, also where all come from one address."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from satsuma_server.http.guesses import GUESS_SECONDS, MOST_ADDRESSES, MOST_GUESSES, Guesses
from satsuma_server.testing import running

RIGHT = {"Authorization": "Bearer test-token"}
ATTACKER, OTHER = "203.0.113.9", "198.51.100.4"
ASKED = (
    ("GET", "/v1/events"),
    ("GET", "/v1/refused"),
    ("DELETE", "/v1/people/user_id:ann"),
    ("POST", "/v1/import"),
    ("GET", "/v1/profiles/user_id:ann"),
)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[httpx.Client]:
    """A client of a collector behind a proxy that tells the visitors' addresses."""
    with (
        running(tmp_path, trust_proxy=True) as collector,
        httpx.Client(base_url=collector.url, trust_env=False, timeout=30) as client,
    ):
        yield client


def guess(
    web: httpx.Client, address: str, count: int = MOST_GUESSES, method: str = "GET", path: str = "/v1/events"
) -> httpx.Response:
    told = [
        web.request(method, path, headers={"Authorization": f"Bearer guess-{number}", "X-Forwarded-For": address})
        for number in range(count)
    ]
    return told[-1]


@pytest.mark.parametrize(("method", "path"), ASKED)
def test_a_right_guess_after_too_many_wrong_ones_is_not_looked_at(web: httpx.Client, method: str, path: str) -> None:
    assert guess(web, ATTACKER, MOST_GUESSES, method, path).status_code in (400, 401, 403, 404)
    answer = web.request(method, path, headers={**RIGHT, "X-Forwarded-For": ATTACKER})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= GUESS_SECONDS
    assert "wrong tokens" in answer.json()["error"]["message"]


def test_who_guesses_locks_out_no_other_address(web: httpx.Client) -> None:
    guess(web, ATTACKER, 3 * MOST_GUESSES)
    assert web.get("/v1/events", headers={**RIGHT, "X-Forwarded-For": OTHER}).status_code == 200


def test_who_guesses_from_a_shared_address_locks_out_nobody_who_is_in(web: httpx.Client) -> None:
    shared = {**RIGHT, "X-Forwarded-For": ATTACKER}
    assert web.get("/v1/events", headers=shared).status_code == 200
    assert guess(web, ATTACKER, 3 * MOST_GUESSES).status_code == 429
    assert web.get("/v1/events", headers=shared).status_code == 200


def test_a_network_of_ipv6_is_one_address(web: httpx.Client) -> None:
    for number in range(MOST_GUESSES):
        headers = {"Authorization": f"Bearer guess-{number}", "X-Forwarded-For": f"2001:db8::{number:x}"}
        assert web.get("/v1/events", headers=headers).status_code == 401
    assert web.get("/v1/events", headers={**RIGHT, "X-Forwarded-For": "2001:db8::ffff"}).status_code == 429
    assert web.get("/v1/events", headers={**RIGHT, "X-Forwarded-For": "2001:db8:0:1::1"}).status_code == 200


def test_events_are_taken_from_whoever_guessed(web: httpx.Client) -> None:
    """Some clients send a bearer token of their own with events, which is not for us."""
    guess(web, ATTACKER, 2 * MOST_GUESSES)
    headers = {"Authorization": "Bearer theirs", "X-Forwarded-For": ATTACKER}
    event = {"event": "E", "anonymousId": "a", "writeKey": "shop"}
    assert web.post("/v1/track", json=event, headers=headers).status_code == 200
    assert web.get("/v1/health", headers={"X-Forwarded-For": ATTACKER}).status_code == 200


def test_an_old_token_that_is_sent_again_and_again_counts_once() -> None:
    guesses = Guesses(lambda: 0.0)
    for _ in range(10 * MOST_GUESSES):
        guesses.note("a", "old", right=False)
    assert guesses.wait("a", "new") == 0


def test_guesses_are_forgotten_in_time_and_beyond_a_bound() -> None:
    now = [0.0]
    guesses = Guesses(lambda: now[0])
    for number in range(MOST_GUESSES):
        guesses.note("a", f"wrong {number}", right=False)
    assert guesses.wait("a", "right") == GUESS_SECONDS
    assert guesses.wait("b", "right") == 0
    now[0] = GUESS_SECONDS + 1
    assert guesses.wait("a", "right") == 0
    for number in range(MOST_ADDRESSES + 10):
        guesses.note(f"{number}", "wrong", right=False)
        guesses.note(f"{number}", "right", right=True)
    assert len(guesses._wrong) == len(guesses._proven) == MOST_ADDRESSES
