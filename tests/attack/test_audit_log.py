"""Who read, exported, deleted and undid what is noted, without naming the people whom it is about."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import httpx
from attack.conftest import TOKEN, wait_until
from console.conftest import PAGE
from satsuma_server.access import AuditLog, Scope
from satsuma_server.access.audit_log import BEFORE, FILE
from satsuma_server.access.token_file import TokenFile
from satsuma_server.console import Console
from satsuma_server.log.shared import SharedLog
from satsuma_server.projections.app import create_worker
from satsuma_server.settings import Settings
from satsuma_server.testing import running
from starlette.testclient import TestClient

ANN = "user_id:ann-of-the-audit-log"


def entries(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / FILE).read_text().splitlines()]


def test_each_use_of_a_token_is_noted_once_and_no_person_is_named(tmp_path: Path) -> None:
    with running(tmp_path, worker=True) as collector:
        reader = TokenFile(tmp_path).create("a reader", [Scope.READ_PEOPLE])
        with httpx.Client(base_url=collector.url, headers=TOKEN, timeout=60) as client:
            wait_until(lambda: client.get("/v1/worker").status_code == 200, "the worker")
            wait_until(lambda: client.delete("/v1/people/user_id:nobody").status_code == 200, "the first deletion")
            before = len(entries(tmp_path))
            client.get("/v1/events")
            client.get(f"/v1/people/{ANN}/export")
            told = client.delete(f"/v1/people/{ANN}")
            client.get("/v1/events", headers={"Authorization": "Bearer a guess"})
            for path in ("/v1/events", f"/v1/profiles/{ANN}"):
                client.get(path, headers={"Authorization": f"Bearer {reader}"})
            about_ann = client.get("/v1/audit-log", params={"person": ANN}).text.splitlines()
            denied = client.get("/v1/audit-log", headers={"Authorization": f"Bearer {reader}"})
    noted = [
        (one["token"], one["action"], one["route"], one.get("refused", False)) for one in entries(tmp_path)[before:]
    ]
    assert noted == [
        ("settings", "read", "GET /v1/events", False),
        ("settings", "export", "GET /v1/people/{person}/export", False),
        ("settings", "delete", "DELETE /v1/people/{person}", False),
        ("a reader", "read", "GET /v1/events", True),
        ("a reader", "read", "GET /v1/profiles/{person}", False),
        ("settings", "read", "GET /v1/audit-log", False),
        ("a reader", "read", "GET /v1/audit-log", True),
    ]
    assert [json.loads(line)["action"] for line in about_ann] == ["export", "delete", "read"]
    assert denied.status_code == 403
    assert {one["address"] for one in entries(tmp_path)} == {"127.0.0.1"}
    assert told.json()["still_found_in"] == []
    assert "ann-of-the-audit-log" not in (tmp_path / FILE).read_text()
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_logins_and_pages_of_the_console_are_noted(tmp_path: Path) -> None:
    with running(tmp_path, token="the-token"):
        settings = Settings(tmp_path, token="the-token", accept_any_key=True)
        app = create_worker(settings, SharedLog(tmp_path), lambda settings, log: [Console(settings, log)])
        with TestClient(app) as web:
            web.post("/console/login", data={"token": "wrong"}, headers={"x-forwarded-for": "203.0.113.9"})
            web.post("/console/login", data={"token": "the-token"}, follow_redirects=False)
            web.get("/console/plan", headers=PAGE)
    noted = [(one["action"], one["route"]) for one in entries(tmp_path)]
    assert noted == [("log in", "POST /console/login"), ("read", "GET /console/plan")]


def test_the_files_have_a_bound_and_keep_the_newest(tmp_path: Path) -> None:
    first, second = AuditLog(tmp_path, "token", 2000), AuditLog(tmp_path, "token", 2000)
    for number in range(100):
        (first if number % 2 else second).note(f"t{number}", "read", "GET /v1/events")
    assert max((tmp_path / name).stat().st_size for name in (FILE, BEFORE)) < 2200
    names = [json.loads(line)["token"] for line in first.newest(1000)]
    assert names == [f"t{number}" for number in range(100 - len(names), 100)] and len(names) > 15
    assert [json.loads(line)["token"] for line in first.newest(2)] == ["t98", "t99"]


def test_a_folder_that_takes_no_entry_stops_nobody(tmp_path: Path) -> None:
    AuditLog(tmp_path / "missing", "token").note("t", "read", "GET /v1/events")
