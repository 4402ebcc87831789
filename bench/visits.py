"""Visits of a real Chromium, on a fresh device each, and what can be measured of them from outside."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf
from tempfile import TemporaryDirectory
from typing import Any

import psutil
from playwright.sync_api import BrowserContext, CDPSession, Page, Playwright
from pytest_satsuma.chromium import launch_args

TIMEOUT = 60_000
"""Milliseconds that a page may take."""

WATCH = """
window.bench = {longest: 0, lcp: 0, inp: 0};
bench.sent = new Promise((sent) => {
    const note = (at = performance.now()) => { bench.at ??= at; sent(bench.at); };
    const post = window.fetch, beacon = navigator.sendBeacon;
    window.fetch = function (input, init) {
        if (init && init.method && init.method.toLowerCase() === "post") note();
        return post.apply(this, arguments);
    };
    navigator.sendBeacon = function () { note(); return beacon.apply(this, arguments); };
    new BroadcastChannel("bench").onmessage = ({data}) => {
        if (data > performance.timeOrigin) note(data - performance.timeOrigin);
    };
});
const watch = (type, note, more) =>
    new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({type, buffered: true, ...more});
watch("longtask", (task) => { bench.longest = Math.max(bench.longest, task.duration); });
watch("largest-contentful-paint", (paint) => { bench.lcp = paint.startTime; });
watch("event", (event) => { bench.inp = Math.max(bench.inp, event.duration); }, {durationThreshold: 16});
"""
"""Runs before the page's own scripts: the first event handed to fetch by the page or its service worker, the longest
task, LCP and INP."""

CALLS = """async (count) => {
    for (let n = 0; n < count; n++) {
        analytics.track("Measured", {n, plan: "premium", cart: {items: 3, total: 12.5}});
        await new Promise((go) => setTimeout(go, 5));
    }
    await new Promise((go) => setTimeout(go, 500));
}"""


@dataclass(frozen=True, slots=True)
class Line:
    """A line to the internet.

    Attributes:
        megabits: a second, both ways.
        latency: in milliseconds.
    """

    megabits: float
    latency: float


@dataclass(slots=True)
class Visit:
    """What was measured of one visit.

    Attributes:
        sent: milliseconds from navigation to the first event handed to fetch.
        longest: milliseconds of the longest task on the main thread; 0 where none took over 50.
        bytes: what came over the line before the first event was sent, heads included, as far as somebody looked; an
            answer that had begun by then counts whole.
        requests: how many answers these were, those that a cache had included.
        plain: whether Python was started another way than the page has asked for.
    """

    sent: float
    longest: float
    bytes: int = 0
    requests: int = 0
    plain: bool = False


@dataclass
class Device:
    """A browser with a profile of its own."""

    context: BrowserContext
    page: Page
    session: CDPSession
    _answers: dict[str, float] = field(default_factory=dict)
    _sizes: dict[str, int] = field(default_factory=dict)
    _posted: list[float] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)

    def visit(self, url: str, idle: float = 0.3) -> Visit:
        """Go to a page that makes an event of its own, and stay until it is sent and `idle` seconds longer."""
        for noted in (self._answers, self._sizes, self._posted):
            noted.clear()
        self.page.goto(url)
        sent = self.page.evaluate("() => bench.sent")
        self.page.wait_for_timeout(idle * 1000)
        came = [name for name, at in self._answers.items() if at <= min(self._posted, default=inf)]
        size = sum(self._sizes.get(name, 0) for name in came)
        self.visits.append(Visit(sent, self.page.evaluate("() => bench.longest"), size, len(came)))
        return self.visits[-1]

    def slow_down(self, line: Line) -> None:
        """Give the page a line of a house."""
        rate = line.megabits * 1e6 / 8
        told = {"offline": False, "latency": line.latency, "downloadThroughput": rate, "uploadThroughput": rate}
        self.session.send("Network.emulateNetworkConditions", told)

    def throttle(self, rate: float) -> None:
        """Slow the page's processor down, `rate` times."""
        self.session.send("Emulation.setCPUThrottlingRate", {"rate": rate})

    def cpu(self, count: int) -> float:
        """Return the milliseconds of CPU that one ``track()`` takes the page, all that it sets off included."""
        self.page.evaluate(CALLS, 20)
        before = self.busy()
        self.page.evaluate(CALLS, count)
        return (self.busy() - before) * 1000 / count

    def memory(self) -> float:
        """Return the megabytes that only the page's process holds."""
        self.session.send("HeapProfiler.collectGarbage")
        return max(_private(process) for process in _renderers()) / 1e6

    def busy(self) -> float:
        """Return the seconds that the page's thread has worked."""
        told = self.session.send("Performance.getMetrics")["metrics"]
        return next(metric["value"] for metric in told if metric["name"] == "TaskDuration")

    def listen(self) -> None:
        """Count what the page loads."""
        self.session.on("Network.requestWillBeSent", self._asked)
        self.session.on("Network.responseReceived", self._answered)
        self.session.on("Network.loadingFinished", self._loaded)
        self.session.send("Network.enable")
        # The thread's own clock: on a busy machine a task takes longer by the wall's, and no more of the processor.
        self.session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def _loaded(self, told: dict[str, Any]) -> None:
        self._sizes[told["requestId"]] = int(told["encodedDataLength"])

    def _asked(self, told: dict[str, Any]) -> None:
        if told["request"]["method"] == "POST":
            self._posted.append(told["timestamp"])

    def _answered(self, told: dict[str, Any]) -> None:
        self._answers[told["requestId"]] = told["timestamp"]


@contextmanager
def device(playwright: Playwright, **settings: Any) -> Iterator[Device]:
    """Start a browser that has never been anywhere, with a disk cache as visitors have.

    Args:
        settings: of Playwright's context, as of one of its devices.
    """
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        context = playwright.chromium.launch_persistent_context(profile, **launch_args(settings))
        try:
            page = context.pages[0]
            page.set_default_timeout(TIMEOUT)
            page.add_init_script(WATCH)
            made = Device(context, page, context.new_cdp_session(page))
            made.listen()
            yield made
        finally:
            context.close()


def _renderers() -> list[psutil.Process]:
    return [
        process
        for process in psutil.Process(os.getpid()).children(recursive=True)
        if "--type=renderer" in " ".join(_command(process))
    ]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _private(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().uss)
    except psutil.Error:
        return 0
