"""Whatever the network, the bounds, a fork and a close do: each event has one fate, and its order."""

from __future__ import annotations

import copy
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from satsuma.delivery_options import DeliveryOptions
from satsuma.platforms.cpython.error_reporter import ErrorReporter
from satsuma.platforms.cpython.event_text import to_text
from satsuma.platforms.cpython.worker import Worker
from satsuma.platforms.server.messages import make_event
from wire import Wire

ANSWERS = st.lists(st.sampled_from([200, 500, 429, 400, "none"]), max_size=30)
STEPS = st.lists(st.sampled_from(["put", "put", "put", "put in the fork", "fork", "flush", "hold", "go"]), max_size=40)


def at_once(**more: Any) -> DeliveryOptions:
    """Options without a pause between tries: what is tried here is the order of things."""
    return DeliveryOptions(batch_wait=0, base_backoff=0, max_backoff=0, max_attempts=100, **more)


def put(worker: Worker, user_id: str, number: int) -> str:
    event = make_event("track", {"event": "E", "properties": {"n": number}}, user_id=user_id)
    assert worker.put(event, to_text(event))
    return str(event["messageId"])


@settings(max_examples=60, deadline=None)
@given(STEPS, ANSWERS, st.integers(1, 4), st.integers(1, 8))
def test_each_event_has_one_fate_and_keeps_its_order(
    steps: list[str], answers: list[Any], batch_size: int, max_queue: int
) -> None:
    lost: list[str] = []
    complaints = ErrorReporter(lambda error, events: lost.extend(event["messageId"] for event in events))
    wires = [Wire(*(OSError("none") if answer == "none" else answer for answer in answers))]
    parent = Worker("demo", at_once(batch_size=batch_size, max_queue=max_queue), wires[0], complaints)
    workers = [parent]
    made: list[list[str]] = [[]]
    for number, step in enumerate(steps):
        if step == "fork" and len(workers) == 1:
            # In the forked process all is as it was here, but for the thread.
            child = copy.copy(parent)
            wires.append(Wire())
            child._transport = wires[1]
            child.restart()
            workers.append(child)
            made.append([])
        elif step.startswith("put"):
            where = -1 if "fork" in step else 0
            made[where].append(put(workers[where], "u1", number))
        elif step == "flush":
            parent.flush(0)
        else:
            wires[0].open.set() if step == "go" else wires[0].open.clear()
    wires[0].open.set()
    for worker, wire, ids in zip(workers, wires, made, strict=True):
        assert worker.close(20)
        kept = [event["messageId"] for event in wire.kept]
        assert kept == [name for name in ids if name in set(kept)], "in order, and each once"
        assert all(len(post) == len({event["messageId"] for event in post}) <= batch_size for post in wire.posts)
        report = worker.report()
        assert (report.sent, report.queued, report.inflight) == (len(kept), 0, 0)
    fates = Counter([*lost, *(event["messageId"] for wire in wires for event in wire.kept)])
    assert fates == Counter(name for ids in made for name in ids)
