"""Order, retries and bounds, without any I/O."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from destinations.made import delivered, later, message, refused
from hypothesis import given
from hypothesis import strategies as st
from satsuma_server.destinations import Message, Outcome
from satsuma_server.destinations.http_client import judge_status, retry_after_in
from satsuma_server.destinations.lane import Lane, Patience
from satsuma_server.destinations.lanes import divide, place
from satsuma_server.destinations.throttle import Throttle

PATIENCE = Patience(give_up_seconds=100, tries=3)


def lane(*messages: Message, most: int = 100, most_bytes: int = 1000) -> Lane:
    return Lane(messages, most, most_bytes, PATIENCE, spread=lambda: 1.0)


def seqs(messages: list[Message]) -> list[int]:
    return [one.seq for one in messages]


@given(
    st.lists(st.sets(st.sampled_from("abcdefgh"), max_size=3), max_size=40),
    st.integers(1, 6),
)
def test_messages_that_share_an_id_are_in_one_lane_in_order(people: list[set[str]], count: int) -> None:
    messages = [message(seq, *sorted(names)) for seq, names in enumerate(people)]
    lanes = divide(messages, count)
    assert sorted(seq for one in lanes for seq in seqs(one)) == list(range(len(people)))
    assert len(lanes) <= count
    assert all(lanes)
    for one in lanes:
        assert seqs(one) == sorted(seqs(one))
    for name in "abcdefgh":
        assert sum(any(name in each.names for each in one) for one in lanes) <= 1


def test_strangers_are_spread_over_the_lanes() -> None:
    lanes = divide([message(seq, f"person {seq}") for seq in range(40)], 4)
    assert [len(one) for one in lanes] == [10, 10, 10, 10]


def test_a_request_is_bounded_in_messages_bytes_and_channels() -> None:
    assert seqs(lane(*(message(seq) for seq in range(5)), most=3).batch()) == [0, 1, 2]
    assert seqs(lane(*(message(seq, size=400) for seq in range(5))).batch()) == [0, 1]
    assert seqs(lane(message(0, size=9999), message(1)).batch()) == [0]
    assert seqs(lane(message(0), message(1, channel="people"), message(2)).batch()) == [0]


def test_a_retry_has_the_same_messages_and_waits_longer_each_time() -> None:
    one = lane(message(1), message(2))
    waits = []
    for now in (10.0, 20.0):
        batch = one.batch()
        assert seqs(batch) == [1, 2]
        assert one.settle(batch, later(), now, 0.0).is_retried
        waits.append(one.not_before - now)
    assert waits == [0.5, 1.0]
    one.settle(one.batch(), later(retry_after=30), 40.0, 0.0)
    assert one.not_before == 70.0


def test_what_is_refused_is_found_by_halves() -> None:
    one = lane(*(message(seq) for seq in range(8)))
    dead, sent, requests = [], [], 0
    while batch := one.batch():
        requests += 1
        bad = any(each.seq == 5 for each in batch)
        settled = one.settle(batch, refused() if bad else delivered(), 0.0, 0.0)
        sent += seqs(settled.delivered)
        dead += [each.message.seq for each in settled.dead]
    assert (sent, dead) == ([0, 1, 2, 3, 4, 6, 7], [5])
    assert requests <= 8


def test_what_the_answer_refuses_by_name_is_set_aside_alone() -> None:
    one = lane(message(1), message(2), message(3))
    settled = one.settle(one.batch(), delivered({1: "it has no name"}), 0.0, 0.0)
    assert seqs(settled.delivered) == [1, 3]
    assert [(each.message.seq, each.outcome.reason) for each in settled.dead] == [(2, "it has no name")]
    assert not one.batch()


def test_one_that_makes_the_service_fail_is_set_aside_once_others_get_through() -> None:
    one = lane(message(1))
    for now in (1.0, 2.0, 3.0):
        assert not one.settle(one.batch(), later(), now, proof=0.5).dead
    assert [each.message.seq for each in one.settle(one.batch(), later(), 4.0, proof=3.5).dead] == [1]


def test_one_that_makes_the_service_fail_is_set_aside_once_the_next_of_its_lane_gets_through() -> None:
    one = lane(message(1, "ann"), message(2, "ann"), message(3, "ann"), most=1)
    sent, dead, now = play(one, bad={1})
    assert (sent, dead) == ([2, 3], [1])
    assert now < PATIENCE.give_up_seconds / 2


def test_several_that_make_the_service_fail_are_set_aside_and_the_rest_is_in_order() -> None:
    sent, dead, _ = play(lane(*(message(seq) for seq in range(8)), most=1), bad={0, 1, 2, 5})
    assert (sent, dead) == ([3, 4, 6, 7], [0, 1, 2, 5])


def test_a_service_that_comes_back_gets_the_suspects_too() -> None:
    one = lane(message(1), message(2), most=1)
    now = 0.0
    for _ in range(2 * PATIENCE.tries):
        now = max(now, one.not_before)
        one.settle(one.batch(), later(), now, 0.0)
    # The other message is tried right after the suspect, so that a service hardly ever comes back between the two.
    assert seqs(one.batch()) == [1]
    assert play(one, bad=set(), now=now)[:2] == ([1, 2], [])


def test_a_lane_whose_messages_all_fail_needs_others_and_none_of_the_people_in_other_lanes() -> None:
    one = lane(message(1, "ann"))
    for now in (1.0, 2.0, 3.0):
        assert not one.needs_others
        one.settle(one.batch(), later(), now, 0.0)
    assert one.needs_others
    assert place(["bob"], [{"ann"}, {"eve"}], 1) == 1
    assert place(["bob", "ann"], [{"ann"}, {"eve"}], 1) == 0
    assert place(["eve", "ann"], [{"ann"}, {"eve"}], 1) is None
    one.add([message(2, "bob")])
    assert play(one, bad={1}, now=4.0)[:2] == ([2], [1])


def play(one: Lane, bad: set[int], now: float = 0.0) -> tuple[list[int], list[int], float]:
    """Send all to a service that fails for some; return what was delivered, what was set aside, and when it ended."""
    sent: list[int] = []
    dead: list[int] = []
    proof = float("-inf")
    while batch := one.batch():
        now = max(now, one.not_before)
        outcome = later() if bad & set(seqs(batch)) else delivered()
        proof = proof if bad & set(seqs(batch)) else now
        settled = one.settle(batch, outcome, now, proof)
        sent += seqs(settled.delivered)
        dead += [each.message.seq for each in settled.dead]
    return sent, dead, now


def test_a_batch_that_keeps_failing_is_tried_in_parts() -> None:
    one = lane(*(message(seq) for seq in range(4)))
    for now in (1.0, 2.0, 3.0):
        one.settle(one.batch(), later(), now, 0.0)
    assert seqs(one.batch()) == [0, 1]


def test_an_outage_ends_in_failed_messages_only_after_the_time_to_give_up() -> None:
    one = lane(message(1), message(2))
    one.settle(one.batch(), later(), 0.0, -1.0)
    assert not one.settle(one.batch(), later(), 99.0, -1.0).dead
    assert [each.message.seq for each in one.settle(one.batch(), later(), 100.0, -1.0).dead] == [1, 2]


def outcome_of(rng: random.Random) -> Outcome:
    return rng.choice([delivered(), delivered(), later(), refused()])


@given(st.integers(0, 10_000), st.integers(1, 30), st.integers(1, 7))
def test_every_message_ends_once_and_they_are_delivered_in_order(seed: int, count: int, most: int) -> None:
    rng = random.Random(seed)
    one = lane(*(message(seq, size=rng.randint(1, 500)) for seq in range(count)), most=most)
    sent: list[int] = []
    dead: list[int] = []
    now = 0.0
    while batch := one.batch():
        now = max(now, one.not_before) + 1
        settled = one.settle(batch, outcome_of(rng), now, now - rng.randint(0, 5))
        sent += seqs(settled.delivered)
        dead += [each.message.seq for each in settled.dead]
    assert sent == sorted(sent)
    assert sorted(sent + dead) == list(range(count))


def test_a_rate_holds_over_time_and_a_request_larger_than_the_burst_still_goes() -> None:
    throttle = Throttle(10.0)
    now, sent = 0.0, 0
    while now < 100:
        wait = throttle.take(25, now)
        sent += 0 if wait else 25
        now += wait or 0.001
    assert 990 <= sent <= 1035


def test_a_throttle_that_was_closed_opens_by_itself() -> None:
    throttle = Throttle(None)
    throttle.close(30, now=100.0)
    assert throttle.take(1, 110.0) == 20.0
    assert throttle.take(1, 130.0) == 0.0
    throttle.close(1e9, now=200.0)
    assert throttle.take(1, 200.0) == 3600.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        ("Sun, 29 Nov 2026 06:02:00 GMT", 120.0),
        ("Sun, 29 Nov 2026 05:00:00 GMT", 0.0),
        ("-5", None),
        ("soon", None),
        ("٣", None),
        ("", None),
        ("9" * 400, 9_999_999_999.0),
    ],
)
def test_retry_after_is_a_number_or_a_date(text: str, seconds: float | None) -> None:
    assert retry_after_in({"retry-after": text}, datetime(2026, 11, 29, 6, tzinfo=UTC)) == seconds


@pytest.mark.parametrize(
    ("status", "fate"),
    [
        *((status, "delivered") for status in (200, 202, 204)),
        *((status, "later") for status in (301, 401, 403, 404, 408, 429, 500, 503)),
        *((status, "refused") for status in (400, 413, 422)),
    ],
)
def test_a_status_says_what_becomes_of_a_request(status: int, fate: str) -> None:
    assert judge_status(status, {}, "").fate.value == fate
