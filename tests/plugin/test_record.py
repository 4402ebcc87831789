"""Golden files: what counts as a change, and what doesn't."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytest_satsuma.record import compare, path_of, write

ONE, OTHER = "bd077b70-816b-448b-ae79-2f5f7d856513", "0d9a2f3c-1111-4222-8333-444455556666"


def events(anonymous_id: str, at: str, port: int, plan: str = "pips") -> list[dict[str, Any]]:
    common = {"anonymousId": anonymous_id, "timestamp": at, "messageId": f"ajs-{port}", "seq": port}
    page = {"type": "page", "properties": {"url": f"http://127.0.0.1:{port}/"}, **common}
    return [page, {"type": "track", "event": "Signed Up", "properties": {"plan": plan, "by": anonymous_id}, **common}]


BEFORE = events(ONE, "2026-01-02T03:04:05.678Z", 4711)
AFTER = events(OTHER, "2027-02-03T04:05:06Z", 50123)


def test_ids_times_ports_and_the_order_of_posts_are_no_change(tmp_path: Path) -> None:
    file = tmp_path / "golden" / "file.json"
    write(file, BEFORE)
    assert ONE in file.read_text(), "real payloads are kept"
    assert compare(file, AFTER) == ""
    assert compare(file, AFTER[::-1]) == ""


def test_values_missing_events_and_mixed_up_ids_are_changes(tmp_path: Path) -> None:
    file = tmp_path / "file.json"
    write(file, BEFORE)
    changed = compare(file, events(OTHER, "2027-02-03T04:05:06Z", 1234, "grove"))
    assert '"plan": "grove"' in changed
    assert "<id 2>" not in changed
    assert "Signed Up" in compare(file, AFTER[:1])
    mixed = [AFTER[0], {**AFTER[1], "anonymousId": ONE}]
    assert "<id 2>" in compare(file, mixed)


def test_a_tests_name_is_a_files(tmp_path: Path) -> None:
    path = path_of(tmp_path, "e2e/test_x.py::test_y[../../etc/passwd<>]")
    assert path.parent == tmp_path
    assert "/" not in path.name
