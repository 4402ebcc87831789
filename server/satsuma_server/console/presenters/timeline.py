"""A person's events on one time axis, each id a line beside it: lines that an event ties together are one person."""

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
"""Ids that get a line of their own; a person with more has them in the list of ids."""

GAP_MS = 30 * 60_000
"""A pause that a new visit begins after, as analytics mostly has it."""

CARRIED = {"userId": USER_ID, "anonymousId": ANONYMOUS_ID, "previousId": PREVIOUS_ID}


@dataclass(frozen=True, slots=True)
class Lane:
    """One id's line: at place `at` from the left."""

    key: Key
    at: int


@dataclass(frozen=True, slots=True)
class Step:
    """One event of the story.

    Attributes:
        lines: the lanes that run through it, each with whether it begins here and whether it ends here.
        dots: the lanes whose ids it carries.
        ties: whether it made them one.
        links: what it linked.
        pause: milliseconds since the event before, where that is long; 0 elsewhere.
        day: whether it is the first of its day from the top.
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
    """What a page of a timeline shows, newest first."""

    lanes: list[Lane] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


def tell(moments: Sequence[TimelineEvent], links: Sequence[Link]) -> Story:
    """Make the story of a page of moments, given newest first, of a person who has these links."""
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
    """Return a lane for each id, users first: a line that stands where the eye begins."""
    counts: dict[Key, int] = {}
    for keys in carried:
        for key in keys:
            counts[key] = counts.get(key, 0) + 1
    # An alias's previous id is mostly an anonymousId: one line is enough.
    values = {key.value for key in counts if key.type != PREVIOUS_ID}
    found = [key for key in counts if key.type != PREVIOUS_ID or key.value not in values]
    found.sort(key=lambda key: (key.type != USER_ID, -counts[key]))
    return [Lane(key, at) for at, key in enumerate(found[:MOST_LANES])]


def _span(key: Key, carried: Sequence[Sequence[Key]]) -> tuple[int, int]:
    """Return the rows between which an id's line runs."""
    rows = [index for index, keys in enumerate(carried) if key in keys]
    return rows[0], rows[-1]


def _day(milliseconds: float) -> int:
    return int(milliseconds // 86_400_000)
