"""Archives as they come: gzipped or not, an event a line or an array, broken, hostile."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from satsuma_server.audit import History, Report, run_audit
from satsuma_server.audit.lines import BROKEN_GZIP, NOT_JSON, NOT_UTF8, PIECE_BYTES, TOO_LARGE

EVENTS = [
    {"type": "track", "event": f"E{number}", "messageId": f"m{number}", "anonymousId": "5f9d1c8e-1111", "timestamp": at}
    for number, at in enumerate(["2026-03-02T10:00:00.000Z", "2026-03-02T12:00:00+02:00", "2026-03-02T10:00:01Z"])
]
ONE_A_LINE = "".join(json.dumps(event) + "\n" for event in EVENTS).encode()


def read(*contents: bytes) -> tuple[Report, list[tuple[object, ...]]]:
    with History() as history:
        for content in contents:
            history.read(io.BytesIO(content))
        report = run_audit(history)
        return report, history.run("SELECT event, ts FROM events ORDER BY event")


@pytest.mark.parametrize(
    "content",
    [
        ONE_A_LINE,
        gzip.compress(ONE_A_LINE),
        gzip.compress(ONE_A_LINE[:200]) + gzip.compress(ONE_A_LINE[200:]),
        ONE_A_LINE.replace(b"\n", b"\r\n\n"),
        b"\xef\xbb\xbf" + ONE_A_LINE.rstrip(),
        json.dumps(EVENTS).encode(),
        json.dumps(EVENTS, indent=2).encode(),
        gzip.compress(json.dumps(EVENTS, indent=2).encode()),
        "\n".join(json.dumps(event, indent=2) for event in EVENTS).encode(),
    ],
    ids=["lines", "gzip", "members", "crlf", "bom", "array", "pretty", "pretty-gzip", "objects"],
)
def test_every_form_of_a_file_is_read(content: bytes) -> None:
    report, rows = read(content)
    assert [name for name, _ in rows] == ["E0", "E1", "E2"]
    assert report.input.unreadable == 0
    # A time of another zone is the same moment.
    assert rows[0][1] == rows[1][1]


def test_what_is_broken_is_counted_and_costs_no_neighbour() -> None:
    broken = [
        b"not json",
        b'{"type": "track"',
        b'{"type": "track", "event": "\xff"}',
        b"[" * 50_000,
        b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
        b'{"type": {"$gt": ""}, "userId": ["x"]}',
        b'{"type": "track", "event": "' + b"x" * (2 << 20) + b'"}',
        b"null",
        b"12",
        b'{"type": "drop table events"}',
    ]
    lines = ONE_A_LINE.splitlines()
    report, rows = read(b"\n".join([lines[0], *broken[:5], lines[1], *broken[5:], lines[2]]))
    assert [name for name, _ in rows] == ["E0", "E1", "E2"]
    assert report.input.unreadable == len(broken)
    assert report.input.reasons[TOO_LARGE] == 1
    assert report.input.reasons[NOT_UTF8] == 1
    assert report.input.reasons[NOT_JSON] >= 2


def test_lines_are_told_apart_wherever_a_piece_of_the_file_ends() -> None:
    lines = ONE_A_LINE.splitlines()
    long = b'{"type": "track", "event": "' + b"x" * (3 * PIECE_BYTES) + b'"}'
    blanks = b" \t\r\n\n" * (PIECE_BYTES // 5)
    report, rows = read(b"\n".join([lines[0], long, blanks, lines[1], b"broken", b"", lines[2]]))
    assert [name for name, _ in rows] == ["E0", "E1", "E2"]
    assert report.input.reasons == {TOO_LARGE: 1, NOT_JSON: 1}


@pytest.mark.parametrize(
    "written",
    ["2026-03-02T12:00:00+02:00", "2026-03-02T04:30:00.000-0530", "2026-03-02 10:00:00", "2026-03-02T10:00:00.000000Z",
     "2026-03-02 11:00:00 Europe/Berlin", "2026-03-02 10:00:00 UTC", 1772445600, "1772445600", 1772445600000,
     1772445600000.0],
)  # fmt: skip
def test_a_time_is_the_same_moment_however_it_is_written(written: str | float) -> None:
    _, rows = read(json.dumps({**EVENTS[0], "timestamp": written}).encode())
    assert str(rows[0][1]) == "2026-03-02 10:00:00"


def test_a_gzip_that_is_cut_off_is_read_to_where_it_ends() -> None:
    packed = gzip.compress(ONE_A_LINE * 400, compresslevel=1)
    report, _ = read(packed[: len(packed) - 40])
    assert report.input.reasons[BROKEN_GZIP] == 1
    assert report.input.events == 3
    assert report.input.repeated > 100


def zipped(content: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("events.ndjson", content)
    return made.getvalue()


@pytest.mark.parametrize("pack", [zipped, bz2.compress, lzma.compress], ids=["zip", "bzip2", "xz"])
def test_what_is_packed_otherwise_is_told_and_not_read_as_text(pack: Callable[[bytes], bytes]) -> None:
    report, rows = read(pack(ONE_A_LINE))
    [(problem, count)] = report.input.reasons.items()
    assert problem.endswith(": unpack it first") and count == 1
    assert rows == []


def test_a_broken_object_of_an_array_costs_itself() -> None:
    text = json.dumps(EVENTS, indent=1).replace('"E1"', "E1")
    report, rows = read(text.encode())
    assert [name for name, _ in rows] == ["E0", "E2"]
    assert report.input.unreadable == 1


@pytest.mark.parametrize("inner", [b'\n{"a":[', b'\n{"a":[' + b"0," * 500], ids=["deep", "wide"])
def test_objects_that_never_end_are_not_read_again_from_each_of_them(
    inner: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_at_most = 0
    decode = json.JSONDecoder.raw_decode

    def counted(self: json.JSONDecoder, text: str, place: int = 0) -> tuple[object, int]:
        nonlocal read_at_most
        try:
            found, end = decode(self, text, place)
        except json.JSONDecodeError as error:
            read_at_most += error.pos - place
            raise
        except RecursionError:
            read_at_most += 128 << 10
            raise
        return found, end

    monkeypatch.setattr(json.JSONDecoder, "raw_decode", counted)
    content = b"[" + inner * ((1 << 20) // len(inner)) + b"\n" + json.dumps(EVENTS[0]).encode() + b"]"
    report, _ = read(content)
    assert report.input.reasons[NOT_JSON] > 1
    assert read_at_most < 16 * len(content)


def test_values_of_odd_types_are_no_trouble() -> None:
    odd = {"type": "identify", "userId": 42, "traits": {"email": ["a@b.example"], "a\u0000b\"c": 1, "": {}},
           "sentAt": 17, "timestamp": "+292278994-08-17T07:12:55Z", "context": "none",
           "messageId": {"x": "\ud800"}}  # fmt: skip
    with History() as history:
        history.add([json.dumps(odd).encode(), json.dumps({**odd, "traits": [1], "userId": True}).encode()])
        assert run_audit(history).input.events + sum(history.unreadable.values()) == 2


def test_shapes_of_segment_rudderstack_and_our_export_tell_the_same(tmp_path: Path) -> None:
    common = {"type": "identify", "messageId": "m", "timestamp": "2026-03-02T10:00:00Z"}
    shapes = [
        {**common, "userId": "ada@mail.example", "projectId": "p", "channel": "client",
         "traits": {"email": "a@b.example"}},
        {**common, "userId": "ada@mail.example", "anonymousId": "", "channel": "web", "request_ip": "10.0.0.1",
         "context": {"traits": {"email": "a@b.example"}, "library": {"name": "RudderLabs JavaScript SDK"}}},
        {**common, "userId": "ada@mail.example", "writeKey": "k", "seq": 9, "traits": {"email": "a@b.example"},
         "context": {"library": {"name": "analytics.js"}, "page": {"url": "https://shop.example/"}}},
    ]  # fmt: skip
    for shape in shapes:
        with History() as history:
            history.add([json.dumps(shape).encode()])
            report = run_audit(history)
            assert [one.rule for one in report.findings if one.severity == "wrong"] == ["user-id-is-email"], shape
            assert history.run("SELECT email, side, anonymous_id FROM events") == [("a@b.example", "browser", None)]
            assert report.findings[0].examples[0].seq == shape.get("seq")
