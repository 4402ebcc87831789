"""What the log keeps of an event, beside what a client posted."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from flows.faults import Faults, Posted

Event = dict[str, Any]

ADDED = ("seq", "writeKey", "receivedAt", "timestamp", "originalTimestamp", "sentAt")
"""What the collector writes itself."""

MILLISECOND = timedelta(milliseconds=1)
CANONICAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def check_kept(stored: list[Event], faults: Faults, count: int) -> None:
    """Check that the log holds `count` events, each once, and each just as it was posted.

    A client posts an event more than once where the first time failed; whichever came to the collector first is kept.
    """
    arrived = [post for post in faults.posted if post.fault is None or post.fault.lost]
    posted: dict[str, tuple[Event, Posted]] = {}
    for post in arrived:
        for event in post.events:
            posted.setdefault(event["messageId"], (event, post))
    assert [event["messageId"] for event in stored] == list(posted), "each once, in the order of arrival"
    assert len(stored) == count
    assert [event["seq"] for event in stored] == list(range(1, count + 1))
    for event in stored:
        check_event(event, *posted[event["messageId"]])


def check_event(stored: Event, posted: Event, post: Posted) -> None:
    """Check one event, field by field.

    Of a batch's own fields, ``sentAt`` goes to each event. ``writeKey`` is that of the source, whatever the event has.
    """
    context = {"ip": "127.0.0.1", "userAgent": post.headers["user-agent"], **posted["context"]}
    if context["ip"] != "127.0.0.1" and posted.get("userId"):
        # A server tells of its visitor; the collector adds where the request that names a user came from.
        context["senderIp"] = "127.0.0.1"
    ids = {"userId": posted.get("userId"), "anonymousId": posted.get("anonymousId")}
    given = {name: value for name, value in posted.items() if name not in ADDED}
    assert {name: value for name, value in stored.items() if name not in ADDED} == {**given, **ids, "context": context}
    assert set(ADDED) <= set(stored)
    check_times(stored, posted["timestamp"], posted.get("sentAt") or post.body["sentAt"])
    if post.path == "/v1/import":
        assert stored["timestamp"] == stored["originalTimestamp"]
    else:
        check_clock(stored)


def check_times(stored: Event, called_at: str, sent_at: str) -> None:
    """Check that times are the client's, in UTC to the millisecond."""
    assert all(CANONICAL.fullmatch(stored[name]) for name in ADDED[2:])
    assert abs(moment(stored["originalTimestamp"]) - moment(called_at)) < MILLISECOND
    assert abs(moment(stored["sentAt"]) - moment(sent_at)) < MILLISECOND


def check_clock(stored: Event) -> None:
    """Check that ``timestamp`` is when the call was made by the collector's clock, whatever the client's says."""
    age = moment(stored["sentAt"]) - moment(stored["originalTimestamp"])
    late = moment(stored["receivedAt"]) - moment(stored["timestamp"])
    assert abs(late - max(age, timedelta(0))) <= MILLISECOND


def moment(text: str) -> datetime:
    """Return a time, whatever its zone."""
    return datetime.fromisoformat(text)
