"""The OpenAPI document, held against what the collector and its worker really answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hostile
import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from satsuma_server.forwarding import destinations_from
from satsuma_server.openapi import document
from satsuma_server.testing import Collector, running
from schemathesis import GenerationMode

WORKERS = sorted(set(document(worker=True)["paths"]) - set(document()["paths"]))
BODIES: dict[str, dict[str, Any]] = {
    "sql": {"query": "select 1 as one"},
    "replayDestination": {"seq": 1},
    "resendFailed": {},
}
SLOW = ("rebuild", "rebuildProfiles", "forget")
EVENTS: list[dict[str, Any]] = [
    {"type": "page", "anonymousId": "a1"},
    {"type": "identify", "anonymousId": "a1", "userId": "u1", "traits": {"plan": "premium", "email": "u1@shop.test"}},
    {"type": "track", "anonymousId": "a1", "userId": "u1", "event": "Signed Up", "properties": {"n": 1}},
    {"type": "alias", "previousId": "u1", "userId": "u2"},
]

QUERIES = {"allow": {"name": "shop.signed_up.plan"}, "drop": {"name": "shop.signed_up"}}


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """A collector with a worker that knows one person, and has a destination."""
    destinations = destinations_from([{"name": "crm", "python": "builtins:repr"}])
    with running(tmp_path_factory.mktemp("collector"), worker=True, destinations=destinations) as started:
        answer = httpx.post(f"{started.url}/v1/batch", json={"batch": EVENTS, "writeKey": "shop"}, trust_env=False)
        assert answer.json()["success"]
        yield started


@pytest.fixture(scope="module")
def places(collector: Collector) -> dict[str, str]:
    """What the document's paths have in braces, for what the collector has."""
    with httpx.Client(base_url=collector.url, headers=hostile.TOKEN, trust_env=False, timeout=60) as client:
        wait_until(lambda: client.get("/v1/worker").status_code == 200, "the worker")
        client.post("/v1/warehouse/load").raise_for_status()
        wait_until(lambda: is_caught_up(collector), "profiles")
        merges = client.get("/v1/profiles/user_id:u1/merges").raise_for_status().json()["data"]
    number = str(merges[0]["number"])
    return {"person": "user_id:u1", "number": number, "schema": "shop", "table": "tracks", "name": "crm"}


def is_caught_up(collector: Collector) -> bool:
    """Tell whether profiles know all events; being built anew, they know none at first."""
    answer = httpx.get(f"{collector.url}/v1/profiles/totals", headers=hostile.TOKEN, trust_env=False, timeout=60)
    return not answer.raise_for_status().json()["behind"]


def wait_until(done: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + 60
    while not done():
        assert time.monotonic() < until, f"{what} took too long"
        time.sleep(0.05)


def operations() -> list[Any]:
    found = schemathesis.openapi.from_dict(document(worker=True)).get_all_operations()
    return [one.ok() for one in found if one.ok().path in WORKERS]


def identity(operation: Any) -> str:
    return str(operation.definition.raw["operationId"])


def in_order(operation: Any) -> tuple[bool, bool]:
    """What changes what the others are asked about comes last, and what takes it away altogether after that."""
    return operation.method != "get", identity(operation) in SLOW


@pytest.mark.parametrize("operation", sorted(operations(), key=in_order), ids=identity)
def test_what_is_there_is_told_as_the_document_says(
    operation: Any, collector: Collector, places: dict[str, str]
) -> None:
    wait_until(lambda: is_caught_up(collector), "profiles")
    own = {name: value for name, value in places.items() if f"{{{name}}}" in operation.path}
    asked = {"body": BODIES[identity(operation)], "media_type": "application/json"} if operation.body else {}
    case = operation.Case(path_parameters=own, query=QUERIES.get(identity(operation), {}), **asked)
    answer = case.call_and_validate(base_url=collector.url, checks=hostile.CHECKS, headers=hostile.TOKEN, timeout=60)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("operation", [one for one in operations() if identity(one) not in SLOW], ids=identity)
def test_what_is_made_up_is_answered_as_the_document_says(operation: Any, collector: Collector) -> None:
    @settings(max_examples=8, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
    def call(case: Any) -> None:
        case.call_and_validate(base_url=collector.url, checks=hostile.CHECKS, headers=hostile.TOKEN, timeout=60)

    call()


@pytest.mark.parametrize("path", WORKERS)
def test_nobody_is_told_anything_without_the_token(collector: Collector, path: str) -> None:
    for method in document(worker=True)["paths"][path]:
        address = path.replace("{person}", "user_id:u1").replace("{number}", "1")
        answer = httpx.request(method, collector.url + address, trust_env=False, timeout=60)
        assert answer.status_code == 401, (method, path)


def test_a_collector_without_a_worker_promises_nothing_of_it(tmp_path: Path) -> None:
    with running(tmp_path) as collector:
        paths = httpx.get(f"{collector.url}/openapi.json", trust_env=False).json()["paths"]
    assert not set(paths) & set(WORKERS)
