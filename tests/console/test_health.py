"""The screen Health, and the audits behind it."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from audit.worlds import World
from console.conftest import PAGE, TOKEN, Desk
from satsuma_server.audit import History, run_audit
from satsuma_server.console import Console
from satsuma_server.health import Health
from satsuma_server.health.child import FOLDER
from satsuma_server.health.reports import FILE
from satsuma_server.log import ReadableLog
from satsuma_server.log.shared import SharedLog
from satsuma_server.projections import Projection
from satsuma_server.projections.app import create_worker
from satsuma_server.settings import AuditSettings, HealthSettings, Settings
from satsuma_server.testing import running
from starlette.testclient import TestClient

EMAILS = "Email addresses are used as userId"
ANN = "ann.kowalski@mail.example"
EVENTS: list[dict[str, Any]] = [
    {"type": "track", "event": "Order Completed", "userId": user, "messageId": f"m{number}"}
    for number, user in enumerate([ANN, ANN, "bob@mail.example", "97980cfea0067"])
]


@pytest.fixture
def open_desk(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """A function that opens a console with the screen Health, over a collector of this test."""
    with running(tmp_path, token=TOKEN) as collector:
        clients: list[TestClient] = []

        def make(**settings: Any) -> Desk:
            def parts(given: Settings, log: ReadableLog) -> list[Projection]:
                health = Health(given, log)
                return [Console(given, log, health=health), health]

            chosen = Settings(tmp_path, token=TOKEN, accept_any_key=True, **settings)
            client = TestClient(create_worker(chosen, SharedLog(tmp_path), parts))
            client.__enter__()
            clients.append(client)
            desk = Desk(collector, client)
            assert desk.log_in().status_code == 303
            return desk

        yield make
        for client in clients:
            client.__exit__(None, None, None)


def health_of(desk: Desk) -> Health:
    return next(part for part in desk.web.app.state.parts if isinstance(part, Health))  # type: ignore[attr-defined]


def ask(desk: Desk) -> str:
    """Press the button, and return the page with the report."""
    answer = desk.web.post("/console/health/audit", data={"csrf": desk.csrf()}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/health")
    return desk.see("health", "Audit now")


def test_who_looks_first_gets_a_report_with_the_people_in_it(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk()
    assert "Nothing to look at yet" in desk.see("health")
    desk.send(*EVENTS)
    assert "Reading events…" in desk.see("health")
    told = desk.see("health", "Audit now")
    assert EMAILS in told and re.search(r"66\.7 %</b> of userIds", told)
    assert f'href="/console/people/user_id:{ANN.replace("@", "%40")}"' in told
    assert re.search(r'href="/console/events/[12]"', told)
    # What it asks for by itself while an audit runs leaves the page alone.
    health_of(desk).is_running = True
    waiting = desk.web.get("/console/health", headers={**PAGE, "hx-request": "true"})
    assert waiting.status_code == 204


def test_the_report_stays_and_the_score_is_followed(open_desk: Callable[..., Desk], tmp_path: Path) -> None:
    desk = open_desk()
    desk.send(*EVENTS)
    ask(desk)
    health = health_of(desk)
    before = health.report
    desk.send(
        *({**EVENTS[3], "userId": f"97980cfea{number:04}", "messageId": f"more{number}"} for number in range(300))
    )
    assert "300 events came since" in desk.see("health", "came since")
    told = ask(desk)
    assert health.report and before and health.report.score > before.score
    assert f"The score since {before.made_at[:10]}, when it was {before.score}" in told
    again = Health(Settings(tmp_path, token=TOKEN, accept_any_key=True), SharedLog(tmp_path))
    assert again.report == health.report and len(again.scores(10)) == 2


def test_a_deleted_person_is_in_no_report(open_desk: Callable[..., Desk], tmp_path: Path) -> None:
    desk = open_desk()
    desk.send(*EVENTS)
    ask(desk)
    assert ANN.encode() in b"".join(file.read_bytes() for file in tmp_path.glob(f"{FILE}*"))
    health = health_of(desk)
    assert desk.web.portal
    assert desk.web.portal.call(health.forget, [ANN], []) >= 1
    assert ANN.encode() not in b"".join(file.read_bytes() for file in tmp_path.glob(f"{FILE}*"))
    told = desk.see("health")
    assert ANN not in told and "bob" in told


def test_a_report_is_kept_no_longer_than_events(open_desk: Callable[..., Desk], tmp_path: Path) -> None:
    desk = open_desk()
    desk.send(*EVENTS)
    ask(desk)
    health = health_of(desk)
    assert health.report and desk.web.portal
    made = datetime.fromisoformat(health.report.made_at).timestamp() * 1000
    assert desk.web.portal.call(health.expire, made) == 0
    assert desk.web.portal.call(health.expire, made + 1) == 1
    assert ANN.encode() not in b"".join(file.read_bytes() for file in tmp_path.glob(f"{FILE}*"))
    assert health.report is None
    assert len(health.scores(10)) == 1


def test_an_audit_that_fails_says_why_and_the_last_report_stays(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk()
    desk.send(*EVENTS)
    ask(desk)
    told = ask(open_desk(audit=AuditSettings(memory="nonsense")))
    assert re.search(r'role="alert">the audit failed: [^<]*Memory', told), re.findall(r'role="alert">[^<]*', told)
    assert EMAILS in told


def test_a_killed_audit_leaves_no_copies_of_events(open_desk: Callable[..., Desk], tmp_path: Path) -> None:
    desk = open_desk()
    desk.send(*EVENTS)
    desk.see("health", "Reading events…")
    until = time.monotonic() + 60
    while not (children := _auditors(tmp_path)):
        assert time.monotonic() < until
        time.sleep(0.01)
    for child in children:
        subprocess.run(["kill", f"-{signal.SIGKILL}", str(child)], check=False)
    assert 'role="alert"' in desk.see("health", "Audit now")
    assert not (tmp_path / FOLDER).exists()


def _auditors(data: Path) -> Sequence[int]:
    """Return the process ids of the audits of a collector."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"satsuma_server.health" in line and str(data / FOLDER).encode() in line:
            found.append(int(file.parent.name))
    return found


def test_old_events_are_left_out(open_desk: Callable[..., Desk]) -> None:
    events = World(3, 40).events()
    middle = datetime.fromisoformat(events[len(events) // 2]["receivedAt"])
    with History(since=middle) as history:
        history.add(list(World(3, 40).lines()))
        report = run_audit(history)
    assert report.input.events < 0.7 * len(events)
    assert report.input.first and datetime.fromisoformat(report.input.first) > middle - timedelta(days=2)
    desk = open_desk(health=HealthSettings(most_events=2))
    desk.send(*EVENTS)
    told = ask(desk)
    assert "2 events from" in told and str(datetime.now(UTC).year) in told
