"""Finds what a tester should know about an event or a visitor's events: mistakes, and what only looks like one.

Source of the rules: "Best practices for identifying users", the specification that the whole project follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .template_filters import span
from .timing import Journey

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")

FOLLOWED_WITHIN = 3
"""How many events after an identify may come before a track call that says what caused it."""

EARLY = "satsuma-early"
"""The library version of events that the collector built from early calls, because the page had ended."""


class Level(StrEnum):
    """How important a piece of advice is.

    Attributes:
        WRONG: a mistake, which makes numbers wrong.
        HINT: something that could be better.
        NOTE: an explanation.
    """

    WRONG = "wrong"
    HINT = "hint"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Advice:
    """One piece of advice."""

    level: Level
    title: str
    text: str


def of_event(event: Mapping[str, Any]) -> list[Advice]:
    """Return the advice on a single event."""
    return [*_ids(event), *_times(event)]


def of_story(events: Sequence[Mapping[str, Any]]) -> list[list[Advice]]:
    """Return the advice on each of a person's events, which are given in the order in which they happened."""
    told = [of_event(event) for event in events]
    for advice in (_overwritten, _unexplained, _renewed):
        for index, one in advice(events):
            told[index].append(one)
    return told


def _ids(event: Mapping[str, Any]) -> Iterable[Advice]:
    user = event.get("userId")
    if isinstance(user, str) and event.get("type") == "identify" and EMAIL.fullmatch(user):
        yield Advice(
            Level.HINT,
            "An email address as userId",
            "Addresses change, and a userId can't. Use the id of your own database, and send the address as a trait.",
        )
    properties = event.get("properties")
    if not user and isinstance(properties, Mapping) and properties.get("userId"):
        yield Advice(
            Level.HINT,
            "userId is only a property",
            "Nobody is identified by it: call identify with it, and later events carry it by themselves.",
        )
    library = _mapping(_mapping(event.get("context")).get("library"))
    if library.get("version") == EARLY:
        yield Advice(
            Level.NOTE,
            "Left before Python was up",
            "The visitor went on so soon that the calls came by beacon, and the collector made this event of them.",
        )


def _times(event: Mapping[str, Any]) -> Iterable[Advice]:
    journey = Journey.of(event)
    if journey.is_late:
        yield Advice(
            Level.NOTE,
            f"Came {span(journey.waited)} late",
            "It was kept in the browser until it could be sent: the network was gone, or the visitor was.",
        )
    if journey.is_skewed:
        side = "ahead" if journey.skew > 0 else "behind"
        yield Advice(
            Level.NOTE,
            f"A clock that is {span(abs(journey.skew))} {side}",
            "The sender's clock is wrong, or the request took very long. The event's timestamp is corrected for it.",
        )


def _overwritten(events: Sequence[Mapping[str, Any]]) -> Iterable[tuple[int, Advice]]:
    """Find an identify with another userId on a device that still had one."""
    users: dict[str, str] = {}
    for index, event in enumerate(events):
        device, user = event.get("anonymousId"), event.get("userId")
        if not isinstance(device, str) or not isinstance(user, str):
            continue
        before = users.get(device)
        if event.get("type") == "identify" and before not in (None, user):
            yield (
                index,
                Advice(
                    Level.WRONG,
                    f"Overwrites the userId {before}",
                    "The device still had another userId when this identify came. Call reset when somebody logs out, "
                    "or the next one's events are mixed with theirs.",
                ),
            )
        users[device] = user


def _unexplained(events: Sequence[Mapping[str, Any]]) -> Iterable[tuple[int, Advice]]:
    """Find the first identify of a user where no track call follows."""
    seen: set[object] = set()
    for index, event in enumerate(events):
        user = event.get("userId")
        if event.get("type") != "identify" or user in seen:
            continue
        seen.add(user)
        following = events[index + 1 : index + 1 + FOLLOWED_WITHIN]
        if following and not any(one.get("type") == "track" for one in following):
            yield (
                index,
                Advice(
                    Level.HINT,
                    "No track call says why",
                    "Follow an identify with the event that caused it, as Signed Up or Newsletter Subscribed.",
                ),
            )


def _renewed(events: Sequence[Mapping[str, Any]]) -> Iterable[tuple[int, Advice]]:
    """Find a new anonymousId where the user agent was seen before."""
    seen: dict[str, str] = {}
    for index, event in enumerate(events):
        device = event.get("anonymousId")
        if not isinstance(device, str) or device in seen:
            continue
        agent = str(_mapping(event.get("context")).get("userAgent", ""))
        if agent and agent in seen.values():
            yield (
                index,
                Advice(
                    Level.NOTE,
                    "A new anonymousId in a browser of the same kind",
                    "Cookies and localStorage were cleared, reset was called, or it is a private window or another "
                    "device. What healed from one store alone keeps its id.",
                ),
            )
        seen[device] = agent


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
