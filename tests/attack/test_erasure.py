"""A deleted person's ids and values are in no file of the data folder, wherever they had come to before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from attack.conftest import TOKEN, wait_until
from console.conftest import Desk
from destinations.receiver import Received, receiving, settings_of
from satsuma_server.identity.rules import ProfileSettings
from satsuma_server.plans.violations import Violations
from satsuma_server.privacy.erasure_check import find_in_files
from satsuma_server.testing import Collector, running
from starlette.responses import PlainTextResponse, Response

ANN, PHONE, OTHER = "ann.kowalski.7391@mail.example", "device-of-ann-55512", "bob-baker-0002"
VALUES = (ANN, PHONE, "+48 600 100 200", "12 Orchard Lane", "ann-order-900417", "ann-secret-size")
PLAN = """
[track.Ordered.properties]
size = {enum = ["s", "m"]}
"""


@contextmanager
def collecting(folder: Path) -> Iterator[tuple[Collector, httpx.Client]]:
    """Run a collector with a plan and a destination that repeats whom it doesn't take."""
    plan = folder / "plan.toml"
    plan.write_text(PLAN)

    def refuse(request: Received) -> Response:
        event = request.json
        if event["type"] == "delete":
            return PlainTextResponse("ok")
        return PlainTextResponse(f"no customer {event['userId']} of {event.get('traits')}", 422)

    with receiving(refuse) as receiver:
        crm = {"name": "crm", "type": "webhook", "url": receiver.url, "single": True, "timeout_seconds": 2}
        with (
            running(folder / "data", worker=True, plan=plan, destinations=settings_of(crm)) as collector,
            httpx.Client(base_url=collector.url, headers=TOKEN, trust_env=False, timeout=60) as client,
        ):
            yield collector, client


def events() -> list[dict[str, Any]]:
    ann = {"userId": ANN, "anonymousId": PHONE}
    ordered = {"size": "ann-secret-size", "address": "12 Orchard Lane"}
    return [
        {"type": "identify", **ann, "traits": {"email": ANN, "phone": "+48 600 100 200"}},
        {"type": "track", "event": "Ordered", **ann, "properties": ordered, "messageId": "ann-order-900417"},
        # What she is called is in the names of an event and of a property.
        {"type": "track", "event": "Ordered", **ann, "properties": {f"for {ANN}": 1}},
        {"type": "track", "event": f"Called {ANN}", **ann},
        {"type": "track", **ann, "properties": ordered},  # Without a name it is refused.
        {"type": "track", "event": "Ordered", "userId": OTHER, "properties": {"size": "x"}},
    ]


def test_nothing_of_a_deleted_person_is_in_any_file(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with collecting(tmp_path) as (collector, client):
        client.post("/v1/batch", json={"batch": events(), "writeKey": "shop"})
        count = {"query": "SELECT count(*) FROM shop.tracks"}
        wait_until(lambda: "[[4]]" in client.post("/v1/sql", json=count).text, "the warehouse")
        wait_until(lambda: client.get("/v1/profiles/totals").json().get("seq") == 5, "profiles")
        wait_until(lambda: len(_failed(client)) == 5, "the destination")
        wait_until(lambda: (data / "violations.json").exists(), "the counts of violations")
        client.get(f"/v1/people/user_id:{ANN}/export").raise_for_status()
        with httpx.Client(base_url=collector.url, trust_env=False, timeout=60) as browser:
            desk = Desk(collector, browser)  # type: ignore[arg-type]
            assert desk.log_in(TOKEN["Authorization"].removeprefix("Bearer ")).status_code == 303
            desk.see(f"people/user_id:{ANN}")
            browser.post("/console/health/audit", data={"csrf": desk.csrf()})
            desk.see("health", "Audit now")
        for value in VALUES:
            assert find_in_files(data, [value]), value

        answer = client.delete(f"/v1/people/user_id:{ANN}?suppress=1").json()
        assert answer["success"], answer
        assert answer["still_found_in"] == []

        def left() -> list[str]:
            return find_in_files(data, VALUES)

        # Only the request for the destination has the ids, and only until it is acknowledged.
        assert {name.removesuffix("-wal") for name in left()} <= {"deletions.sqlite3"}
        wait_until(lambda: not left(), "the destination has deleted her, too")
        # Of others, everything is left.
        assert OTHER in client.get("/v1/events").text
        assert '"path":".properties.size"' in client.get("/v1/violations").text.replace(": ", ":")


def test_a_namesake_in_another_source_keeps_everything(tmp_path: Path) -> None:
    """Where each source has people of its own, the same userId in two of them is two people."""
    people = ProfileSettings(per_source=True)
    with (
        running(tmp_path, worker=True, profiles=people) as collector,
        httpx.Client(base_url=collector.url, headers=TOKEN, trust_env=False, timeout=60) as client,
    ):
        for key in ("shop", "blog"):
            client.post("/v1/batch", json={"batch": events(), "writeKey": key})

        def rows(key: str) -> Any:
            of_ann = f"SELECT count(*) FROM {key}.tracks WHERE user_id = '{ANN}'"
            query = f"SELECT ({of_ann}), (SELECT count(*) FROM {key}.users)"
            return client.post("/v1/sql", json={"query": query}).json().get("rows")

        wait_until(lambda: rows("shop") == rows("blog") == [[3, 1]], "the warehouse")
        wait_until(lambda: client.get("/v1/profiles/totals").json().get("seq") == 10, "profiles")
        assert client.delete(f"/v1/people/user_id:{ANN}?source=shop").json()["success"]
        assert (rows("shop"), rows("blog")) == ([[0, 0]], [[3, 1]])
        left = [event["writeKey"] for event in collector.events() if event["userId"] == ANN]
        assert left == ["blog"] * 4
        assert client.get(f"/v1/profiles/user_id:{ANN}?source=blog").status_code == 200
        assert client.get(f"/v1/profiles/user_id:{ANN}?source=shop").status_code == 404


def test_counts_of_violations_name_nobody_who_was_deleted(tmp_path: Path) -> None:
    from satsuma_server.plans.model import Violation

    counts = Violations(tmp_path)
    for event, path in ((f"Called {ANN}", "event"), ("Ordered", f".properties.for {ANN}"), ("Ordered", ".size")):
        counts.note("shop", [Violation("track", event, path, "unplanned", "is not planned")], "m-1", refused=False)
    counts.save()
    assert find_in_files(tmp_path, [ANN])
    assert counts.forget({ANN, PHONE}) == 2
    assert find_in_files(tmp_path, [ANN]) == []
    [left] = Violations(tmp_path).list()
    assert (left["path"], left["count"], left["messageId"]) == (".size", 1, None)


def _failed(client: httpx.Client) -> list[Any]:
    answer = client.get("/v1/destinations/crm/failed")
    return list(answer.json()) if answer.status_code == 200 else []
