"""The screen Destinations."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from console.conftest import PAGE, TOKEN, Desk
from destinations.receiver import Receiver, receiving, settings_of, until
from satsuma_server.console import Console
from satsuma_server.destinations import deletions
from satsuma_server.destinations.projection import Destinations
from satsuma_server.log import ReadableLog
from satsuma_server.log.shared import SharedLog
from satsuma_server.projections.app import create_worker
from satsuma_server.settings import Settings
from satsuma_server.testing import running
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(lambda request: PlainTextResponse("<b>no such customer</b>", 422)) as made:
        yield made


@pytest.fixture
def desk(tmp_path: Path, receiver: Receiver) -> Iterator[Desk]:
    """A console over a destination that refuses everything, and one whose secret is missing."""
    crm = {"name": "crm", "type": "webhook", "url": f"{receiver.url}/hook?key=unseen-key"}
    broken = {**crm, "name": "broken", "secret": {"env": "NOT_THERE"}}
    settings = Settings(tmp_path, token=TOKEN, accept_any_key=True, destinations=settings_of(crm, broken))

    def parts(settings: Settings, log: ReadableLog) -> list[Any]:
        destinations = Destinations(settings, log)
        return [destinations, Console(settings, log, destinations=destinations)]

    with (
        running(tmp_path, token=TOKEN) as collector,
        TestClient(create_worker(settings, SharedLog(tmp_path), parts)) as client,
    ):
        made = Desk(collector, client)
        assert made.log_in().status_code == 303
        yield made


def test_it_tells_what_failed_and_why_and_sends_it_again(desk: Desk, receiver: Receiver) -> None:
    desk.send({"type": "track", "event": "Bought", "userId": "ann", "messageId": "m1"})
    told = desk.see("destinations/crm", "event 1: it answers 422")
    assert "&lt;b&gt;no such customer&lt;/b&gt;" in told
    assert "<b>no such customer" not in told
    assert "unseen-key" not in told
    overview = desk.see("destinations")
    assert "the secret in NOT_THERE is missing or empty" in overview
    assert 'data-state="broken"' in overview and 'data-state="live"' in overview

    def do(what: str, csrf: str = "", **more: str) -> Any:
        form = {"csrf": csrf or desk.csrf(), "do": what, **more}
        return desk.web.post("/console/destinations/crm", data=form, follow_redirects=False)

    assert do("pause", csrf="wrong").status_code == 403
    assert do("pause").status_code == 303
    desk.see("destinations/crm", "Resume")
    assert do("resume").status_code == 303
    receiver.answer = lambda request: PlainTextResponse("ok")
    assert do("resend").status_code == 303
    desk.see("destinations/crm", "Nothing was set aside.")
    assert [event["messageId"] for event in receiver.events()] == ["m1"]
    assert do("explode").status_code == 400
    assert do("resend", id="x").status_code == 400
    assert desk.web.get("/console/destinations/unknown", headers=PAGE).status_code == 404


def test_it_shows_whom_a_destination_did_not_delete_without_naming_them(
    desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletions, "time", SimpleNamespace(time=lambda: time.time() + 3_600))
    until(lambda: desk.web.get("/console/destinations/crm", headers=PAGE).status_code == 200)
    desk.see("destinations/crm", "Nobody was deleted yet.")
    receiver.answer = lambda request: PlainTextResponse(f"who is {request.batch[0]['userIds']}", 422)
    destinations = desk.web.app.state.parts[0]  # type: ignore[attr-defined]
    assert desk.web.portal is not None
    desk.web.portal.call(destinations.forget, ["ann-kowalski"], [])
    told = desk.see("destinations/crm", "1 failed")
    assert "failed: it answers 422" in told
    assert "answer: who is [&#39;•••&#39;]" in told
    assert "ann-kowalski" not in told
    assert "<dt>people to delete</dt><dd>1 <small>1 failed</small></dd>" in desk.see("destinations")
