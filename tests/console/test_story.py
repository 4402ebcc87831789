"""What the console says of a person: lines, notes, the graph, and charts."""

from __future__ import annotations

from typing import Any

import pytest
from satsuma.clock import iso_time
from satsuma_server.console.presenters.avatar import glyph
from satsuma_server.console.presenters.diagnosis import MOST_HEALED, diagnosed
from satsuma_server.console.presenters.graph import elements
from satsuma_server.console.presenters.lint import of_event, of_story
from satsuma_server.console.presenters.stacked_bars import HEIGHT, Bars, Column, nice
from satsuma_server.console.presenters.timeline import MOST_LANES, tell
from satsuma_server.console.presenters.timing import Journey
from satsuma_server.console.views.warehouse import LONGEST_CELL, cell
from satsuma_server.identity.identifiers import ANONYMOUS_ID, PREVIOUS_ID, USER_ID, Key
from satsuma_server.identity.links import Outcome, Rule
from satsuma_server.profiles import Link, TimelineEvent

NOW = 1_700_000_000_000
PETER, LAPTOP = Key(USER_ID, "97980cfea0067"), Key(ANONYMOUS_ID, "bd077b70")


def event(type: str, device: str | None = None, user: str | None = None, **more: Any) -> dict[str, Any]:
    return {"type": type, "anonymousId": device, "userId": user, "context": {"userAgent": "Chrome"}, **more}


def moment(seq: int, told: dict[str, Any]) -> TimelineEvent:
    key = Key(USER_ID, told["userId"]) if told["userId"] else Key(ANONYMOUS_ID, told["anonymousId"])
    return TimelineEvent(seq, "shop", key, NOW + seq * 1000, told)


def link(number: int, left: Key, right: Key, seq: int = 2, outcome: Outcome = Outcome.ADDED) -> Link:
    return Link(number, left, right, Rule.SAME_EVENT, outcome, (), seq, f"m{seq}", "shop", NOW)


def titles(*events: dict[str, Any]) -> list[list[str]]:
    return [[one.title for one in told] for told in of_story(events)]


def test_each_id_has_a_line_from_its_first_event_to_its_last_and_the_event_that_ties_them_says_so() -> None:
    told = [
        event("page", "bd077b70"),
        event("identify", "bd077b70", "97980cfea0067"),
        event("track", None, PETER.value),
    ]
    story = tell([moment(seq, one) for seq, one in reversed([*enumerate(told, 1)])], [link(1, PETER, LAPTOP)])
    assert [lane.key for lane in story.lanes] == [PETER, LAPTOP]
    newest, middle, oldest = story.steps
    assert [(lane.key, begins, ends) for lane, begins, ends in newest.lines] == [(PETER, False, True)]
    assert [(lane.key, begins, ends) for lane, begins, ends in oldest.lines] == [(LAPTOP, True, False)]
    assert [lane.key for lane in middle.dots] == [PETER, LAPTOP]
    assert [step.ties for step in story.steps] == [False, True, False]


def test_a_person_of_many_ids_has_so_many_lines_and_no_more() -> None:
    story = tell([moment(seq, event("page", f"device-{seq}")) for seq in range(30, 0, -1)], [])
    assert len(story.lanes) == MOST_LANES and len(story.steps) == 30


def test_an_event_that_the_log_has_no_more_keeps_its_place() -> None:
    story = tell([TimelineEvent(1, "shop", LAPTOP, NOW, None)], [])
    assert [lane.key for lane in story.steps[0].dots] == [LAPTOP]


@pytest.mark.parametrize(
    ("events", "index", "title"),
    [
        ([event("identify", "a", "u1"), event("identify", "a", "u2")], 1, "Overwrites the userId u1"),
        ([event("identify", "a", "u1"), event("page", "a", "u1")], 0, "No track call says why"),
        ([event("page", "a"), event("page", "b")], 1, "A new anonymousId in a browser of the same kind"),
        ([event("identify", "a", "peter@initech.example")], 0, "An email address as userId"),
        ([event("track", "a", properties={"userId": "u"})], 0, "userId is only a property"),
        ([event("page", "a", context={"library": {"version": "satsuma-early"}})], 0, "Left before Python was up"),
    ],
)
def test_mistakes_are_told(events: list[dict[str, Any]], index: int, title: str) -> None:
    assert title in titles(*events)[index]


def test_what_the_specification_asks_for_is_no_mistake() -> None:
    good = [event("page", "a"), event("identify", "a", "u"), event("track", "a", "u", event="Signed Up")]
    assert titles(*good) == [[], [], []]


def remarked(**satsuma: Any) -> list[tuple[str, str]]:
    told = diagnosed(event("page", "a", context={"satsuma": satsuma}))
    return [(one.title, one.text) for one in told]


def test_what_was_healed_is_told_in_words() -> None:
    [(title, text)] = remarked(healed=["ajs_user_id:cookie:gone"])
    assert title == "The userId's cookie was gone" and text.startswith("Healed from localStorage")
    [(title, text)] = remarked(healed=["ajs_anonymous_id:localStorage:gone"])
    assert title == "localStorage had lost the anonymousId" and text.startswith("Healed from the cookie")
    both = remarked(healed=["ajs_user_id:cookie:gone", "ajs_user_id:localStorage:gone"])
    assert len(both) == 2 and all(text.startswith("Healed from what the open page still knew") for _, text in both)
    [(title, text)] = remarked(healed=["ajs_user_id:cookie:other"])
    assert title == "The userId in the cookie was another" and "replaced from localStorage" in text
    assert remarked(healed=["my:own:key:cookie:gone"])[0][0] == "The my:own:key's cookie was gone"


def test_cookies_of_the_same_name_are_told_in_words() -> None:
    told = remarked(strays=["ajs_user_id:removed", "ajs_anonymous_id:stays", "ajs_user_id", "x:y", 7])
    assert [title for title, _ in told] == [
        "There was another cookie ajs_user_id",
        "There is another cookie ajs_anonymous_id",
    ]
    assert "could not be removed" in told[1][1]


def test_trouble_on_the_way_is_told_in_words() -> None:
    told = remarked(delivery={"failed": 3, "late": 1, "dropped": {"refused 400": 2, "queue full": 1, "<b>": 1}})
    assert [title for title, _ in told] == [
        "Before this, 3 requests failed",
        "1 event of an earlier page came along",
        "Before this, 4 events were lost",
    ]
    assert told[2][1] == (
        "The page gave up: 2 times the collector answered 400, 1 time more waited than a page keeps, "
        "1 time for a reason of its own."
    )


@pytest.mark.parametrize(
    "hostile",
    [
        {"healed": "ajs_user_id:cookie:gone"},
        {"healed": {"ajs_user_id:cookie:gone": 1}},
        {"healed": [None, 7, ["x"], {}, "", ":", "a:b:c", "ajs_user_id:memory:gone", "ajs_user_id:cookie:eaten"]},
        {"healed": ["x" * 1000 + ":cookie:gone"]},
        {"delivery": []},
        {"delivery": {"failed": True, "late": -1, "dropped": [1]}},
        {"delivery": {"failed": "3", "late": 1e9, "dropped": {"invalid": None, "x": 10**30}}},
    ],
)
def test_of_remarks_that_no_page_makes_nothing_is_told(hostile: dict[str, Any]) -> None:
    assert remarked(**hostile) == []
    assert diagnosed(event("page", "a", context={"satsuma": list(hostile)})) == []
    assert diagnosed(event("page", "a", context="satsuma")) == []


def test_a_thousand_remarks_are_told_as_a_few() -> None:
    many = remarked(
        healed=[f"key-{index}:cookie:gone" for index in range(1000)],
        delivery={"dropped": {f"refused {index}": 1 for index in range(100, 999)}},
    )
    assert len(many) == MOST_HEALED + 1
    assert max(len(title) + len(text) for title, text in many) < 400


def test_a_story_tells_what_each_event_says_of_itself() -> None:
    context = {"satsuma": {"healed": ["ajs_user_id:cookie:gone"]}, "protocols": {"violations": [{"path": ".event"}]}}
    told = [event("page", "a"), event("page", "a", context=context)]
    newest, oldest = tell([moment(seq, one) for seq, one in ((2, told[1]), (1, told[0]))], []).steps
    assert [one.title for one in newest.advice] == ["Not as planned", "The userId's cookie was gone"]
    assert oldest.advice == ()


def times(made: float, sent: float, received: float, happened: float) -> dict[str, Any]:
    names = ("originalTimestamp", "sentAt", "receivedAt", "timestamp")
    return dict(zip(names, map(iso_time, (made, sent, received, happened)), strict=True))


def test_a_late_event_and_a_wrong_clock_are_told_apart() -> None:
    late = times(NOW, NOW + 3_600_000, NOW + 3_600_100, NOW + 100)
    assert Journey.of(late).is_late and not Journey.of(late).is_skewed
    wrong = times(NOW + 7_200_000, NOW + 7_200_000, NOW, NOW)
    assert [one.title for one in of_event(wrong)] == ["A clock that is 2 hours ahead"]
    imported = times(NOW - 86_400_000, NOW - 86_400_000, NOW, NOW - 86_400_000)
    assert of_event(imported) == []


def test_the_graph_draws_each_value_once_and_only_links_between_what_it_draws() -> None:
    alias = Key(PREVIOUS_ID, LAPTOP.value)
    links = [link(1, PETER, LAPTOP), link(2, PETER, alias), link(3, alias, LAPTOP, outcome=Outcome.KNOWN)]
    drawn = elements([PETER, LAPTOP, alias], links)
    nodes = {one["data"]["id"] for one in drawn if "source" not in one["data"]}
    edges = [one["data"] for one in drawn if "source" in one["data"]]
    assert nodes == {PETER.value, LAPTOP.value}
    assert [edge["id"] for edge in edges] == ["link-1", "link-2"]
    assert all({edge["source"], edge["target"]} <= nodes for edge in edges)


@pytest.mark.parametrize("value", [0, 1, 3, 7, 19, 99, 100, 133, 999, 1_001, 123_456, 10**9])
def test_an_axis_ends_at_a_round_number_that_is_large_enough(value: int) -> None:
    assert nice(value) >= value
    assert nice(value) <= max(4, 2.5 * value)


def test_bars_lie_on_each_other_and_within_the_drawing() -> None:
    bars = Bars(("a", "b"), [Column(NOW, (3, 4)), Column(NOW + 60_000, (0, 0)), Column(NOW + 120_000, (1, 0))])
    (_, (low, high)), (_, (single,)) = bars.drawn()
    assert high.y + high.height == pytest.approx(low.y, abs=0.02)
    assert low.y + low.height == pytest.approx(single.y + single.height, abs=0.02)
    assert 0 < high.y < HEIGHT


def test_a_mark_holds_nothing_of_its_id_and_is_always_the_same() -> None:
    assert "<script" not in glyph("<script>") and glyph("a") == glyph("a") != glyph("b")


def test_a_cell_is_cut() -> None:
    assert len(cell("x" * 10_000)[0]) == LONGEST_CELL + 1
    assert cell(None) == ("null", "null") and cell([1])[0] == "[1]"
