"""Lays out a person's events on one time axis, with a line for each id. Events that link ids tie their lines
together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from satsuma_server.console.views.plan import violations_of
from satsuma_server.identity.identifiers import ANONYMOUS_ID, PREVIOUS_ID, USER_ID, Key
from satsuma_server.identity.links import Outcome
from satsuma_server.profiles import Link, TimelineEvent

from .diagnosis import diagnosed
from .lint import Advice, of_story

MOST_LANES = 7
"""The most ids that get a line. All ids of a person are in the list of ids."""

GAP_MS = 30 * 60_000
"""The pause after which a new visit begins. Half an hour is usual in web analytics."""

CARRIED = {"userId": USER_ID, "anonymousId": ANONYMOUS_ID, "previousId": PREVIOUS_ID}


@dataclass(frozen=True, slots=True)
class Lane:
    """The line of one id, in position `at` from the left."""

    key: Key
    at: int


@dataclass(frozen=True, slots=True)
class Step:
    """One event of the timeline.

    Attributes:
        lines: the lanes that pass it, each with whether it begins here and whether it ends here.
        dots: the lanes whose ids the event has.
        ties: whether the event linked these ids.
        links: the links that it caused.
        pause: milliseconds since the event before, where that is longer than `GAP_MS`; otherwise 0.
        day: whether it is the first of its day, from the top.
    """

    moment: TimelineEvent
    event: Mapping[str, Any]
    lines: tuple[tuple[Lane, bool, bool], ...]
    dots: tuple[Lane, ...]
    ties: bool
    links: tuple[Link, ...]
    advice: tuple[Advice, ...]
    pause: float
    day: bool


@dataclass(slots=True)
class Story:
    """One page of a timeline, newest first."""

    lanes: list[Lane] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


def tell(moments: Sequence[TimelineEvent], links: Sequence[Link]) -> Story:
    """Lay out a page of a person's events, which are given newest first, with the person's links."""
    events = [moment.event or {} for moment in moments]
    carried = [_carried(moment, event) for moment, event in zip(moments, events, strict=True)]
    lanes = _lanes(carried)
    spans = {lane.key: _span(lane.key, carried) for lane in lanes}
    advice = [
        (*violations_of(event), *diagnosed(event), *told)
        for event, told in zip(events, reversed(of_story(events[::-1])), strict=True)
    ]
    by_seq: dict[int, list[Link]] = {}
    for link in links:
        by_seq.setdefault(link.seq, []).append(link)
    story = Story(lanes)
    for index, moment in enumerate(moments):
        linked = tuple(by_seq.get(moment.seq, ()))
        older = moments[index + 1].at if index + 1 < len(moments) else moment.at
        story.steps.append(
            Step(
                moment=moment,
                event=events[index],
                lines=tuple(
                    (lane, index == spans[lane.key][1], index == spans[lane.key][0])
                    for lane in lanes
                    if spans[lane.key][0] <= index <= spans[lane.key][1]
                ),
                dots=tuple(lane for lane in lanes if lane.key in carried[index]),
                ties=any(link.outcome in (Outcome.ADDED, Outcome.MERGED) for link in linked),
                links=linked,
                advice=advice[index],
                pause=moment.at - older if moment.at - older > GAP_MS else 0,
                day=index == 0 or _day(moments[index - 1].at) != _day(moment.at),
            )
        )
    return story


def _carried(moment: TimelineEvent, event: Mapping[str, Any]) -> list[Key]:
    keys = [moment.key]
    for name, kind in CARRIED.items():
        value = event.get(name)
        if isinstance(value, str) and value:
            key = Key(kind, value, moment.key.space)
            if key not in keys:
                keys.append(key)
    return keys


def _lanes(carried: Sequence[Sequence[Key]]) -> list[Lane]:
    """Return a lane for each id. UserIds come first, because people read from the left."""
    counts: dict[Key, int] = {}
    for keys in carried:
        for key in keys:
            counts[key] = counts.get(key, 0) + 1
    # An alias's previous id is usually also an anonymousId, which has a line already.
    values = {key.value for key in counts if key.type != PREVIOUS_ID}
    found = [key for key in counts if key.type != PREVIOUS_ID or key.value not in values]
    found.sort(key=lambda key: (key.type != USER_ID, -counts[key]))
    return [Lane(key, at) for at, key in enumerate(found[:MOST_LANES])]


def _span(key: Key, carried: Sequence[Sequence[Key]]) -> tuple[int, int]:
    """Return the first and the last row of an id's line."""
    rows = [index for index, keys in enumerate(carried) if key in keys]
    return rows[0], rows[-1]


def _day(milliseconds: float) -> int:
    return int(milliseconds // 86_400_000)
