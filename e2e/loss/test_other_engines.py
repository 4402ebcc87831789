"""A way out, and a request that fails, in the engines that are not Chromium. All of them run by ``--engine``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from typing import Any

import pytest
from loss import test_ways_out as ways_out
from loss.scene import Scene
from loss.walk import Walk

NUMBERS = count(1)

TIMES = 10
"""Without the lock's keeping, Firefox gave both tabs one queue in 63 of 120 tries."""


@pytest.fixture(params=["firefox", "webkit"])
def walk(request: pytest.FixtureRequest, satsuma_engines: Callable[[str], Any], scene: Scene) -> Iterator[Walk]:
    """A visitor with each engine in turn, who was never here."""
    with closing(satsuma_engines(request.param).new_context()) as context:
        yield Walk(scene, context, f"v{request.param}{next(NUMBERS)}")


def test_a_request_that_fails_is_made_again(walk: Walk) -> None:
    ways_out.test_an_answer_that_is_lost(walk)


LEAVE = """(names) => {
    const events = names.map((n) => (
        {type: "track", event: "Called", anonymousId: "a", messageId: n, timestamp: new Date(), properties: {n}}
    ));
    localStorage.setItem("satsuma_queue:loss:killed", JSON.stringify({at: 0, events}));
}"""
LOOK_AT = """(moment) => {
    const look = () => Object.values(localStorage).length;
    for (const before of [15, 6]) setTimeout(look, moment - Date.now() - before);
    setTimeout(() => {
        while (Date.now() < moment);
        // A page that is online again looks for what others have left.
        dispatchEvent(new Event("online"));
    }, moment - Date.now() - 2);
}"""
"""The site looks at its storage as well, and the browser remembers for a while what each process has seen."""


@pytest.mark.parametrize("walk", ["firefox"], indirect=True)
def test_two_tabs_that_look_at_one_time(walk: Walk) -> None:
    """Of what a killed page has left, each event is sent by one of them.

    WebKit tells other tabs in its own time of what was written, whatever lock is held: its two may both send one, which
    the collector keeps once.
    """
    first, second = walk.open(), walk.open()
    for tab in (first, second):
        walk.booted(tab)
    for number in range(TIMES):
        name = f"{walk.name}.killed.{number}"
        walk.scene.diary.made.append(name)
        first.evaluate(LEAVE, [name])
        moment = time.time() * 1000 + 150
        for tab in (first, second):
            tab.evaluate(LOOK_AT, moment)
        walk.until(lambda name=name: name in walk.stored(), first, f"{name} to be stored")
    ways_out.come_back_and_check(walk)
    assert walk.tally().resent == 0
