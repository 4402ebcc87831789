"""What is queued arrives, in order, within bounds; without a browser and without a clock."""

from __future__ import annotations

import json
from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from satsuma.delivery import MAX_KEEPALIVE_BYTES, Delivery, Request
from satsuma.delivery_options import DeliveryOptions
from satsuma.validation import MAX_EVENT_BYTES


def make(**options: object) -> tuple[Delivery, list[str]]:
    warnings: list[str] = []
    return Delivery("demo", DeliveryOptions(**options), lambda: 0.5, warnings.append), warnings  # type: ignore[arg-type]


def event(number: int, **more: object) -> dict[str, object]:
    return {"type": "track", "event": "E", "messageId": f"m{number}", "anonymousId": "a", **more}


def ids(request: Request) -> list[str]:
    body = json.loads(request.body)
    return [one["messageId"] for one in body.get("batch", [body])]


def drained(delivery: Delivery, now: float = 0) -> list[list[str]]:
    """Answer every request as it comes, and return what each carried."""
    carried = []
    while requests := delivery.requests(now):
        [request] = requests
        carried.append(ids(request))
        delivery.answered(request.id, 200, now)
    return carried


def test_an_event_goes_alone_at_once_with_key_and_time() -> None:
    delivery, _ = make()
    delivery.add(event(1), now=1_587_681_528_550)
    [request] = delivery.requests(1_587_681_528_550)
    body = json.loads(request.body)
    assert (request.path, request.attempt, request.keepalive) == ("t", 0, True)
    assert (body["writeKey"], body["sentAt"]) == ("demo", "2020-04-23T22:38:48.550Z")
    assert delivery.requests(1_587_681_528_550) == []


def test_a_batch_leaves_when_it_is_full_or_old_enough() -> None:
    delivery, _ = make(batch_size=3, batch_wait=5000)
    for number in range(4):
        delivery.add(event(number), now=0)
    [full] = delivery.requests(0)
    assert ids(full) == ["m0", "m1", "m2"]
    delivery.answered(full.id, 200, now=1)
    assert delivery.next_due() == 5000
    assert [ids(request) for request in delivery.requests(5000)] == [["m3"]]


def test_who_has_waited_long_enough_takes_all_the_others_along() -> None:
    delivery, _ = make(batch_size=100, batch_wait=1000)
    delivery.add(event(0), now=0)
    delivery.add(event(1), now=400)
    assert delivery.requests(999) == []
    assert [ids(request) for request in delivery.requests(1000)] == [["m0", "m1"]]


def test_a_batch_leaves_before_it_is_larger_than_the_collector_takes() -> None:
    delivery, _ = make(batch_size=600)
    for number in range(500):
        delivery.add(event(number, properties={"x": "y" * 1000}), now=0)
    [request] = delivery.requests(0)
    assert 400 * 1024 < len(request.body) < 450 * 1024
    delivery.answered(request.id, 200, now=0)
    assert delivery.requests(0) == [], "the rest waits for company again"


def test_what_comes_after_the_page_was_left_waits_for_nobody() -> None:
    delivery, _ = make(batch_size=10)
    delivery.add(event(0), now=0)
    [left] = delivery.leave(0)
    delivery.handed(left.id)
    delivery.add(event(1), now=1)
    assert [ids(request) for request in delivery.requests(1)] == [["m0", "m1"]]


@pytest.mark.parametrize(
    ("settings", "status", "retry_after", "due"),
    [
        ({}, 429, 400_000, 300_000),
        ({}, 503, 60_000, 500),
        ({}, 302, None, 500),
        ({"rateLimitConfig": {"maxRetryInterval": 2}}, 429, 60_000, 2000),
        ({"backoffConfig": {"baseBackoffInterval": 3}}, 500, None, 3000),
        ({"backoffConfig": {"statusCodeOverrides": {"429": "drop"}}}, 429, 1000, None),
        ({"backoffConfig": {"statusCodeOverrides": {"404": "retry"}}}, 404, None, 500),
        ({"backoffConfig": {"default5xxBehavior": "drop"}}, 500, None, None),
        ({"backoffConfig": {"default4xxBehavior": "retry"}}, 404, None, 500),
        ({"backoffConfig": {"maxRetryCount": 1}}, 500, None, None),
        ({"rateLimitConfig": {"maxRetryCount": 0}}, 429, 1000, None),
        ({"backoffConfig": "nonsense", "rateLimitConfig": {"maxRetryInterval": "x"}}, 500, None, 500),
    ],
)
def test_the_settings_say_what_is_tried_again_and_when(
    settings: dict[str, object], status: int, retry_after: float | None, due: float | None
) -> None:
    options = DeliveryOptions.from_settings({"httpConfig": settings})
    delivery = Delivery("demo", options, lambda: 0.5, lambda _: None)
    delivery.add(event(1), now=0)
    [request] = delivery.requests(0)
    delivery.answered(request.id, status, 0, retry_after)
    assert delivery.next_due() == due


def tries(settings: dict[str, Any], **more: bool) -> list[tuple[int, object]]:
    """Return what each request says of the tries before it, where the collector always fails."""
    delivery = Delivery("demo", DeliveryOptions.from_settings(settings, **more), lambda: 0.5, lambda _: None)
    delivery.add(event(1, _metadata={"bundled": []}), now=0)
    delivery.flush()
    told = []
    while delivery.next_due() is not None and len(told) < 5:
        [request] = delivery.requests(delivery.next_due() or 0)
        body = json.loads(request.body)
        told.append((request.attempt, body.get("batch", [body])[0]["_metadata"].get("retryCount")))
        delivery.answered(request.id, 500, 0)
    return told


@pytest.mark.parametrize(
    ("limit", "status", "retry_after", "most"),
    [
        ({"backoffConfig": {"maxTotalBackoffDuration": 60}}, 500, None, 7),
        ({"backoffConfig": {"maxTotalBackoffDuration": 1}}, 500, None, 7),
        ({"rateLimitConfig": {"maxRateLimitDuration": 20}}, 429, 6000, 4),
        ({"rateLimitConfig": {"maxRateLimitDuration": 20}}, 500, None, 20),
    ],
    ids=["backoff", "backoff_out_of_bounds", "rate_limit", "rate_limit_never_asked_for"],
)
def test_a_batch_is_dropped_before_it_waits_longer_than_the_settings_let_it(
    limit: dict[str, object], status: int, retry_after: float | None, most: int
) -> None:
    settings = {"deliveryStrategy": {"strategy": "batching"}, "httpConfig": limit}
    warnings: list[str] = []
    delivery = Delivery("demo", DeliveryOptions.from_settings(settings), lambda: 0.5, warnings.append)
    delivery.add(event(1), now=0)
    sent, now = 0, delivery.next_due()
    while now is not None and sent < 20:
        for request in delivery.requests(now):
            sent += 1
            delivery.answered(request.id, status, now, retry_after)
        now = delivery.next_due()
    assert sent == most
    assert len(warnings) == (most < 20)


def test_each_try_tells_how_many_there_were_before() -> None:
    assert tries({})[:3] == [(0, None), (1, 2), (2, 3)]
    batching = {"strategy": "batching", "config": {"maxRetries": 2}}
    assert tries({"deliveryStrategy": batching}) == [(0, None), (1, 1), (2, 2)]
    assert tries({"httpConfig": {"backoffConfig": {"maxRetryCount": 3}}}) == [(0, None), (1, 2), (2, 3)]
    assert tries({}, retry_queue=False) == [(0, None)]


def test_server_errors_are_tried_again_later_with_the_same_message() -> None:
    delivery, _ = make(base_backoff=500)
    delivery.add(event(1), now=0)
    [first] = delivery.requests(0)
    delivery.answered(first.id, 500, now=10)
    assert delivery.requests(400) == []
    [second] = delivery.requests(510)
    assert (ids(second), second.attempt) == (["m1"], 1)


def test_an_outage_of_a_day_loses_nothing_and_breaks_nothing() -> None:
    options = DeliveryOptions.from_settings({})
    delivery = Delivery("demo", options, lambda: 0.5, lambda _: None)
    delivery.add(event(1), now=0)
    now = 0.0
    for _ in range(options.max_attempts - 1):
        [request] = delivery.requests(now)
        delivery.failed(request.id, now)
        now, waited = delivery.next_due() or 0, now
        assert 500 <= now - waited <= 60_000
    assert drained(delivery, now) == [["m1"]]


def test_retry_after_holds_everything_back() -> None:
    delivery, _ = make()
    delivery.add(event(1), now=0)
    [first] = delivery.requests(0)
    delivery.answered(first.id, 429, now=0, retry_after=30_000)
    delivery.add(event(2), now=1)
    assert delivery.requests(29_999) == []
    assert drained(delivery, 30_000) == [["m1"], ["m2"]]


def test_a_refusal_is_final_and_said() -> None:
    delivery, warnings = make()
    fate: list[bool] = []
    delivery.add(event(1), now=0, settle=fate.append)
    [request] = delivery.requests(0)
    delivery.answered(request.id, 400, now=0)
    assert fate == [False]
    assert delivery.report().dropped == {"refused 400": 1}
    assert "m1" in warnings[0]


@pytest.mark.parametrize(("status", "kept"), [(400, 49), (413, 49), (422, 49), (401, 0)])
def test_a_batch_that_is_refused_loses_only_what_is_refused_alone(status: int, kept: int) -> None:
    """What the collector, or a proxy before it, can't take of one event is nothing to those that go with it."""
    delivery, _ = make(batch_size=50)
    for number in range(50):
        delivery.add(event(number), now=0)
    stored: list[str] = []
    sizes = []
    while requests := delivery.requests(0):
        [request] = requests
        refused = "m20" in ids(request) or status == 401
        stored += [] if refused else ids(request)
        sizes.append(len(ids(request)))
        delivery.answered(request.id, status if refused else 200, now=0)
    assert stored == [f"m{number}" for number in range(50) if number != 20][:kept]
    assert delivery.report().dropped == {f"refused {status}": 50 - kept}
    assert len(sizes) <= 20


def test_too_large_an_event_goes_without_what_is_largest_in_it() -> None:
    delivery, warnings = make()
    properties = {"order": {"id": 7, "notes": "y" * MAX_EVENT_BYTES, "lines": [1, 2]}, "total": 5}
    delivery.add(event(1, properties=properties), now=0)
    [request] = delivery.requests(0)
    assert json.loads(request.body)["properties"] == {"order": {"id": 7, "lines": [1, 2]}, "total": 5}
    assert properties["order"]["notes"]  # type: ignore[index]
    assert warnings == ["Event m1 was too large and goes without .properties.order.notes (is too large)."]


@pytest.mark.parametrize(
    "properties",
    [
        {"list": ["y" * 1000] * 100},
        {"list": [1, "y" * 100_000, 2]},
        {"list": [{"n": 1, "x": "y" * 100_000}]},
        {str(number): "y" * 50 for number in range(2000)},
        {"n" * 100_000: 1},
        {"a": {"b": {"c": ["ž" * 20_000, {"d": "🍊" * 20_000}]}}},
        {"a": "\ud800" * 20_000},
        {"a": "\x00" * 20_000},
        {"a": ["x" * 16_000, "x" * 16_000, "x" * 16_000]},
    ],
)
def test_whatever_makes_an_event_too_large_it_goes_and_its_neighbours_stay(properties: dict[str, object]) -> None:
    delivery, warnings = make()
    delivery.add(event(1, properties={**properties, "total": 5}, context={"ip": "1"}), now=0)
    [request] = delivery.requests(0)
    sent = json.loads(request.body)
    assert (sent["properties"]["total"], sent["context"], len(warnings)) == (5, {"ip": "1"}, 1)
    assert len(request.body.encode()) <= MAX_EVENT_BYTES + 100


def test_an_event_whose_own_names_are_too_large_is_dropped_and_said() -> None:
    delivery, warnings = make()
    delivery.add(event(1, timestamp="y" * MAX_EVENT_BYTES), now=0)
    assert delivery.requests(0) == []
    assert "too large" in warnings[0]


def test_a_full_queue_drops_the_oldest_and_counts_it() -> None:
    delivery, _ = make(max_queue=2)
    delivery.online(False)
    for number in range(3):
        delivery.add(event(number), now=0)
    assert delivery.requests(0) == []
    delivery.online(True)
    assert drained(delivery) == [["m1"], ["m2"]]
    assert delivery.report().dropped == {"queue full": 1}


def test_leaving_hands_over_all_that_waits_in_pieces_that_outlive_the_page() -> None:
    delivery, _ = make(batch_size=1000)
    for number in range(10):
        delivery.add(event(number, properties={"x": "y" * 20_000}), now=0)
    requests = delivery.leave(0)
    assert [name for request in requests for name in ids(request)] == [f"m{number}" for number in range(10)]
    assert all(len(request.body) <= MAX_KEEPALIVE_BYTES + 200 for request in requests)


def test_what_no_beacon_has_room_for_can_be_halved_to_the_last_event() -> None:
    delivery, _ = make()
    for number in range(4):
        delivery.add(event(number), now=0)
    [under_way] = delivery.requests(0)
    [whole] = delivery.leave(0)
    first, second = delivery.halve(whole.id, 0)
    assert (ids(first), ids(second)) == (["m0", "m1"], ["m2", "m3"]), "what is under way goes once more, and first"
    assert delivery.halve(first.id, 0) == []
    delivery.failed(first.id, 0)
    delivery.handed(second.id)
    delivery.answered(under_way.id, 200, 0)
    assert delivery.report().handed == 2
    assert [json.loads(text)["messageId"] for text in delivery.unconfirmed()] == ["m2", "m3", "m1"]


def test_lone_surrogates_stay_valid_json() -> None:
    delivery, _ = make()
    delivery.add(event(1, properties={"x": "\ud800"}), now=0)
    [request] = delivery.requests(0)
    assert "\\ud800" in request.body


def test_events_keep_their_order_even_where_one_fails() -> None:
    delivery, _ = make(base_backoff=500)
    delivery.add(event(1), now=0)
    [first] = delivery.requests(0)
    delivery.add(event(2), now=1)
    assert delivery.requests(1) == [], "one request at a time"
    delivery.failed(first.id, now=2)
    assert delivery.requests(3) == [], "the second does not overtake the first"
    assert delivery.next_due() == 502
    assert drained(delivery, 502) == [["m1"], ["m2"]]


def test_many_that_wait_go_in_batches() -> None:
    delivery, _ = make(drain_from=3, drain_size=4)
    delivery.online(False)
    for number in range(9):
        delivery.add(event(number), now=0)
    delivery.online(True)
    assert [len(carried) for carried in drained(delivery)] == [4, 4, 1]


def test_those_that_failed_together_go_together_again() -> None:
    chances = iter([0.1, 0.9, 0.5, 0.3])
    delivery = Delivery("demo", DeliveryOptions(drain_from=2), lambda: next(chances), print)
    for number in range(4):
        delivery.add(event(number), now=0)
    [batch] = delivery.requests(0)
    delivery.failed(batch.id, now=0)
    due = delivery.next_due()
    assert due is not None
    assert drained(delivery, due) == [["m0", "m1", "m2", "m3"]]


def test_beacons_that_the_browser_refuses_come_back_in_order() -> None:
    delivery, _ = make()
    for number in range(6):
        delivery.add(event(number, properties={"x": "y" * 25_000}), now=0)
    refused = delivery.leave(0)
    assert len(refused) > 1
    for request in refused:
        delivery.failed(request.id, now=0)
    assert [json.loads(text)["messageId"] for text in delivery.unconfirmed()] == [f"m{number}" for number in range(6)]


def test_a_hidden_page_sends_what_it_handed_over_before_what_came_since() -> None:
    delivery, _ = make()
    delivery.add(event(1), now=0)
    [last] = delivery.leave(0)
    delivery.handed(last.id)
    delivery.add(event(2), now=1)
    assert drained(delivery, 1) == [["m1"], ["m2"]]


def test_what_the_browser_was_handed_comes_again_when_the_page_does() -> None:
    delivery, _ = make()
    for number in (1, 2, 3):
        delivery.add(event(number), now=0)
    [under_way] = delivery.requests(0)
    [last] = delivery.leave(0)
    assert ids(last) == ["m1", "m2", "m3"], "where the one under way fails, the others must not have come before it"
    delivery.handed(last.id)
    assert (delivery.report().handed, len(delivery.unconfirmed())) == (2, 3)
    delivery.recall()
    delivery.answered(under_way.id, 200, now=1)  # An answer that nobody waits for any more.
    assert [name for carried in drained(delivery, 1) for name in carried] == ["m1", "m2", "m3"]
    assert delivery.unconfirmed() == []


def test_what_is_under_way_goes_once_more_only_where_there_is_room_for_it_twice() -> None:
    delivery, _ = make()
    for number in (1, 2):
        delivery.add(event(number, properties={"x": "y" * 16_000}), now=0)
    delivery.requests(0)
    [last] = delivery.leave(0)
    assert ids(last) == ["m2"]


def test_what_an_earlier_page_left_goes_first() -> None:
    delivery, _ = make()
    delivery.add(event(3), now=0)
    delivery.recover([event(1), event(2), {"broken": True}])
    assert drained(delivery, 1) == [["m1"], ["m2"], ["m3"]]
    assert delivery.report().recovered == 3


def outlast(delivery: Delivery, hours: float, retry_after: float | None) -> None:
    now = 0.0
    while now < hours * 3_600_000:
        for request in delivery.requests(now):
            delivery.answered(request.id, 503, now, retry_after)
        due = delivery.next_due()
        assert due is not None
        now = max(now + 1, due)
    for request in delivery.requests(now):
        delivery.answered(request.id, 200, now)


@pytest.mark.parametrize("retry_after", [None, 1000])
def test_an_outage_of_hours_loses_nothing(retry_after: float | None) -> None:
    delivery, _ = make()
    delivery.add(event(1), now=0)
    outlast(delivery, 6, retry_after)
    assert (delivery.report().sent, delivery.report().dropped) == (1, {})


STEPS = ["add", "ok", "500", "400", "fail", "wait", "off", "on", "leave", "back"]
steps = st.lists(st.sampled_from(STEPS), max_size=60)


@given(steps, st.integers(1, 4))
def test_whatever_happens_every_event_is_settled_exactly_once_or_still_queued(order: list[str], batch: int) -> None:
    delivery, _ = make(batch_size=batch, max_queue=10, max_attempts=3)
    now, number, under_way = 0.0, 0, []
    fates: Counter[str] = Counter()
    for step in order:
        now += 1
        if step == "add":
            number += 1
            name = f"m{number}"
            delivery.add(event(number), now, lambda _, name=name: fates.update([name]))
        elif step == "wait":
            now += 100_000
        elif step in ("off", "on"):
            delivery.online(step == "on")
        elif step == "leave":
            for request in delivery.leave(now):
                delivery.handed(request.id)
        elif step == "back":
            delivery.recall()
        elif under_way:
            request = under_way.pop(0)
            statuses = {"ok": 200, "500": 500, "400": 400}
            delivery.failed(request.id, now) if step == "fail" else delivery.answered(request.id, statuses[step], now)
        under_way += delivery.requests(now)
    report = delivery.report()
    assert all(count == 1 for count in fates.values())
    assert len(fates) + report.queued + report.inflight + report.handed == number
    assert len(delivery.unconfirmed()) == report.queued + report.inflight + report.handed
    assert report.sent + sum(report.dropped.values()) == len(fates)


COMMON = ["add", "add", "add", "arrives", "no answer", "500", "fail", "wait"]
RARE = ["off", "on", "leave", "leave unheard", "back", "more"]


class Page:
    """A page with its queue, a network that does what a test says, and a collector behind it."""

    def __init__(self, batch: int, chance: Random) -> None:
        options = DeliveryOptions(batch_size=batch, drain_from=3, drain_size=4)
        self.delivery = Delivery("demo", options, chance.random, lambda _: None)
        self.random = chance
        self.now, self.number = 0.0, 0
        self.under_way: list[Request] = []
        self.stored: dict[str, None] = {}

    def go_on(self, step: str) -> None:
        self.now += 1
        if step == "add":
            self.number += 1
            self.delivery.add(event(self.number), self.now)
        elif step == "more":
            self.delivery.recover([{**event(0), "messageId": f"other page's {self.now}"}])
        elif step == "wait":
            # Not longer than the pauses: some are over then, and some are not.
            self.now += self.random.choice([300, 500, 1000, 100_000])
        elif step in ("off", "on"):
            self.delivery.online(step == "on")
        elif step.startswith("leave"):
            self._leave(heard=step == "leave")
        elif step == "back":
            self.delivery.recall()
        elif self.under_way:
            self._answer(self.under_way.pop(0), step)
        self.under_way += self.delivery.requests(self.now)

    def _leave(self, *, heard: bool) -> None:
        for request in self.delivery.leave(self.now):
            self.stored |= dict.fromkeys(ids(request) if heard else ())
            self.delivery.handed(request.id)

    def _answer(self, request: Request, step: str) -> None:
        self.stored |= dict.fromkeys(ids(request) if step in ("arrives", "no answer") else ())
        if step in ("arrives", "500"):
            self.delivery.answered(request.id, 200 if step == "arrives" else 500, self.now)
        else:
            self.delivery.failed(request.id, self.now)


@given(st.integers(0, 300), st.integers(1, 4), st.randoms(use_true_random=False))
def test_whatever_happens_a_page_keeps_its_order(steps: int, batch: int, chance: Random) -> None:
    page = Page(batch, chance)
    for step in chance.choices([*COMMON, *RARE], k=steps):
        page.go_on(step)
    own = [int(name[1:]) for name in page.stored if name.startswith("m")]
    assert own == sorted(own)


def batching(**config: object) -> Delivery:
    settings = {"deliveryStrategy": {"strategy": "batching", "config": {"size": 600, "timeout": 60_000, **config}}}
    return Delivery("demo", DeliveryOptions.from_settings(settings), lambda: 0.5, lambda _: None)


@pytest.mark.parametrize(("keepalive", "least", "most"), [(True, 1, MAX_KEEPALIVE_BYTES), (False, 0, 0)])
def test_a_batch_that_outlives_its_page_is_full_before_browsers_refuse_it(
    keepalive: bool, least: int, most: int
) -> None:
    delivery = batching(keepalive=keepalive)
    for number in range(12):
        delivery.add(event(number, properties={"text": "q" * 6_000}), 0)
    sent = sum(len(request.body) for request in delivery.requests(0))
    assert least <= sent <= most


def test_a_batch_that_is_tried_again_takes_along_what_came_meanwhile() -> None:
    delivery = batching(size=1, maxRetries=1)
    delivery.add(event(1), 0)
    [request] = delivery.requests(0)
    delivery.answered(request.id, 429, 0, 1_000)
    delivery.add(event(2), 10)
    assert delivery.requests(10) == []
    [request] = delivery.requests(1_000)
    assert ids(request) == ["m1", "m2"]
    assert json.loads(request.body)["batch"][0]["_metadata"] == {"retryCount": 1}
    # The wait that was asked for has used up no try of the two.
    delivery.answered(request.id, 500, 1_000)
    [request] = delivery.requests(2_000)
    assert ids(request) == ["m1", "m2"]


def test_a_batch_of_a_server_stays_within_its_size_when_it_is_tried_again() -> None:
    delivery, _ = make(batch_size=2, batch_wait=0)
    delivery.add(event(0), 0)
    [request] = delivery.requests(0)
    delivery.add(event(1), 0)
    delivery.add(event(2), 0)
    delivery.answered(request.id, 500, 0)
    due = delivery.next_due()
    assert due is not None
    assert [len(carried) for carried in drained(delivery, due)] == [2, 1]
