"""The offline queue: whatever ends a process, each event is there as long as it has no answer."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from satsuma.platforms.device.journal import HEADER_BYTES, SEGMENT_BYTES, Journal, Place

MOST = 1024 * 1024


def journal(folder: Path, most_bytes: int = MOST) -> Journal:
    return Journal(folder, most_bytes, print)


def text(number: int, size: int = 10) -> str:
    return json.dumps({"n": number, "text": "ü" * size}, ensure_ascii=False)


def numbers(found: list[tuple[dict[str, Any], str, Place]]) -> list[int]:
    return [event["n"] for event, _, _ in found]


@settings(max_examples=40, deadline=None)
@given(sizes=st.lists(st.integers(0, 60_000), min_size=1, max_size=12), data=st.data())
def test_what_has_no_answer_is_taken_over_in_order(
    tmp_path_factory: Any, sizes: list[int], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("queue")
    first = journal(folder, 100 * MOST)
    places = [first.append(text(number, size)) for number, size in enumerate(sizes)]
    settled = data.draw(st.sets(st.sampled_from(range(len(sizes)))))
    for number in data.draw(st.permutations(sorted(settled))):
        place = places[number]
        assert place is not None
        first.settle(place)
    first.close()
    second = journal(folder, 100 * MOST)
    found, dropped = second.take_over()
    left = set(range(len(sizes))) - settled
    # What has an answer may come again behind an older event without one: the collector has it already.
    assert left <= set(numbers(found)) and numbers(found) == sorted(numbers(found)) and dropped == 0
    assert all(min(left) < number for number in set(numbers(found)) - left)
    for event, line, place in found:
        assert json.loads(line) == event
        second.settle(place)
    second.close()
    assert not list(folder.rglob("*.ndjson"))


def test_settled_from_the_front_nothing_comes_twice(tmp_path: Path) -> None:
    first = journal(tmp_path)
    places = [first.append(text(number)) for number in range(100)]
    for place in places[:60]:
        assert place is not None
        first.settle(place)
    first.close()
    assert numbers(journal(tmp_path).take_over()[0]) == list(range(60, 100))


def test_a_living_process_keeps_its_events(tmp_path: Path) -> None:
    first = journal(tmp_path)
    first.append(text(1))
    assert journal(tmp_path).take_over() == ([], 0)
    first.close()
    assert numbers(journal(tmp_path).take_over()[0]) == [1]


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_line_that_was_cut_off_costs_no_other(tmp_path: Path, cut: int) -> None:
    first = journal(tmp_path)
    for number in range(3):
        first.append(text(number))
    first.close()
    (segment,) = tmp_path.rglob("*.ndjson")
    os.truncate(segment, segment.stat().st_size - cut)
    found, dropped = journal(tmp_path).take_over()
    assert numbers(found) == ([0, 1, 2] if cut == 1 else [0, 1])
    assert dropped == (0 if cut == 1 else 1)


@pytest.mark.parametrize("header", [b"\x00" * HEADER_BYTES, b"999999999999999\n", b"-00000000000001\n"])
def test_a_broken_number_loses_nothing(tmp_path: Path, header: bytes) -> None:
    first = journal(tmp_path)
    first.append(text(1))
    first.close()
    (segment,) = tmp_path.rglob("*.ndjson")
    segment.write_bytes(header + segment.read_bytes()[HEADER_BYTES:])
    assert numbers(journal(tmp_path).take_over()[0]) == [1]


def test_bytes_on_disk_are_bounded_also_of_what_is_taken_over(tmp_path: Path) -> None:
    for process in range(20):
        one = journal(tmp_path)
        for number in range(8):
            one.append(text(process * 8 + number, 5000))
        one.close()
    last = journal(tmp_path, most_bytes=400_000)
    found, dropped = last.take_over()
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.ndjson")) <= 400_000
    assert len(found) + dropped == 160
    assert numbers(found) == list(range(160 - len(found), 160)), "the newest"
    while last.append(text(1, 10_000)) is not None:
        pass
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.ndjson")) <= 400_000 + SEGMENT_BYTES


def test_a_disk_that_fills_up_leaves_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = journal(tmp_path)
    first.append(text(1))
    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda descriptor, content, start: pwrite(descriptor, content[:7], start))
    assert first.append(text(2)) is None
    monkeypatch.setattr(os, "pwrite", pwrite)
    assert first.append(text(3)) is not None
    first.close()
    assert numbers(journal(tmp_path).take_over()[0]) == [1, 3]


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "broken.ndjson").write_bytes(b"\xff" * 100)
    assert journal(tmp_path).take_over() == ([], 1)
    assert (tmp_path / "note.txt").read_text() == "mine"
