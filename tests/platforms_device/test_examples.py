"""The example apps, each in a terminal of its own, with a real collector."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from satsuma_server.testing import Collector, running
from terminal import terminal

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Collector]:
    """A real collector."""
    with running(tmp_path / "collector") as started:
        yield started


def told(events: list[dict[str, Any]]) -> list[str]:
    return [event.get("event") or event.get("name") or event["type"] for event in events]


def test_a_textual_app_tells_who_writes_notes(receiver: Collector, folder: Path) -> None:
    with terminal(EXAMPLES / "notes.py", receiver.url, str(folder)) as app:
        app.wait_for("A new note")
        app.type("Buy milk\r")
        receiver.wait_for(lambda events: "Note Added" in told(events))
        app.type("\x0c")  # Ctrl+L
        app.wait_for("Who are you?")
        app.type("u42\r")
        receiver.wait_for(lambda events: "Signed In" in told(events))
        app.type("\x07")  # Ctrl+G
        app.type("Again\r")
        receiver.wait_for(lambda events: told(events).count("Note Added") == 2)
        app.type("\x11")  # Ctrl+Q
        assert app.wait_for_end() == 0
    events = receiver.events()
    first = ["Application Installed", "Application Opened", "Notes", "Note Added", "Login"]
    assert told(events) == [*first, "identify", "Signed In", "Signed Out", "Note Added"]
    assert [event["userId"] for event in events] == [*[None] * 5, *["u42"] * 3, None]
    ids = [event["anonymousId"] for event in events]
    assert len(set(ids[:8])) == 1 and ids[8] != ids[0], "a logout ends the anonymousId too"
    assert "milk" not in str(events)
    # Known from the first screen on; lifecycle events come before the app can tell it.
    assert {str(event["context"].get("screen")) for event in events[2:]} == {"{'width': 80, 'height': 24}"}


def test_a_kiosk_sells_on_without_a_network(receiver: Collector, folder: Path) -> None:
    kiosk = EXAMPLES / "kiosk.py"
    with terminal(kiosk, "http://127.0.0.1:9", str(folder)) as app:  # Nobody listens there.
        app.wait_for("switch off")
        for button, shown in [("single", "3.20 EUR"), ("card c7", "Welcome, c7"), ("done", "Goodbye"), ("day", "8.60")]:
            app.type(f"{button}\r")
            app.wait_for(shown)
        while '"day"' not in "".join(path.read_text() for path in folder.rglob("*.ndjson")):
            pass  # A call returns before its event is on disk.
        app.process.kill()  # The power is gone.
        app.wait_for_end()
    with terminal(kiosk, receiver.url, str(folder)) as app:
        app.wait_for("switch off")
        app.type("off\r")
        assert app.wait_for_end() == 0
    events = receiver.events()
    expected = ["Application Installed", "Application Opened", "Start", "Order Completed", "identify", "Signed In"]
    assert told(events) == [*expected, "Session Ended", "Start", "Order Completed", "Application Opened", "Start"]
    first, second = events[3], events[8]
    assert first["anonymousId"] == events[5]["anonymousId"] != second["anonymousId"]
    assert (events[5]["userId"], second["userId"]) == ("c7", None)
    assert events[-1]["anonymousId"] == second["anonymousId"], "no customer was sent away before the power went"
