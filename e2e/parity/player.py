"""Plays a scenario in a real Chromium, and tells what could be seen of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flows.faults import Posted
from parity.device import Device
from parity.stage import BLANK, Stage
from parity.story import (
    Answer,
    ClearCookies,
    ClearStorage,
    ExpireCookies,
    Find,
    Leave,
    Network,
    Posts,
    Run,
    Scenario,
    Step,
    Visit,
)
from playwright.sync_api import Page

UP = "() => Boolean(window.analytics && !Array.isArray(analytics) && analytics.initialized)"
CALM = """() => new Promise((resolve) => {
    let rounds = 12;
    const next = () => (rounds-- ? setTimeout(next, 0) : resolve());
    next();
})"""
EXPIRE = """() => {
    for (const pair of document.cookie.split("; ").filter((pair) => pair.startsWith("ajs_")))
        for (const domain of ["", "; domain=.shop.test"])
            document.cookie = `${pair}; path=/; samesite=lax; max-age=1${domain}`;
}"""
FIND = """([cookies, storage]) => {
    cookies.forEach((cookie) => { document.cookie = cookie; });
    Object.entries(storage).forEach(([key, value]) => localStorage.setItem(key, value));
}"""
FAILED_REQUEST = "Failed to load resource"
KEPT_EVENTS = "satsuma_queue:"
"""Where our library keeps what has no answer yet; the reference does so as the page ends."""
THE_END = "The end"
LAST = f"""() => Promise.resolve(analytics.track('{THE_END}'))
    .then(() => analytics.flush && analytics.flush())
    .then(() => null, () => null)"""
SECONDS_A_DAY = 86_400
PATIENCE = 60


@dataclass(slots=True)
class Seen:
    """What a scenario left to be seen.

    Attributes:
        told: what its scripts returned.
        states: cookies and localStorage after each step.
        events: what was posted, as ``{"path": …, "body": …}``.
        errors: the page's errors and what it wrote to the console as such.
    """

    told: list[Any] = field(default_factory=list)
    states: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


class Player:
    """Plays one scenario."""

    def __init__(self, stage: Stage, device: Device, scenario: Scenario) -> None:
        self._stage = stage
        self._device = device
        self._scenario = scenario
        self._seen = Seen()
        # What breaks the browser stays in its tab for good: such a scenario gets one of its own.
        self._tabs: dict[int, Page] = {} if scenario.broken else {0: device.tab}
        self.origins: set[str] = set()
        self._first = 0

    def play(self) -> Seen:
        """Play all steps, each to its end."""
        self._first = first = len(self._stage.posts.posted)
        for step in self._scenario.steps:
            self._do(step)
            self._seen.states.append(self._state())
        self._tab(max(self._tabs)).evaluate(LAST)
        self._calm()
        order = {body: number for number, body in enumerate(self._device.issued)}
        posted = self._stage.posts.posted[first:]
        # Other engines than Chromium don't tell the bodies. The time of sending is as good, but for its milliseconds.
        posted.sort(key=lambda post: (order.get(post.raw, len(order)), str(post.body.get("sentAt"))))
        told = ({"path": post.path, "body": _without_the_end(post.body), **self._headers(post)} for post in posted)
        self._seen.events = [event for event in told if event["body"]]
        meant = any(isinstance(step, Answer | Network) for step in self._scenario.steps)
        # The browser tells of each request that fails.
        self._seen.errors = [error for error in self._device.errors if not (meant and FAILED_REQUEST in error)]
        return self._seen

    def _do(self, step: Step) -> None:
        match step:
            case Visit():
                self._visit(step)
            case Run():
                answer = self._tab(step.tab).evaluate(f"async () => {{ {step.script} }}")
                self._seen.told.append(answer)
            case Leave():
                page = self._tab(step.tab)
                with page.expect_navigation():
                    page.evaluate(f"() => {{ {step.script} }}")
                self._wait_for_library(page)
            case Find():
                self._find(step)
            case ExpireCookies():
                self._tab(0).evaluate(EXPIRE)
                self._until(lambda: not any(name.startswith("ajs_") for name in self._cookies()), "cookies to expire")
            case ClearCookies():
                self._device.context.clear_cookies()
            case Answer() | Posts() | Network():
                self._deliver(step)
            case ClearStorage():
                self._tab(0).evaluate("() => localStorage.clear()")
        self._calm()

    def _deliver(self, step: Answer | Posts | Network) -> None:
        match step:
            case Answer():
                self._stage.posts.answer_next(*step.statuses, **step.headers)
            case Posts():
                self._until(lambda: self._posts() >= step.count, f"{step.count} posts")
            case Network():
                self._device.context.set_offline(not step.there)

    def _posts(self) -> int:
        """Return how many posts there were but for one that ended the scenario before, which may come late."""
        return sum(_without_the_end(post.body) is not None for post in self._stage.posts.posted[self._first :])

    def _headers(self, post: Posted) -> dict[str, Any]:
        wanted = self._scenario.headers
        return {"headers": {name: post.headers.get(name) for name in wanted}} if wanted else {}

    def _visit(self, step: Visit) -> None:
        page = self._tab(step.tab)
        self._stage.show(self._scenario, step)
        self._open(page, step.host, step.path)
        if step.comes_up:
            self._wait_for_library(page)

    def _find(self, step: Find) -> None:
        page = self._tab(0)
        self._open(page, step.host, BLANK)
        page.evaluate(FIND, [list(step.cookies), dict(step.storage)])

    def _open(self, page: Page, host: str, path: str) -> None:
        self.origins.add(self._stage.url(host, ""))
        page.goto(self._stage.url(host, path))

    def _tab(self, number: int) -> Page:
        if number not in self._tabs:
            self._tabs[number] = self._device.context.new_page()
            if self._scenario.broken:
                self._tabs[number].add_init_script(self._scenario.broken)
        return self._tabs[number]

    def _wait_for_library(self, page: Page) -> None:
        self._until(lambda: page.evaluate(UP), f"the library: {self._device.errors}")

    def _calm(self) -> None:
        """Wait until the pages have done what they had queued, and their posts are answered."""
        for page in self._tabs.values():
            page.evaluate(CALM)
        self._until(lambda: not self._device.under_way, "the posts to be answered")

    def _until(self, true: Callable[[], Any], what: str) -> None:
        limit = time.monotonic() + PATIENCE
        while not true():
            if time.monotonic() > limit:
                raise AssertionError(f"waited {PATIENCE} s for {what}")
            next(iter(self._tabs.values())).wait_for_timeout(10)

    def _cookies(self) -> dict[str, dict[str, Any]]:
        now = time.time()
        # Of two with one name the domain's is told, which the libraries write; engines list them in any order.
        found = sorted(self._device.context.cookies(), key=lambda cookie: str(cookie["domain"]).startswith("."))
        return {cookie["name"]: _attributes(dict(cookie), now) for cookie in found}

    def _state(self) -> dict[str, Any]:
        page = next(iter(self._tabs.values()))
        try:
            storage = page.evaluate("() => ({...localStorage})")
            storage = {key: value for key, value in storage.items() if not key.startswith(KEPT_EVENTS)}
        except Exception:
            storage = None  # The scenario took it away.
        return {"cookies": self._cookies(), "storage": storage}


def _without_the_end(body: dict[str, Any]) -> dict[str, Any] | None:
    """Return a body without the event that ends a scenario; None where nothing is left."""
    if "batch" not in body:
        return None if body.get("event") == THE_END else body
    batch = [event for event in body["batch"] if event.get("event") != THE_END]
    return {**body, "batch": batch} if batch else None


def _attributes(cookie: dict[str, Any], now: float) -> dict[str, Any]:
    days = None if cookie["expires"] == -1 else round((cookie["expires"] - now) / SECONDS_A_DAY, 2)
    return {
        "value": cookie["value"],
        "days": days,
        "domain": cookie["domain"],
        "path": cookie["path"],
        "sameSite": cookie["sameSite"],
        "secure": cookie["secure"],
    }
