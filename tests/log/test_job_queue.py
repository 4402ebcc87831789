"""What a commit takes: sources in turn, within bounds, and tasks after what came before them."""

from __future__ import annotations

import threading
from itertools import chain

from satsuma_server.log import Arrivals
from satsuma_server.log.job_queue import MOST_BYTES, MOST_EVENTS, TURN_BYTES, Job, JobQueue


def job(source: str, number: int, size: int = 10) -> Job:
    return Job(Arrivals(source, 0, [f"{source}{number}"], [b"x" * size]))


def taken(jobs: JobQueue) -> list[str]:
    return [one.arrivals.message_ids[0] if one.arrivals else "task" for one in jobs.take()]


def filled(*every: Job) -> JobQueue:
    jobs = JobQueue()
    for one in every:
        jobs.put(one)
    return jobs


def test_a_source_with_much_does_not_make_another_wait() -> None:
    flood = [job("hostile", number, MOST_BYTES // 2) for number in range(20)]
    jobs = filled(*flood, job("shop", 1), job("shop", 2))
    assert taken(jobs) == ["hostile0", "shop1", "shop2", "hostile1"]


def test_many_small_requests_have_the_turn_that_one_large_request_has() -> None:
    many = [job("shop", number) for number in range(100)]
    jobs = filled(*(job("hostile", number, MOST_BYTES // 2) for number in range(20)), *many)
    assert len(taken(jobs)) == 102


def test_a_turn_is_bounded_by_bytes() -> None:
    many = [job("shop", number, TURN_BYTES) for number in range(100)]
    jobs = filled(*many, job("other", 1))
    assert taken(jobs)[:3] == ["shop0", "other1", "shop1"]


def test_the_requests_of_a_source_keep_their_order() -> None:
    jobs = filled(*(job(source, number, MOST_BYTES // 7) for number in range(20) for source in "abc"))
    jobs.close()
    every = [*chain.from_iterable(iter(lambda: taken(jobs), []))]
    assert {source: [one for one in every if one[0] == source] for source in "abc"} == {
        source: [f"{source}{number}" for number in range(20)] for source in "abc"
    }


def test_a_commit_is_bounded_by_events_too() -> None:
    full = Job(Arrivals("full", 0, [*map(str, range(MOST_EVENTS))], [b"{}"] * MOST_EVENTS))
    assert taken(filled(full, job("full", 1))) == ["0"]


def test_a_task_comes_after_what_came_before_it_and_before_what_came_later() -> None:
    jobs = filled(*(job("a", number, MOST_BYTES) for number in range(3)), Job(task=print), job("b", 1))
    assert [taken(jobs) for _ in range(4)] == [["a0"], ["a1"], ["a2", "task"], ["b1"]]


def test_a_closed_queue_ends_with_its_last_job() -> None:
    jobs = filled(job("a", 0, MOST_BYTES), job("a", 1))
    jobs.close()
    assert [taken(jobs) for _ in range(3)] == [["a0"], ["a1"], []]


def test_the_writer_waits_for_a_job() -> None:
    jobs, found = JobQueue(), list[str]()
    thread = threading.Thread(target=lambda: found.extend(taken(jobs)))
    thread.start()
    jobs.put(job("a", 0))
    thread.join()
    assert found == ["a0"]
