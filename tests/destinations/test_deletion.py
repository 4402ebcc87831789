"""A person who is deleted is not delivered any more, is in no file of the destinations, and is deleted there, too."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx
from destinations.receiver import Received, receiving, settings_of, until
from satsuma_server.errors import UnavailableError
from satsuma_server.http.responses import HANDLERS
from satsuma_server.identity.identifiers import Key
from satsuma_server.privacy import FORGET
from satsuma_server.privacy.erasure_check import find_in_files
from satsuma_server.privacy.people import People
from satsuma_server.settings import Settings
from satsuma_server.testing import running
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.testclient import TestClient

ANN, BOB = "ann-kowalski-0001", "bob-baker-0002"


def test_a_deleted_person_is_neither_delivered_nor_kept(tmp_path: Path) -> None:
    asked: list[str] = []

    def answer(request: Received) -> Response:
        event = request.json
        asked.append(event["messageId"])
        if event["messageId"] == "a1":
            return PlainTextResponse(f"no customer {event['userId']}", 422)
        return PlainTextResponse("down", 503)

    with receiving(answer) as receiver:
        crm = {"name": "crm", "type": "webhook", "url": receiver.url, "single": True, "concurrency": 1}
        crm["timeout_seconds"] = 2
        with (
            running(tmp_path, worker=True, destinations=settings_of(crm)) as collector,
            httpx.Client(base_url=collector.url, trust_env=False, timeout=60) as client,
        ):
            client.headers["Authorization"] = f"Bearer {collector.token}"

            def send(*events: tuple[str, str]) -> None:
                batch: list[dict[str, Any]] = [
                    {"type": "track", "event": "Bought", "messageId": id, "userId": user} for id, user in events
                ]
                client.post("/v1/batch", json={"batch": batch, "writeKey": "shop"}).raise_for_status()

            def failed() -> Any:
                answer = client.get("/v1/destinations/crm/failed")
                return answer.json() if answer.status_code == 200 else []

            send(("a1", ANN))
            until(lambda: len(failed()) == 1)
            assert failed()[0]["answer"] == f"no customer {ANN}"
            send(("a2", ANN), ("b1", BOB))
            until(lambda: "a2" in asked)
            deleted = patient(client, f"/v1/people/user_id:{ANN}")
            assert deleted["still_found_in"] == []
            assert [one.partition(",")[0] for one in deleted["not_searched"]] == ["deletions.sqlite3"]
            assert failed() == []
            asked.clear()
            receiver.answer = lambda request: PlainTextResponse("ok")
            client.post("/v1/destinations/crm/resume").raise_for_status()
            until(lambda: {request.json["type"] for request in receiver.requests} == {"track", "delete"})
            told = {request.json["type"]: request.json for request in receiver.requests}
            assert told["track"]["messageId"] == "b1"
            assert told["delete"]["userIds"] == [ANN]
            assert "a2" not in asked
            until(lambda: client.get("/v1/destinations").json()[0]["deletions"]["done"] == 1)
            assert patient(client, f"/v1/people/user_id:{BOB}")["still_found_in"] == []
            assert find_in_files(tmp_path, [ANN]) == []


def test_a_profile_stays_until_the_destinations_know_whom_to_delete(tmp_path: Path) -> None:
    """Otherwise nobody could tell a deletion that is repeated which devices the person had."""
    forgotten: list[object] = []

    class Profiles:
        async def forget(self, keys: list[object], seq: int, start: object) -> list[object]:
            forgotten.extend(keys)
            return keys

    class Closed:
        async def forget(self, *ids: object) -> int:
            raise UnavailableError("the destinations are being opened")

    people = People(Settings(tmp_path), Profiles(), None, Closed())  # type: ignore[arg-type]
    app = Starlette(routes=list(people.internal_routes()), exception_handlers=HANDLERS)
    asked = {"keys": [Key("user_id", ANN), Key("anonymous_id", "d")], "seq": 1, "start": None}
    assert TestClient(app).post(FORGET, content=json.dumps(asked)).status_code == 503
    assert forgotten == []


def patient(client: httpx.Client, path: str) -> dict[str, Any]:
    """Delete a person, as soon as the second process can."""
    end = time.monotonic() + 60
    while (answer := client.delete(path)).status_code == 503:
        assert time.monotonic() < end, answer.text
        time.sleep(0.1)
    return dict(answer.raise_for_status().json())
