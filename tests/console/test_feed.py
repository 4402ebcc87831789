"""What the feed shows, how far back it goes, and how little it keeps."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from console.conftest import PAGE, Desk
from satsuma_server.console.presenters.feed_entry import Entry
from satsuma_server.console.presenters.feed_filter import Filter
from satsuma_server.console.presenters.refusals import kind_of
from satsuma_server.console.recent_events import LOOK_BACK, MOST_LOOKS, RecentEvents
from satsuma_server.log import Stored

HOSTILE = "<script>alert(1)</script>\"'{{7*7}}"


def stored(seq: int, **event: Any) -> Stored:
    body = {"type": "track", "event": f"E{seq}", "anonymousId": "anon", "messageId": f"m{seq}", **event}
    return Stored(seq, "shop", json.dumps(body).encode())


class Log:
    """A log of so many events, that counts how often it is read."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.reads = 0

    async def read(self, after: int = 0, limit: int = 1000) -> list[Stored]:
        self.reads += 1
        return [stored(seq) for seq in range(after + 1, min(after + limit, self.last) + 1)]


def window(log: Log, held: int, **bounds: int) -> RecentEvents:
    made = RecentEvents(log, **bounds)  # type: ignore[arg-type]
    made.add([stored(seq) for seq in range(log.last - held + 1, log.last + 1)])
    return made


def test_the_newest_are_held_within_bounds_of_number_and_of_bytes() -> None:
    assert len(window(Log(1000), 1000, most=100).after(0, 9999)) <= 120
    large = RecentEvents(Log(0), most=100, most_bytes=50_000)  # type: ignore[arg-type]
    large.add([stored(seq, properties={"text": "x" * 1000}) for seq in range(1, 101)])
    held = large.after(0, 9999)
    assert sum(len(entry.body) for entry in held) <= 60_000
    assert held[-1].seq == 100


def test_pages_go_from_what_is_held_back_into_the_log_without_a_gap() -> None:
    async def run() -> None:
        pages, before = window(Log(350), 100), None
        seen: list[int] = []
        while True:
            found = await pages.page(Filter(), before, 40)
            seen += [entry.seq for entry in found.entries]
            before = found.before
            if before is None:
                break
        assert seen == list(range(350, 0, -1))

    asyncio.run(run())


def test_a_search_for_what_is_not_there_stops_and_can_go_on() -> None:
    async def run() -> None:
        log = Log(LOOK_BACK * (MOST_LOOKS + 5))
        found = await window(log, 10).page(Filter(q="nothing like this"), None, 50)
        assert found.entries == []
        assert log.reads == MOST_LOOKS
        assert found.before is not None
        rest = await window(log, 10).page(Filter(q="nothing like this"), found.before, 50)
        assert rest.before is None

    asyncio.run(run())


@pytest.mark.parametrize(
    ("given", "takes"),
    [
        ({}, True),
        ({"type": "track"}, True),
        ({"type": "page"}, False),
        ({"type": "nonsense"}, True),
        ({"name": "order"}, True),
        ({"name": "cart"}, False),
        ({"id": "9798"}, True),
        ({"id": "bd07"}, True),
        ({"id": "m1"}, True),
        ({"id": "nobody"}, False),
        ({"q": "PREMIUM"}, True),
        ({"q": "Zürich"}, True),
        ({"q": "basic"}, False),
        ({"source": "shop"}, True),
        ({"source": "other"}, False),
    ],
)
def test_filters(given: dict[str, str], takes: bool) -> None:
    event = {"event": "Order Completed", "userId": "97980cfea0067", "anonymousId": "bd077b70"}
    properties = {"plan": "premium", "city": "Zürich"}
    body = {"type": "track", "messageId": "m1", **event, "properties": properties}
    entry = Entry.of(Stored(1, "shop", json.dumps(body, ensure_ascii=False).encode()))
    assert Filter.of(given).takes(entry) is takes


def test_an_event_of_strange_kinds_is_still_shown() -> None:
    for strange in (
        {"name": {"a": 1}},
        {"name": 7, "type": "page"},
        {"properties": [1]},
        {"traits": None, "type": "identify"},
    ):
        entry = Entry.of(stored(1, **strange))
        assert isinstance(entry.title, str)


def test_the_feed_shows_events_and_refused_ones(desk: Desk) -> None:
    desk.send(
        {"type": "identify", "userId": "97980cfea0067", "anonymousId": "bd07", "traits": {"name": "Peter"}},
        {"type": "track", "event": "Signed Up", "userId": "97980cfea0067", "anonymousId": "bd07"},
        {"type": "track", "event": "Nobody's"},
    )
    html = desk.see("live", "Signed Up")
    assert "name: Peter" in html
    assert "are both missing" in desk.see("live", "refused</b>")
    assert '"what">Signed Up' not in desk.see("live?type=identify")
    assert "Nothing fits yet" in desk.see("live?q=elsewhere")
    assert desk.web.get("/console/events/2", headers=PAGE).status_code == 200
    assert desk.web.get("/console/events/999", headers=PAGE).status_code == 404


def test_what_an_event_holds_is_never_markup(desk: Desk) -> None:
    desk.send(
        {"type": "track", "event": HOSTILE, "userId": HOSTILE, "properties": {HOSTILE: HOSTILE}},
        {"type": "identify", "userId": HOSTILE, "traits": {HOSTILE: HOSTILE}},
        {"type": "track", "event": "", "userId": HOSTILE, "properties": HOSTILE},
        source=HOSTILE,
    )
    desk.see("live", "&lt;script&gt;")
    desk.see("refused", "&lt;script&gt;")
    for path in ("live", "events/1", "events/2", "refused", "refused/1"):
        html = desk.see(path)

        assert "<script>alert" not in html


@pytest.mark.parametrize(
    ("reason", "slug"),
    [
        (".userId and .anonymousId are both missing: give at least one of them", "nobody"),
        (".event is missing", "no-name"),
        (".event is longer than 1024 characters", "name-length"),
        (".userId is missing: an alias needs both userId and previousId", "alias"),
        (".userId is not a string", "id"),
        (".messageId is longer than 1024 characters", "id"),
        (".type is unknown: use one of identify", "type"),
        ("the event is 40000 bytes, the limit is 32768", "size"),
        (".traits is not an object", "object"),
        ("the event is nested too deeply: the limit is 64 levels", "depth"),
        ("the event is not JSON: x", "json"),
        ("the event is not a JSON object", "json"),
        (".event is not in the tracking plan: track 'Sined Up', against the tracking plan", "plan"),
        (".properties.plan is missing: track 'A' (and 2 more), against the tracking plan", "plan"),
        (".properties.x is 'is not JSON', not of type integer: track 'x', against the tracking plan", "plan"),
        (".type is unknown: against the tracking plan, use one of identify", "type"),
        ("anything", "other"),
    ],
)
def test_every_reason_has_its_advice(reason: str, slug: str) -> None:
    assert kind_of(reason).slug == slug


def test_the_collectors_own_reasons_are_known(desk: Desk) -> None:
    bad: list[Any] = [
        {"type": "track", "event": "x"},
        {"type": "track", "userId": "u"},
        {"type": "alias", "userId": "u"},
        {"type": "track", "event": "x", "userId": {"id": 1}},
        {"type": "dance", "userId": "u"},
        {"type": "track", "event": "x" * 2000, "userId": "u"},
        {"type": "track", "event": "x", "userId": "u", "properties": []},
        {"type": "track", "event": "x", "userId": "u", "properties": {"x": "x" * 40_000}},
        "text",
        {"type": "track", "event": "good", "userId": "u"},
    ]
    desk.send(*bad)
    html = desk.see("refused", "Not JSON")
    for slug in ("nobody", "no-name", "alias", "id", "type", "name-length", "object", "size", "json"):
        assert f'id="kind-{slug}"' in html
    assert 'id="kind-other"' not in html


def test_what_the_plan_refuses_is_told_as_such(planned_desk: Desk) -> None:
    """With names that look like another reason: what somebody has sent does not choose the kind."""
    planned_desk.send(
        {"type": "track", "event": "is 7 bytes, the limit", "userId": "u"},
        {"type": "track", "event": "Signed Up", "userId": "u", "properties": {"plan": "is not JSON", "seats": "3"}},
        {"type": "track", "event": "Signed Up", "userId": "u", "properties": {"plan": "free", "seats": 3}},
    )
    html = planned_desk.see("refused", "is not in the tracking plan")
    assert html.count('id="kind-') == 1 and 'id="kind-plan"' in html
    assert "How to fix it" in html and "(and 1 more)" in html
    assert "Signed Up" in planned_desk.see("plan", "not of type integer")


def test_the_log_begins_a_console_that_starts_late(make_desk: Any) -> None:
    first = make_desk()
    first.log_in()
    first.send(*({"type": "track", "event": f"E{index}", "userId": "u"} for index in range(5)))
    first.see("live", "E4")
    second = make_desk()
    second.log_in()
    assert "E4" in second.web.get("/console/live", headers=PAGE).text
