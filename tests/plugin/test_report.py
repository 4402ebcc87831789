"""The story of a test as HTML and as text: hostile content stays text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pytest_satsuma.case import Case
from pytest_satsuma.device import events_of
from pytest_satsuma.identity import read_identity
from pytest_satsuma.libraries import KNOWN
from pytest_satsuma.report import write_report
from pytest_satsuma.timeline import Kind, as_text

HOSTILE = "</script><img src=x onerror=alert(1)>\x1b[31m\"'&\ud800"


@pytest.fixture
def case(tmp_path: Path) -> Case:
    case = Case(f"test[{HOSTILE}]", tmp_path / "out")
    event: dict[str, Any] = {"type": "track", "event": HOSTILE, "userId": HOSTILE, "properties": {HOSTILE: HOSTILE}}
    case.timeline.note("visitor", Kind.DID, HOSTILE)
    case.timeline.note("visitor", Kind.SENT, HOSTILE, event)
    case.timeline.note("visitor", Kind.IDENTITY, "now", {"cookie_user_id": HOSTILE, "traits": {HOSTILE: 1}})
    case.timeline.note("visitor", Kind.IDENTITY, "now", {})
    return case


def test_the_report_holds_no_markup_of_an_events(case: Case) -> None:
    text = write_report(case, "failed", HOSTILE).read_text()
    assert "<img" not in text
    assert "<script" not in text
    assert "&lt;img src=x" in text
    assert "http://" not in text and "https://" not in text, "it loads nothing"


def test_a_terminal_obeys_nothing_of_an_events(case: Case) -> None:
    assert "\x1b" not in as_text(case.entries())


def test_the_timeline_is_bounded(case: Case) -> None:
    for _ in range(5_000):
        case.timeline.note("visitor", Kind.DID, "x")
    assert len(case.timeline.entries) == 2_000
    assert "earlier lines" in as_text(case.entries())


@pytest.mark.parametrize(
    ("body", "path", "types"),
    [
        (b'{"type":"track","event":"E"}', "/v1/t", ["track"]),
        (b'{"event":"E"}', "/v1/track", ["track"]),
        (b'{"batch":[{"type":"page"},{"type":"track"},7]}', "/v1/batch", ["page", "track"]),
        (b'{"calls":[["identify","u1"],["track","E"]]}', "/v1/early", ["identify", "track"]),
        (b"[]", "/v1/t", []),
        (b"\x1f\x8bnonsense", "/v1/t", []),
        (b"\xff", "/v1/t", []),
        (b'{"batch":7}', "/v1/t", []),
    ],
)
def test_posts_are_read_whatever_they_hold(body: bytes, path: str, types: list[str]) -> None:
    assert [event["type"] for event in events_of(body, path)] == types


def test_each_library_is_read_in_its_own_way() -> None:
    ours = read_identity(KNOWN, {"ajs_user_id": "0071"}, {"ajs_anonymous_id": '"a1"', "ajs_user_traits": '{"a":1}'})
    assert (ours.user_id, ours.anonymous_id, ours.traits) == ("0071", "a1", {"a": 1})
    rudder = {"rl_user_id": "RS_ENC_v3_InU3Ig==", "rl_anonymous_id": "RS_ENC_v3_broken", "rl_trait": "RS_ENC_v3_e30="}
    read = read_identity(KNOWN, rudder, {})
    assert (read.user_id, read.anonymous_id, read.traits) == ("u7", "RS_ENC_v3_broken", None)
    assert read_identity(KNOWN, {"ajs_user_id": "", "other": "1"}, {"ajs_user_id": "null"}).is_empty
