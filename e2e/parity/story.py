"""A scenario: what a page does, told once, to be played by any library."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

HOST = "www.shop.test"


@dataclass(frozen=True, slots=True)
class Visit:
    """Open a page, and wait until the library is up.

    Attributes:
        early: JavaScript that follows the snippet directly, before the library is there.
        head, body: more HTML. `/library/consent.js` and `/library/jquery.js` are there to be asked for.
        comes_up: whether the library comes up, and is waited for.
    """

    path: str = "/"
    early: str = ""
    head: str = ""
    body: str = ""
    host: str = HOST
    tab: int = 0
    comes_up: bool = True


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
        loads: whether the snippet loads the library; else the page does, with ``stageOptions``.
        headers: names of the posts' headers that are compared, in lower case.
        broken: JavaScript that breaks something of the browser before every page.
        settings: more settings of the destination that the source's settings answer.
        intended: the differences that are meant: where, as a path's beginning, and why, as a key of `intended.REASONS`.
        behaviours: titles of what a single script compares one after another; empty where it is all one behaviour.
        reference_fails: what becomes of the reference, which is not played then; ours must do without an error.
    """

    title: str
    steps: tuple[Step, ...]
    load: Mapping[str, Any] = field(default_factory=dict)
    load_script: Mapping[str, str] = field(default_factory=dict)
    loads: bool = True
    headers: tuple[str, ...] = ()
    broken: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    intended: Mapping[str, str] = field(default_factory=dict)
    behaviours: tuple[str, ...] = ()
    reference_fails: str = ""


def tells(*events: int) -> dict[str, str]:
    """Return that these events tell of what was healed before them, as `Scenario.intended` has it."""
    return {f".events[{number}].body.context.satsuma": "diagnostics" for number in events}


def scenario(title: str, *steps: Step | str, **more: Any) -> Scenario:
    """Return a scenario; text among the steps is JavaScript to run, and a first visit comes by itself."""
    read = tuple(Run(step) if isinstance(step, str) else step for step in steps)
    first = () if any(isinstance(step, Visit | Find) for step in read[:1]) else (Visit(),)
    return Scenario(title, (*first, *read), **more)


HELP = """
const calls = [], UNSENT = [{}, {integrations: {'Segment.io': false}}];
const made = (name, type, more) => ({name, type, version: '1', isLoaded: () => true, load: async () => {}, ...more});
const after = (ms, value) => new Promise((go) => setTimeout(go, ms, value));
const within = (work, ms) => Promise.race([work, after(ms, 'waits')]);
const outcome = (work) =>
    work.then((value) => ['done', value], (error) => ['failed', String(Object(error).message || error)]);
const lines = (context) => context.logs().map(({level, message}) => [level, message]);
const plain = (value) => JSON.parse(JSON.stringify(value ?? String(value), function (name, one) {
    if (this[name] instanceof Date) return '<date>';
    if (one === undefined && Array.isArray(this)) return '<undefined>';
    return /^(next|satsuma)-\\d/.test(one) ? '<version>' : one;
}));
"""
"""What every behaviour of `behaviours` may use."""

IN_TURN = """
const told = {}, there = analytics.queue.plugins.map(({name}) => name);
for (const [title, behave] of Object.entries({%s})) {
    calls.length = 0;
    told[title] = plain(await within(behave().catch((error) => ['threw', String(error)]), %d));
    const own = analytics.queue.plugins.map(({name}) => name).filter((name) => !there.includes(name));
    await analytics.deregister(...own);
    analytics.reset();
}
return told"""


def behaviours(
    title: str, scripts: Mapping[str, str], *before: Step, timeout: int = 20, patience: int = 3000, **more: Any
) -> Scenario:
    """Return a scenario that compares many behaviours on one page, each by a script of its own.

    Args:
        title: of the scenario.
        scripts: by the title of each behaviour, the body of an asynchronous function; what it returns is compared, and
            what it makes the page post. Plugins are taken out and the visitor is forgotten between them.
        before: steps before it; none for a first visit.
        timeout: milliseconds that callbacks wait for.
        patience: milliseconds after which a script counts as one that waits for ever.
        more: other attributes of the scenario.
    """
    bodies = ",\n".join(f"{json.dumps(name)}: async () => {{ {script} }}" for name, script in scripts.items())
    script = f"{HELP}analytics.timeout({timeout});{IN_TURN % (bodies, patience)}"
    return Scenario(title, (*(before or (Visit(),)), Run(script)), behaviours=tuple(scripts), **more)
