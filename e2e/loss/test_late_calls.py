"""Calls that a site makes when our own handlers have seen the page go already."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flows.places import PAGE, SERVICE, WORKER
from loss.line import Fault, Kind
from loss.scene import OURS, Scene, set_up
from loss.test_service_ways_out import is_stored
from loss.walk import Walk
from playwright.sync_api import Browser, Page

EARLY = "early"

LATE = """(path) => {
    addEventListener("pagehide", make);
    document.addEventListener("visibilitychange", make);
    go(path);
}"""
"""The site's own handlers come last, so ours have heard everything before them."""


@pytest.fixture(scope="module", params=[PAGE, WORKER, SERVICE, EARLY])
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The site, with Python in each place in turn, or not there yet."""
    place, options = (PAGE, {"early": True}) if request.param == EARLY else (request.param, {})
    with set_up(OURS, tmp_path_factory.mktemp("late"), python=place, options=options) as scene:
        yield scene


def up(walk: Walk, tab: Page, place: str) -> None:
    """Wait until calls go their usual way."""
    if place != EARLY:
        walk.booted(tab)
    walk.call(tab)
    walk.kept(tab)


def pages_of(scene: Scene, walk: Walk) -> list[dict[str, Any]]:
    """Return the page that each stored call of a visitor tells, in the collector's order."""
    events = [event for event in scene.collector.events() if event.get("event") == "Called"]
    return [event["context"]["page"] for event in events if event["properties"]["n"].startswith(f"{walk.name}.")]


def test_a_call_of_a_page_that_has_gone_already(browser: Browser, scene: Scene, request: pytest.FixtureRequest) -> None:
    """It tells of its page, and comes after what was called before, although that waits."""
    place = request.node.callspec.params["scene"]
    with browser.new_context() as context:
        if place == EARLY:
            context.route("**/python*.wasm", lambda route: None)  # Python is never there.
        walk = Walk(scene, context, f"vlate{place}")
        path = walk.path()
        tab = walk.go(path)
        up(walk, tab, place)
        posts = scene.front.posts
        scene.front.weather, scene.front.share = Kind.REFUSED, 1
        for _ in range(3):
            walk.call(tab)
        walk.until(lambda: scene.front.posts > posts, tab, "a post that is refused")
        if place in (WORKER, SERVICE):
            # What Python sends is refused still; what goes with the page is not.
            scene.front.spared = "/v1/early"
        else:
            scene.front.clear_up()
            scene.front.fail_next(Fault(Kind.REFUSED))
        onward = walk.path()
        tab.evaluate(LATE, onward)
        tab.wait_for_url(f"**{onward}", wait_until="commit")
        if place in (WORKER, SERVICE):
            # By then, what went with the page has come.
            posts = scene.front.posts
            walk.until(lambda: scene.front.posts >= posts + 3, tab, "Python to try again")
        scene.front.clear_up()
        assert is_stored(walk), walk.stored()
        assert len(walk.made()) == 6
        pages = pages_of(scene, walk)
        assert pages == [pages[0]] * 6
        assert pages[0]["title"] == pages[0]["path"] == path
