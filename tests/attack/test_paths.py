"""Paths that mean one thing to whoever checks them and another to whoever answers them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from attack.conftest import wait_until
from attack.raw import ask
from satsuma_server.app import create_app
from satsuma_server.settings import Settings
from satsuma_server.testing import Collector, serving
from starlette.applications import Starlette
from starlette.routing import Mount

ASKED = b'{"key":["user_id","ann",""],"seq":0,"reach":"verified"}'
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


@pytest.mark.parametrize("user_id", ["a/b", "a\nb", "line\n", "a\\b", "a/../../internal", "%2e%2e", "a;b/..;/c", "é"])
def test_a_person_of_whatever_id_is_shown_and_deleted(attacked: Collector, user_id: str) -> None:
    """Else who chooses an id with the public key chooses that nobody can look at it, or delete it."""
    token = {"Authorization": f"Bearer {attacked.token}"}
    person = f"user_id:{quote(user_id, safe='')}"
    with httpx.Client(base_url=attacked.url, headers=token, trust_env=False, timeout=60) as client:
        event = {"type": "identify", "userId": user_id, "anonymousId": f"of {user_id}", "writeKey": "shop"}
        client.post("/v1/identify", json=event).raise_for_status()
        wait_until(lambda: client.get("/v1/profiles/totals").json()["behind"] == 0, "profiles")
        client.post("/console/login", data={"token": attacked.token})
    session = client.cookies.get("satsuma_console")
    shown = [f"/v1/profiles/{person}", f"/v1/profiles/{person}/events", f"/v1/people/{person}/export"]
    for path in (*shown, f"/console/people/{person}"):
        answer = ask(attacked.url, path, headers={**token, "Cookie": f"satsuma_console={session}"})
        assert answer.status == 200, (path, answer)
    answer = ask(attacked.url, f"/v1/people/{person}", "DELETE", headers=token)
    assert answer.status == 200
    assert {"type": "anonymous_id", "id": f"of {user_id}"} in answer.json()["identifiers"]


@pytest.mark.parametrize("path", ["/v1/health/", "/metrics/", "/openapi.json/", "/v1/events/", "/v1/track/"])
def test_a_slash_too_many_leads_nowhere(attacked: Collector, path: str) -> None:
    answer = ask(attacked.url, path, headers={"Host": "evil.test"})
    assert (answer.status, answer.headers.get("location")) == (404, None)


@pytest.mark.parametrize("path", ["/v1/sql", "/v1/profiles", "/console/logout", "/metrics"])
def test_what_takes_another_method_says_which(attacked: Collector, path: str) -> None:
    answer = ask(attacked.url, path, "PATCH", headers={"Authorization": f"Bearer {attacked.token}"})
    assert answer.status == 405
    assert answer.headers["allow"]


@pytest.mark.parametrize("root", ["/sub", "/a b"])
def test_a_collector_that_is_mounted_elsewhere_refuses_the_same(tmp_path: Path, root: str) -> None:
    collector = create_app(Settings(tmp_path, accept_any_key=True, worker=False))
    with serving(Starlette(routes=[Mount(root, app=collector)])) as url:
        at = quote(root)
        event = b'{"event":"E","anonymousId":"a"}'
        assert ask(url, f"{at}/v1/track", "POST", event).status == 200
        for path in ("//v1/track", "/v1/./track", "/x/../v1/track", "%2Fv1/track", "/v1/%74rack", "/v1%2ftrack"):
            assert ask(url, at + path, "POST", event).status == 400, path
        assert collector.state.log.last == 1
