"""Paths that mean one thing to whoever checks them and another to whoever answers them."""

from __future__ import annotations

import pytest
from attack.raw import ask
from satsuma_server.testing import Collector

ASKED = b'{"key":["user_id","ann",""],"seq":0}'
TARGETS = ("internal/people/resolve", "internal/people/forget")
CLIMBS = (
    "/console/../{}",
    "/console/x/../../{}",
    "/v1/profiles/../../{}",
    "/v1/profiles/user_id:ann/../../../{}",
    "/v1/people/../../{}",
    "/v1/sql/../../{}",
    "/v1/worker/./../../{}",
    "/v1/warehouse/tables/../../../{}",
    "/console/%2e%2e/{}",
    "/console/%2E%2e/{}",
    "/console/.%2e/{}",
    "/console/%252e%252e/{}",
    "/console/..%2f{}",
    "/console/..%5c{}",
    "/console/..\\{}",
    "/console\\..\\{}",
    "/console/..;/{}",
    "/console/..;a=b/{}",
    "/console/%2e%2e%3b/{}",
    "/console/..%00/{}",
    "/console/..%c0%af{}",
    "/console/%c0%ae%c0%ae/{}",
    "/console//../{}",
    "//console/../{}",
    "/./console/../{}",
    "/{}",
    "//{}",
    "/console//{}",
    "/console/{}",
    "http://worker/{}",
    "http://worker/console/../{}",
    "/console/..#/../{}",
    "/console/..?/../{}",
    "/console/.. /../{}",
    "/console/..%09/{}",
    "/console/\xe9/../../{}",
)
ABNORMAL = (
    "/v1//events",
    "//v1/events",
    "/v1/./events",
    "/v1/x/../events",
    "/v1/%65vents",
    "/v1%2fevents",
    "/v1/events%00",
    "/v1/events%0a",
    "/v1\\events",
    "/v1/events;/..;/health",
    "/v1/health/.",
    "/%76%31/health",
    "/v1/health/%zz",
    "/v1/health/%",
    "/%6detrics",
    "/v1/./track",
    "/v1//track",
    "/v1/%74rack",
    "/v1/x/../track",
    "/v1%2Ftrack",
    "*",
)


@pytest.mark.parametrize("climb", CLIMBS)
def test_the_workers_own_paths_answer_nobody_from_outside(attacked: Collector, climb: str) -> None:
    for target in TARGETS:
        answer = ask(attacked.url, climb.format(target), "POST", ASKED, {"Content-Type": "application/json"})
        assert answer.status in (400, 404, 405), answer
        assert b"device-1" not in answer.body
        assert b"keys" not in answer.body


@pytest.mark.parametrize("path", ABNORMAL)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_path_that_is_not_normal_is_refused(attacked: Collector, path: str, method: str) -> None:
    headers = {"Authorization": f"Bearer {attacked.token}"}
    answer = ask(attacked.url, path, method, b'{"event":"E","anonymousId":"a"}' if method == "POST" else b"", headers)
    assert answer.status == 400
    assert b"path" in answer.body
