"""`satsuma replay` of an archive whose events somebody has sent to stop it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from satsuma_server.testing import SATSUMA, running

EVENT = '{"type":"track","event":%s,"anonymousId":"a","messageId":"%s","properties":{"x":%s}}'
ODD = {
    "large number": "1e999",
    "lone surrogate": '"\\ud800"',
    "many digits": "9" * 5_000,
    "not a number": "NaN",
    "infinity": "-Infinity",
    "deep": "[" * 900 + "]" * 900,
    "very deep": "[" * 100_000 + "]" * 100_000,
}
KEPT = ["first", "large number", "lone surrogate", "many digits", "last"]


def replay(file: Path, *options: str) -> str:
    return subprocess.run([*SATSUMA, "replay", str(file), *options], capture_output=True, text=True).stderr


def test_odd_events_in_an_archive_keep_none_of_their_neighbours_out(tmp_path: Path) -> None:
    file = tmp_path / "archive.ndjson"
    values = {"first": "1", **ODD, "last": "2"}
    file.write_text("\n".join(EVENT % (json.dumps(name), name, value) for name, value in values.items()))
    with running(tmp_path / "data") as collector:
        told = replay(file, "--url", collector.url, "--token", collector.token)
        assert [event["event"] for event in collector.events()] == KEPT
    assert "5 events accepted, 4 refused" in told
    assert "5 events would be accepted, 4 refused" in replay(file, "--dry-run")
