"""Segment's own libraries for servers, unchanged, against a real collector: what they post is what the log keeps."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flows.contract import check_kept
from flows.faults import Faults
from satsuma_server.testing import Collector
from segment.analytics import Client
from segment.analytics.request import APIError

NODE_CLIENT = Path(__file__).parents[1] / "libraries" / "node_client.mjs"
BASIC = "Basic bm9kZS1rZXk6"  # node-key:

ODD = {"fruit": "Žlutá 🍊", "price": 12.5, "big": 2**53 - 1, "none": None, "empty": {}, "list": [1, {"deep": [[]]}]}
EXTRAS: dict[str, Any] = {"context": {"ip": "203.0.113.9", "locale": "cs-CZ"}, "integrations": {"All": False, "A": {}}}

NODE_CALLS: list[tuple[str, dict[str, Any]]] = [
    ("identify", {"userId": "u1", "traits": {"plan": "pips", **ODD}}),
    ("track", {"anonymousId": "a1", "event": "Order Completed", "properties": ODD, "messageId": "mine", **EXTRAS}),
    ("page", {"userId": "u1", "category": "Docs", "name": "Home", "properties": {"path": "/"}}),
    ("screen", {"userId": "u1", "anonymousId": "a1", "name": "Basket", "timestamp": "2020-01-01T00:00:00.000Z"}),
    ("group", {"userId": "u1", "groupId": "g1", "traits": {"employees": 4}}),
    ("alias", {"userId": "u2", "previousId": "u1"}),
]

PYTHON_CALLS: list[tuple[str, dict[str, Any]]] = [
    ("identify", {"user_id": "u1", "traits": {"plan": "pips", **ODD}}),
    ("track", {"anonymous_id": "a1", "event": "Order Completed", "properties": ODD, "message_id": "mine", **EXTRAS}),
    ("page", {"user_id": 7, "category": "Docs", "name": "Home", "properties": {"path": "/"}}),
    (
        "screen",
        {"user_id": "u1", "anonymous_id": "a1", "name": "Basket", "timestamp": datetime(2020, 1, 1, tzinfo=UTC)},
    ),
    ("group", {"user_id": "u1", "group_id": "g1", "traits": {"employees": 4}}),
    ("alias", {"previous_id": "u1", "user_id": "u2"}),
]
TYPES = [method for method, _ in NODE_CALLS]

Node = Callable[..., list[dict[str, str]]]

OF_NODE = pytest.mark.library("@segment/analytics-node")
OF_PYTHON = pytest.mark.library("segment-analytics-python")


@pytest.fixture
def node(watched: Collector) -> Node:
    """A function that makes calls with ``@segment/analytics-node`` and returns what it couldn't deliver."""

    def call(calls: list[tuple[str, dict[str, Any]]], **settings: Any) -> list[dict[str, str]]:
        asked = {"settings": {"writeKey": "node-key", "host": watched.url, **settings}, "calls": calls}
        command = [shutil.which("node") or "node", str(NODE_CLIENT)]
        done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=True, timeout=60)
        failed: list[dict[str, str]] = json.loads(done.stdout)
        return failed

    return call


@contextmanager
def python_client(collector: Collector, **settings: Any) -> Iterator[Client]:
    """Give a client of ``segment-analytics-python``, flushed and stopped afterwards."""
    client = Client("python-key", host=collector.url, upload_interval=0.1, **settings)
    yield client
    if not client.sync_mode:
        client.shutdown()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python client would go through the machine's proxy, even to the machine itself."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/import"])
@OF_NODE
def test_what_node_posts_is_what_is_kept(node: Node, watched: Collector, faults: Faults, path: str) -> None:
    assert node(NODE_CALLS, flushAt=4, path=path) == []
    check_kept(watched.events(), faults, len(NODE_CALLS))
    assert sorted(event["type"] for event in watched.events()) == sorted(TYPES)
    assert sorted((post.path, len(post.events)) for post in faults.posted) == [(path, 2), (path, 4)]
    assert {post.headers["authorization"] for post in faults.posted} == {BASIC}
    assert set(faults.posted[0].body) == {"batch", "writeKey", "sentAt"}


@OF_NODE
def test_node_tries_again_and_everything_is_kept_once(node: Node, watched: Collector, faults: Faults) -> None:
    """Any 5xx but 501, 505 and 511 is tried again after 1 to 2 s, also where only the answer was lost."""
    faults.answer_next(500, 503)
    faults.answer_next(502, lost=True)
    assert node(NODE_CALLS, flushAt=2) == []
    check_kept(watched.events(), faults, len(NODE_CALLS))
    assert [post.headers.get("x-retry-count") for post in faults.posted] == [None] * 3 + ["1"] * 3


@OF_NODE
def test_node_comes_back_when_it_is_told_to(node: Node, watched: Collector, faults: Faults) -> None:
    """It minds Retry-After with a 429 only, and counts no such try: even without retries it comes back."""
    faults.answer_next(429, retry_after="1")
    assert node(NODE_CALLS, maxRetries=0) == []
    first, second = faults.posted
    assert second.at - first.at >= 1
    check_kept(watched.events(), faults, len(NODE_CALLS))


@pytest.mark.parametrize("status", [400, 401, 413, 501])
@OF_NODE
def test_node_gives_up_on_what_cannot_succeed(node: Node, watched: Collector, faults: Faults, status: int) -> None:
    faults.answer_next(status)
    assert [error["code"] for error in node(NODE_CALLS)] == ["delivery_failure"] * len(NODE_CALLS)
    assert len(faults.posted) == 1
    assert watched.events() == []


@pytest.mark.parametrize("gzip", [False, True])
@pytest.mark.parametrize("sync_mode", [False, True])
@OF_PYTHON
def test_what_python_posts_is_what_is_kept(watched: Collector, faults: Faults, sync_mode: bool, gzip: bool) -> None:
    with python_client(watched, sync_mode=sync_mode, gzip=gzip) as client:
        for method, arguments in PYTHON_CALLS:
            getattr(client, method)(**arguments)
    check_kept(watched.events(), faults, len(PYTHON_CALLS))
    assert [event["type"] for event in watched.events()] == TYPES
    assert {post.path for post in faults.posted} == {"/v1/batch"}
    assert {post.headers.get("content-encoding") for post in faults.posted} == {"gzip" if gzip else None}
    assert len(faults.posted) == len(PYTHON_CALLS) if sync_mode else len(faults.posted) < len(PYTHON_CALLS)


@OF_PYTHON
def test_python_tries_again_and_everything_is_kept_once(watched: Collector, faults: Faults) -> None:
    """Any 5xx but 501, 505 and 511 is tried again, at once the first time, then after 0.5 s and longer."""
    faults.answer_next(500, 503)
    faults.answer_next(502, lost=True)
    with python_client(watched) as client:
        for method, arguments in PYTHON_CALLS:
            getattr(client, method)(**arguments)
    check_kept(watched.events(), faults, len(PYTHON_CALLS))
    counts = [post.headers.get("x-retry-count") for post in faults.posted]
    assert counts[:4] == [None, "1", "2", "3"]


@pytest.mark.parametrize("status", [429, 503])
@OF_PYTHON
def test_python_comes_back_when_it_is_told_to(watched: Collector, faults: Faults, status: int) -> None:
    """It minds Retry-After with every status that it tries again, and counts no such try."""
    faults.answer_next(status, retry_after="1")
    with python_client(watched, max_retries=0) as client:
        client.track("u1", "Signed Up", {"plan": "pips"})
    first, second = faults.posted
    assert second.at - first.at >= 1
    assert "x-retry-count" not in second.headers
    check_kept(watched.events(), faults, 1)


@pytest.mark.parametrize("lost", [False, True])
@OF_PYTHON
def test_python_in_sync_mode_leaves_trying_again_to_its_caller(watched: Collector, faults: Faults, lost: bool) -> None:
    """Its sync mode raises at the first fault; who makes the call again with the same message_id is counted once."""
    faults.answer_next(503, lost=lost)
    with python_client(watched, sync_mode=True) as client:
        with pytest.raises(APIError, match="503"):
            client.track("u1", "Signed Up", message_id="m1")
        assert len(watched.events()) == lost
        client.track("u1", "Signed Up", message_id="m1")
    check_kept(watched.events(), faults, 1)


@pytest.mark.parametrize("status", [400, 401, 413, 501])
@OF_PYTHON
def test_python_gives_up_on_what_cannot_succeed(watched: Collector, faults: Faults, status: int) -> None:
    faults.answer_next(status)
    dropped: list[dict[str, Any]] = []
    with python_client(watched, on_error=lambda error, batch: dropped.extend(batch)) as client:
        client.track("u1", "Signed Up")
    assert [event["event"] for event in dropped] == ["Signed Up"]
    assert len(faults.posted) == 1
    assert watched.events() == []
