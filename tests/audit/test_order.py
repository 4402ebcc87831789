"""The order of calls: that of the browser's clock, though each request took another time on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from satsuma_server.audit import run_audit
from satsuma_server.audit.history import History, history_of

BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
FAST_CLOCK = timedelta(hours=3)
"""How far the clocks of these visitors are ahead."""


def iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def call(visitor: int, after: int, way: int, kind: str, path: str, **fields: Any) -> dict[str, Any]:
    """Return an event.

    Args:
        visitor: which visitor makes it.
        after: milliseconds since the visit began.
        way: milliseconds that its request was under way. They are in its timestamp, as collectors reckon it.
        kind: its type.
        path: of its page.
        fields: what else it has.
    """
    at = BEGIN + timedelta(hours=visitor, milliseconds=after)
    sent = at + timedelta(milliseconds=500)
    context = {"library": {"name": "analytics.js"}, "page": {"path": path, "url": f"https://shop.example{path}"}}
    return {
        "type": kind,
        "messageId": f"{visitor}-{after}-{kind}",
        "anonymousId": f"bd077b70-816b-448b-ae79-{visitor:012}",
        "userId": f"97980cfea{visitor:04}",
        "context": context,
        "originalTimestamp": iso(at + FAST_CLOCK),
        "sentAt": iso(sent + FAST_CLOCK),
        "receivedAt": iso(sent + timedelta(milliseconds=way)),
        "timestamp": iso(at + timedelta(milliseconds=way)),
        **fields,
    }


def hasty(visitors: int) -> Iterator[dict[str, Any]]:
    """Yield the calls of people who sign up on a page that redirects at once."""
    for visitor in range(visitors):
        yield call(visitor, 0, 90, "page", "/register")
        yield call(visitor, 2, 20, "identify", "/register")
        yield call(visitor, 4, 30, "track", "/register", event="Signed Up")
        yield call(visitor, 300, 40, "page", "/welcome")


def made(events: Iterator[dict[str, Any]]) -> History:
    return history_of(json.dumps(event).encode() for event in events)


def test_calls_belong_to_the_page_that_made_them() -> None:
    with made(hasty(4)) as history:
        found = {one.rule: one for one in run_audit(history).findings}
    left = found["calls-on-a-page-that-is-left"]
    assert (left.found, left.days()) == (4, "2026-03-02")


def test_too_few_to_tell_is_not_called_kept() -> None:
    with made(hasty(2)) as history:
        report = run_audit(history)
    skipped = {one.rule: one.reason for one in report.skipped}
    assert skipped["sign-up-without-identify"] == "too few to tell: 2 sign-ups"
    assert "sign-up-without-identify" not in report.passed


def test_a_clock_that_is_set_in_between_changes_no_time() -> None:
    late = timedelta(hours=5)
    events = [*hasty(1)]
    for event in events[2:]:
        for name in ("originalTimestamp", "sentAt"):
            event[name] = iso(datetime.fromisoformat(event[name]) - late)
    with made(iter(events)) as history:
        times = [row[0] for row in history.run("SELECT ts FROM events ORDER BY id")]
    for at, event in zip(times, events, strict=True):
        assert abs(at.replace(tzinfo=UTC) - datetime.fromisoformat(event["timestamp"])) < timedelta(seconds=1)
