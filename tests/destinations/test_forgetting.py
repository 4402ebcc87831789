"""A person who is deleted here is deleted in the destinations that have a way to do it, whatever these answer."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from destinations.models import DELETION_TOKEN, TOKEN, Amplitude, Mixpanel, PostHog
from destinations.receiver import Received, Receiver, is_done, receiving, status, track, until, working, write
from destinations.test_services import ANN, PHONE, event, visit
from satsuma_server.destinations import deletions, runner
from satsuma_server.destinations.deletion_store import FILE
from satsuma_server.destinations.lane import Patience
from satsuma_server.testing import running
from starlette.responses import PlainTextResponse, Response
from starlette.testclient import TestClient

BOB = {"anonymousId": "bobs-browser", "userId": "bob"}
EVENTS = [*visit(), event("b1", "track", 10, **BOB, event="Order Completed", properties={"order_id": "o2"})]

SERVICES: list[tuple[Any, dict[str, Any]]] = [
    (lambda: Mixpanel("simplified"), {"type": "mixpanel", "token": {"env": "TOKEN"}}),
    (lambda: Mixpanel("original"), {"type": "mixpanel", "token": {"env": "TOKEN"}, "id_merge": "original"}),
    (lambda: Mixpanel("legacy"), {"type": "mixpanel", "token": {"env": "TOKEN"}, "id_merge": "legacy"}),
    (Amplitude, {"type": "amplitude", "key": {"env": "TOKEN"}}),
    (PostHog, {"type": "posthog", "key": {"env": "TOKEN"}}),
]
KEYS: dict[str, dict[str, Any]] = {
    "mixpanel": {"deletion_token": {"env": "DELETION_TOKEN"}},
    "amplitude": {"secret_key": {"env": "DELETION_TOKEN"}},
    "posthog": {"personal_api_key": {"env": "DELETION_TOKEN"}, "project_id": "17"},
}


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", TOKEN)
    monkeypatch.setenv("DELETION_TOKEN", DELETION_TOKEN)


@pytest.fixture(autouse=True)
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests that were under way when a person was deleted have ended long ago."""
    monkeypatch.setattr(deletions, "time", SimpleNamespace(time=lambda: time.time() + 3_600, monotonic=time.monotonic))


@pytest.mark.parametrize(("make", "table"), SERVICES)
def test_a_service_has_nothing_of_a_person_who_was_deleted_and_all_of_others(
    tmp_path: Path, make: Callable[[], Any], table: dict[str, Any]
) -> None:
    model = make()
    with delivering(tmp_path, model, table | KEYS[table["type"]]) as (receiver, worker):
        forget(worker, ["ann"], [ANN, PHONE])
        until(lambda: status(worker)["deletions"]["done"] == 1)
        (told,) = worker.get("/v1/destinations/crm/deletions").json()
    assert any("Order Completed" in one.values() for one in model.events.values())
    left = json.dumps(list(model.events.values()))
    assert not {name for name in ('"ann"', ANN, PHONE, "ann@shop.example") if name in left}
    assert not getattr(model, "profiles", {})
    assert (told["state"], told["tries"], told["reason"]) == ("done", 1, "")
    assert told["status"] in (200, 202)
    assert "ann" not in json.dumps(told)
    for secret in (DELETION_TOKEN, "ann", ANN, PHONE):
        assert secret.encode() not in (tmp_path / FILE).read_bytes()
    assert receiver.requests


@pytest.mark.parametrize(("make", "table"), SERVICES[2:])
def test_a_service_without_the_key_for_it_is_not_asked(
    tmp_path: Path, make: Callable[[], Any], table: dict[str, Any]
) -> None:
    model = make()
    with delivering(tmp_path, model, table) as (_, worker):
        before = len(model.events)
        forget(worker, ["ann"], [ANN, PHONE])
        assert status(worker)["deletions"] is None
        assert worker.get("/v1/destinations/crm/deletions").json() == []
    assert len(model.events) == before


def test_a_webhook_gets_a_signed_message_behind_the_persons_events(tmp_path: Path) -> None:
    table = {"type": "webhook", "secret": {"env": "TOKEN"}, "single": True}
    with delivering(tmp_path, lambda request: PlainTextResponse("ok"), table) as (receiver, worker):
        forget(worker, ["ann"], [ANN])
        until(lambda: status(worker)["deletions"]["done"] == 1)
    last = receiver.requests[-1]
    assert {name: last.json[name] for name in ("type", "userIds", "anonymousIds")} == {
        "type": "delete",
        "userIds": ["ann"],
        "anonymousIds": [ANN],
    }
    assert [one.json["type"] for one in receiver.requests].count("delete") == 1
    told = f"{last.headers['webhook-id']}.{last.headers['webhook-timestamp']}.".encode() + last.body
    signature = base64.b64encode(hmac.digest(TOKEN.encode(), told, hashlib.sha256)).decode()
    assert last.headers["webhook-signature"] == f"v1,{signature}"


def test_a_destination_of_other_sources_is_not_asked_to_delete_a_namesake(tmp_path: Path) -> None:
    table = {"type": "webhook", "sources": ["shop"]}
    with delivering(tmp_path, lambda request: PlainTextResponse("ok"), table) as (_, worker):
        forget(worker, ["ann"], [], "blog")
        assert status(worker)["deletions"] == {"waiting": 0, "done": 0, "failed": 0}
        forget(worker, ["ann"], [], "shop")
        until(lambda: status(worker)["deletions"]["done"] == 1)


def test_a_deletion_waits_as_long_as_a_request_may_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deletions, "time", time)
    table = {"type": "webhook", "timeout_seconds": 600}
    with delivering(tmp_path, lambda request: PlainTextResponse("ok"), table) as (receiver, worker):
        forget(worker, ["ann"], [ANN])
        write(tmp_path, [track("later", "bob")])
        until(lambda: is_done(worker, len(EVENTS) + 1))
        assert status(worker)["deletions"] == {"waiting": 1, "done": 0, "failed": 0}
        monkeypatch.setattr(deletions, "time", SimpleNamespace(time=lambda: time.time() + 599))
        worker.post("/v1/destinations/crm/resume").raise_for_status()
        until(lambda: status(worker)["deletions"]["done"] == 1)
    assert [one["type"] for one in receiver.events()][-2:] == ["track", "delete"]


def test_a_deletion_is_tried_again_over_restarts_and_holds_up_no_event(tmp_path: Path) -> None:
    keys: list[str] = []

    def answer(request: Received) -> Response:
        for one in request.batch:
            if one["type"] == "delete":
                keys.append(one["messageId"])
                return PlainTextResponse(f"not now, {one['userIds']}", 503)
        return PlainTextResponse("ok")

    with delivering(tmp_path, answer, {"type": "webhook"}) as (receiver, worker):
        forget(worker, ["ann-kowalski"], [])
        until(lambda: status(worker)["problem"] == "it answers 503")
        assert status(worker)["deletions"] == {"waiting": 1, "done": 0, "failed": 0}
        write(tmp_path, [track("later", "bob")])
        until(lambda: is_done(worker, len(EVENTS) + 1))
        url = receiver.url
    assert b"ann-kowalski" in (tmp_path / FILE).read_bytes()
    with receiving() as other:
        table = {"name": "crm", "type": "webhook", "url": other.url}
        with working(tmp_path, table) as worker:
            # Until the worker has opened what it keeps, it tells of no deletions.
            until(lambda: status(worker).get("deletions") == {"waiting": 0, "done": 1, "failed": 0})
    assert [one["type"] for one in other.events()] == ["delete"]
    assert {one["messageId"] for one in other.events()} == set(keys)
    assert url != other.url
    assert b"ann-kowalski" not in (tmp_path / FILE).read_bytes()


def test_a_deletion_that_is_refused_is_kept_with_the_answer_and_can_be_sent_again(tmp_path: Path) -> None:
    def answer(request: Received) -> Response:
        return PlainTextResponse(f"nobody is called {request.json.get('userIds')}", 422)

    def agree(request: Received) -> Response:
        return PlainTextResponse("ok")

    with delivering(tmp_path, agree, {"type": "webhook", "single": True}) as (receiver, worker):
        receiver.answer = answer
        forget(worker, ["ann-kowalski"], [])
        until(lambda: status(worker)["deletions"]["failed"] == 1)
        (told,) = worker.get("/v1/destinations/crm/deletions").json()
        assert (told["state"], told["status"], told["answer"]) == ("failed", 422, "nobody is called ['•••']")
        receiver.answer = agree
        assert worker.post("/v1/destinations/crm/resend", json={}).json() == {"resending": 1}
        until(lambda: status(worker)["deletions"] == {"waiting": 0, "done": 1, "failed": 0})
    assert receiver.requests[-1].json["userIds"] == ["ann-kowalski"]


def test_one_deletion_that_makes_a_service_fail_holds_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "Patience", partial(Patience, tries=2, first_wait=0.01))

    def breaking(request: Received) -> Response:
        return PlainTextResponse("it broke", 500 if request.json.get("userIds") == ["bad"] else 200)

    with delivering(tmp_path, breaking, {"type": "webhook", "single": True}) as (_, worker):
        worker.post("/v1/destinations/crm/pause").raise_for_status()
        for name in ("bad", "ann", "bob"):
            forget(worker, [name], [])
        worker.post("/v1/destinations/crm/resume").raise_for_status()
        until(lambda: status(worker)["deletions"] == {"waiting": 0, "done": 2, "failed": 1})


def test_a_second_satsuma_deletes_the_person_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (data := tmp_path / "data").mkdir()
    with running(tmp_path / "other", worker=True) as other:
        monkeypatch.setenv("OTHER_TOKEN", str(other.token))
        table = {"name": "crm", "type": "segment", "url": other.url, "write_key": "their-key"}
        table |= {"token": {"env": "OTHER_TOKEN"}}
        write(data, [track("a", "ann"), track("b", "bob")])
        with working(data, table) as worker:
            until(lambda: is_done(worker, 2))
            forget(worker, ["ann"], [])
            until(lambda: status(worker)["deletions"]["done"] == 1)
        assert [one["userId"] for one in other.events()] == ["bob"]


def test_a_plugin_is_told_and_a_function_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_crm.py").write_text(
        "told = []\n"
        "class Crm:\n"
        "    def track(self, context): pass\n"
        "    def delete(self, context): told.append(context.event)\n"
        "def deliver(context): pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    (data := tmp_path / "data").mkdir()
    tables = [
        {"name": name, "python": f"own_crm:{made}", "type": "python"}
        for name, made in (("crm", "Crm"), ("function", "deliver"))
    ]
    write(data, [track("a")])
    with working(data, *tables) as worker:
        until(lambda: status(worker)["state"] == "running" and status(worker, "function")["state"] == "running")
        forget(worker, ["ann"], [ANN])
        until(lambda: status(worker)["deletions"]["done"] == 1)
        assert status(worker, "function")["deletions"] is None
    import own_crm  # type: ignore[import-not-found]

    assert [(one["type"], one["userIds"], one["anonymousIds"]) for one in own_crm.told] == [("delete", ["ann"], [ANN])]


def forget(worker: TestClient, users: list[str], devices: list[str], source: str = "") -> None:
    """Delete a person, as the second process does when the collector asks for it."""
    destinations = worker.app.state.parts[0]  # type: ignore[attr-defined]
    assert worker.portal is not None
    worker.portal.call(destinations.forget, users, devices, source)


@contextmanager
def delivering(
    data: Path, model: Callable[[Received], Response], table: dict[str, Any]
) -> Iterator[tuple[Receiver, TestClient]]:
    """Deliver the events, and yield the service and the worker."""
    problems: list[Exception] = []

    def answer(request: Received) -> Response:
        try:
            return model(request)
        except Exception as error:
            problems.append(error)
            return PlainTextResponse(repr(error), 422)

    write(data, EVENTS)
    with receiving(answer) as receiver:
        if "deletion_token" in table or "secret_key" in table or "personal_api_key" in table:
            table = table | {"deletion_url": receiver.url}
        with working(data, {"name": "crm", "url": receiver.url, **table}) as worker:
            until(lambda: is_done(worker, len(EVENTS)))
            yield receiver, worker
    if problems:
        raise problems[0]
