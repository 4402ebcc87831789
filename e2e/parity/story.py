"""A scenario: what a page does, told once, to be played by any library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

HOST = "www.shop.test"


@dataclass(frozen=True, slots=True)
class Visit:
    """Open a page, and wait until the library is up.

    Attributes:
        early: JavaScript that follows the snippet directly, before the library is there.
        head, body: more HTML.
    """

    path: str = "/"
    early: str = ""
    head: str = ""
    body: str = ""
    host: str = HOST
    tab: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """Run the body of an asynchronous JavaScript function; what it returns is compared."""

    script: str
    tab: int = 0


@dataclass(frozen=True, slots=True)
class Leave:
    """Run JavaScript that makes the page go elsewhere, and wait until the library is up there."""

    script: str
    tab: int = 0


@dataclass(frozen=True, slots=True)
class Find:
    """What the visitor's browser holds when they come, raw: written on a page of the site that has no library."""

    cookies: tuple[str, ...] = ()
    storage: Mapping[str, str] = field(default_factory=dict)
    host: str = HOST


@dataclass(frozen=True, slots=True)
class ExpireCookies:
    """Let the library's cookies expire for real: set anew with a short max-age, then waited for."""


@dataclass(frozen=True, slots=True)
class ClearCookies:
    """Remove all cookies."""


@dataclass(frozen=True, slots=True)
class ClearStorage:
    """Remove everything from localStorage."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Have the collector answer the next posts with these statuses, whatever they hold."""

    statuses: tuple[int, ...]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Posts:
    """Wait until the collector has had so many posts since the scenario began."""

    count: int


@dataclass(frozen=True, slots=True)
class Network:
    """Take the network away, or give it back."""

    there: bool


Step = Visit | Run | Leave | Find | ExpireCookies | ClearCookies | ClearStorage | Answer | Posts | Network


@dataclass(frozen=True, slots=True)
class Scenario:
    """One story.

    Attributes:
        title: a sentence; the name of its test.
        steps: what happens, in order.
        load: options of ``analytics.load``.
        load_script: JavaScript expressions for options that JSON can't hold, by dotted name.
        headers: names of the posts' headers that are compared, in lower case.
        broken: JavaScript that breaks something of the browser before every page.
        settings: more settings of the destination that the source's settings answer.
        intended: the differences that are meant: where, as a path's beginning, and why, as a key of `intended.REASONS`.
        reference_fails: what becomes of the reference, which is not played then; ours must do without an error.
    """

    title: str
    steps: tuple[Step, ...]
    load: Mapping[str, Any] = field(default_factory=dict)
    load_script: Mapping[str, str] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    broken: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    intended: Mapping[str, str] = field(default_factory=dict)
    reference_fails: str = ""


def tells(*events: int) -> dict[str, str]:
    """Return that these events tell of what was healed before them, as `Scenario.intended` has it."""
    return {f".events[{number}].body.context.satsuma": "diagnostics" for number in events}


def scenario(title: str, *steps: Step | str, **more: Any) -> Scenario:
    """Return a scenario; text among the steps is JavaScript to run, and a first visit comes by itself."""
    read = tuple(Run(step) if isinstance(step, str) else step for step in steps)
    first = () if any(isinstance(step, Visit | Find) for step in read[:1]) else (Visit(),)
    return Scenario(title, (*first, *read), **more)
